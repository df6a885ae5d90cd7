"""The library computes what others compute: the authors' files, and a second implementation.

``golden_small/`` is our own (see ``make_golden_small.py``) and always there; the files recorded
with the authors' code lie beside the repository on some machines and are tested where they do.
"""

from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from ddeq.model.official import load_official
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import Riesz, mmd2
from ddeq.solve.solvers import Euler
from tests.model import make_golden_small as reference

HERE = Path(__file__).resolve().parent
OFFICIAL = HERE.parents[2] / "shared" / "golden"
OWN = sorted((HERE / "golden_small").glob("*.npz"))
FILES = sorted([*OWN, *OFFICIAL.glob("*.npz")])
CLASSIFIERS = [path for path in FILES if path.stem.startswith("cls")]
COMPLETERS = [path for path in FILES if path.stem.startswith("comp")]


class Golden:
    """A golden file with the library's model for it, in single or double precision."""

    def __init__(self, path: Path, dtype: torch.dtype):
        with np.load(path) as arrays:
            tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.at = {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
        heads = int(self.at.get("heads", torch.tensor(32)))
        self.gamma = float(self.at.get("gamma", torch.tensor(5.0)))
        self.model = load_official(path.with_suffix(".pth"), heads=heads).to(dtype)
        context = self.model.operator.encode(self.at["x"])
        # In these files the known particles come first, and every cloud has as many.
        self.known = int(self.at["fix_mask"][0].sum()) if "fix_mask" in self.at else 0
        share = None
        if self.known:
            context = self.model.operator.beside(self.at["z0"][:, : self.known], context)
            total = self.at["z0"].shape[1]
            share = torch.full((len(self.at["z0"]),), 1 - self.known / total, dtype=dtype)
        self.operator = partial(self.model.operator, context=context)
        self.share = share

    def free(self, name: str) -> torch.Tensor:
        """The recorded particles that flow: all of a classifier's, the unknown of a completer's."""
        return self.at[name][:, self.known :]

    def flow(self, start: str, steps: int) -> Flow:
        stop = StopRule(steps, tolerance=0.0)
        solver = Euler(self.gamma)
        return Flow(self.operator, self.free(start), solver=solver, stop=stop, share=self.share)


def assert_agree(found: torch.Tensor, expected: torch.Tensor, rtol: float) -> None:
    """The largest error over the largest value, for every cloud of the batch by itself."""
    error = (found - expected).flatten(1).abs().amax(1) / expected.flatten(1).abs().amax(1)
    assert error.max() < rtol


def named(paths: list[Path]):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def test_our_own_files_are_all_there():
    assert {path.stem for path in OWN} == {"cls_plane", "cls_space", "comp_plane"}


@named(FILES)
def test_operator_and_mmd(path):
    golden = Golden(path, torch.float32)
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            image = golden.operator(golden.free("z0"))
        assert_agree(image, golden.free("F_z0"), 1e-4)
    expected = golden.at["mmd2_z0"]
    whole = torch.cat([golden.at["z0"][:, : golden.known], image], 1)
    assert_agree(mmd2(golden.at["z0"], whole, Riesz())[:, None], expected[:, None], 1e-4)
    first = next(iter(golden.flow("z0", 0)))
    assert_agree(2 * first.objective[:, None], expected[:, None], 1e-4)


@named(CLASSIFIERS)
def test_readout(path):
    golden = Golden(path, torch.float32)
    for state, expected in (("z0", "logits_z0"), ("F_z0", "logits_F_z0")):
        assert_agree(golden.model.logits(golden.at[state]), golden.at[expected], 1e-4)


@named(CLASSIFIERS)
def test_trajectory(path):
    """Chattering multiplies rounding: what was recorded in single precision agrees loosely by 20.

    The order of two additions decides by then; our own files are in double precision.
    """
    single, double = (
        list(Golden(path, dtype).flow("z0", 20)) for dtype in (torch.float32, torch.float64)
    )
    at = Golden(path, torch.float64).at
    for k in (1, 2, 3, 4, 5):
        assert_agree(single[k].particles, at[f"z_{k}"], 1e-4)
    if path in OWN:
        for k in (1, 2, 3, 4, 5, 20):
            assert_agree(double[k].particles, at[f"z_{k}"], 1e-6)
    else:
        assert_agree(single[20].particles, at["z_20"], 5e-2)


@named(COMPLETERS)
def test_lift_and_its_inverse(path):
    golden = Golden(path, torch.float32)
    z0 = golden.model.lift(golden.at["z_data"])
    assert_agree(z0, golden.at["z0"], 1e-4)
    assert_agree(golden.model.lift.inverse(z0), golden.at["z_back"], 1e-4)


@named(COMPLETERS)
def test_known_particles_stay_where_they_are(path):
    """In the recorded files, so that leaving them out of the flow loses nothing."""
    golden = Golden(path, torch.float32)
    for name in ("F_z0", "z_1", "z_2", "z_3", "z_4", "z_5"):
        assert torch.equal(golden.at[name][:, : golden.known], golden.at["z0"][:, : golden.known])


@named(COMPLETERS)
def test_single_steps_of_a_completion(path):
    """From each recorded ``z_k`` one step, in double precision, gives the recorded ``z_{k+1}``.

    A whole trajectory would test the rounding and not the method: the known particles lie on
    their own images and many free ones near them, where the energy distance has a kink, and ReLUs
    stand close to theirs. A flip of either by rounding changes a velocity by a finite amount, so
    that single and double precision drift apart by 2e-4 after one step and 2e-3 after five, of
    this library as of any other. One step from the same particles has no such excuse.
    """
    golden = Golden(path, torch.float64)
    for here, after in pairwise(("z0", "z_1", "z_2", "z_3", "z_4", "z_5")):
        *_, last = golden.flow(here, 1)
        assert_agree(last.particles, golden.free(after), 1e-4)


@named(sorted((HERE / "golden_small").glob("*.npz")))
def test_own_files_to_double_precision(path):
    """Ours were computed in double precision: there, agreement is limited by the weights alone."""
    golden = Golden(path, torch.float64)
    steps = list(golden.flow("z0", 5))
    assert_agree(steps[0].image, golden.free("F_z0"), 1e-9)
    for k in (1, 2, 3, 4, 5):
        assert_agree(steps[k].particles, golden.free(f"z_{k}"), 1e-7)


@named([path for path in FILES if path.parent == OFFICIAL])
def test_the_second_implementation_is_right_too(path):
    """Else our own files, made with it, would prove nothing."""
    weights = torch.load(path.with_suffix(".pth"), weights_only=True)
    at = Golden(path, torch.float32).at
    known = 0 if "fix_mask" not in at else int(at["fix_mask"][0].sum())
    image = reference.operator(weights, at["z0"][0], at["x"][0], known, heads=32)
    assert_agree(image[None], at["F_z0"][:1], 1e-4)
    value = reference.mmd2(at["z0"][0], image)
    assert value.item() == pytest.approx(at["mmd2_z0"][0].item(), rel=1e-4)
