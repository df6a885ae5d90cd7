"""How good completions of digits are, beside those of other methods, and whether the flow helps.

Every method sees the same holes, by the paper's rule, and adds the same number of points. All
lengths are in units of the standardised whole digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ddeq.baselines import PCN
from ddeq.checkpoints import Checkpoint
from ddeq.datasets.mnist import pixel_cloud
from ddeq.errors import UserError
from ddeq.evaluation.neighbours import Neighbours
from ddeq.flow import StopRule, seeded
from ddeq.metrics import chamfer, emd, energy_distance, mean_interval, spread
from ddeq.model import free_count, parameter_count, scatter
from ddeq.partial import DIGIT_HOLE_RADIUS, DIGIT_HOLES, random_holes
from ddeq.preprocess import Standardised, collate, standardise
from ddeq.run import RunSettings, with_defaults

LEAST_KNOWN = 3
METRICS = {"mmd2": energy_distance, "chamfer": chamfer, "emd": emd}

Scores = dict[str, dict[str, np.ndarray]]
"""Region (whole, missing) to metric to one number a digit."""


@dataclass(frozen=True, eq=False)
class Case:
    """A digit with a part missing.

    Attributes:
        number: of the digit in its split, seeds what is random about it.
        ink: known pixels of its image, bool ``(28, 28)``.
        pixels: how pixel coordinates become units of the standardised whole digit.
        known, removed: ``(K, 2)`` and ``(R, 2)``, in those units.
        standard: the known points as the models take them; undone, they are in those units.
    """

    number: int
    ink: np.ndarray
    pixels: Standardised
    known: np.ndarray
    removed: np.ndarray
    standard: Standardised

    @property
    def whole(self) -> np.ndarray:
        """The digit before the cut."""
        return np.concatenate([self.known, self.removed])


def cut_digits(images: np.ndarray) -> tuple[list[Case], int]:
    """Cut two holes of radius 0.6 into each digit; also how many could not be used.

    Those keep fewer than 3 points, or all of them.

    Args:
        images: ``(K, 28, 28)``, ink is non-zero.
    """
    cases = []
    for number, image in enumerate(images):
        points = pixel_cloud(image).astype(np.float64)
        if len(points) <= LEAST_KNOWN:
            continue
        pixels = standardise(points)
        points = pixels.apply(points)
        rng = np.random.default_rng(number)
        keep = random_holes(points, DIGIT_HOLES, DIGIT_HOLE_RADIUS, rng)
        if keep.all() or keep.sum() < LEAST_KNOWN:
            continue
        ink = image > 0
        ink[ink] = keep  # pixels of an image and points of its cloud are in the same order
        known = points[keep]
        cases.append(Case(number, ink, pixels, known, points[~keep], standardise(known)))
    return cases, len(images) - len(cases)


@dataclass(frozen=True, eq=False)
class Solved:
    """A DDEQ's completions of ``K`` cases.

    Attributes:
        free: ``K`` arrays of free points ``(N_k, 2)``.
        steps: solver steps used, ``(K,)``.
        relative_objective, spread: where the solves ended, ``(K,)``.
    """

    free: list[np.ndarray]
    steps: np.ndarray
    relative_objective: np.ndarray
    spread: np.ndarray


def _batches(cases: Sequence[Case], size: int) -> list[np.ndarray]:
    """Indices of cases, those of one size together: less padding to compute."""
    order = np.argsort([len(case.known) for case in cases], kind="stable")
    return np.array_split(order, -(-len(order) // size))


def _given(cases: Sequence[Case], total: float) -> tuple[Tensor, Tensor, list[int]]:
    """Known points ``(B, K, 2)``, their mask, and how many points each case is to get."""
    known, mask = collate([case.standard.points for case in cases])
    return known, mask, [free_count(len(case.known), total) for case in cases]


def _undone(cases: Sequence[Case], points: Tensor, counts: Sequence[int]) -> list[np.ndarray]:
    """The first points of each row of ``(B, N, 2)``, in units of the whole digits."""
    arrays = points.detach().cpu().double().numpy()
    return [case.standard.undo(p[:n]) for case, p, n in zip(cases, arrays, counts, strict=True)]


@torch.no_grad()
def solve(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Solved:
    """Complete every case by a DDEQ.

    Digit ``k`` starts from seed ``seed * 1,000,003 + k``, so that a result does not depend on the
    batch, and two seeds share no start.
    """
    model, limits = checkpoint.model, settings.limits
    free: list[np.ndarray] = [np.empty(0)] * len(cases)
    numbers = np.empty((3, len(cases)))
    for index in tqdm(_batches(cases, batch_size), unit="batch", desc=f"{limits.steps} steps"):
        batch = [cases[k] for k in index]
        known, known_mask, counts = _given(batch, model.config.total)
        seeds = [limits.seed * 1_000_003 + case.number for case in batch]
        start, mask = scatter(seeds, counts, known.shape[-1])
        mask = mask.to(device)
        flow = model.flow(
            known.to(device),
            known_mask.to(device),
            start.to(device),
            mask,
            solver=settings.solver,
            kernel=settings.kernel,
            stop=StopRule(limits.steps, limits.tolerance),
            noise=limits.noise,
            generators=seeded([seed + 2**31 for seed in seeds]),
            velocity=False,
        )
        end = flow.run()
        spreads = spread(end.particles, mask)
        for row, values in zip(numbers, (end.steps, end.relative_objective, spreads), strict=True):
            row[index] = values.cpu()
        for k, points in zip(
            index, _undone(batch, model.points(end.particles), counts), strict=True
        ):
            free[k] = points
    return Solved(free, *numbers)


@torch.no_grad()
def decode(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> list[np.ndarray]:
    """Complete every case by a network that predicts missing points at once."""
    model = checkpoint.model
    free: list[np.ndarray] = [np.empty(0)] * len(cases)
    for index in _batches(cases, batch_size):
        batch = [cases[k] for k in index]
        known, mask, counts = _given(batch, model.config.total)
        points = model.complete(known.to(device), mask.to(device), max(counts))
        for k, found in zip(index, _undone(batch, points, counts), strict=True):
            free[k] = found
    return free


def copy_neighbours(
    cases: Sequence[Case], neighbours: Neighbours, total: float
) -> list[np.ndarray]:
    """Complete every case by what its nearest neighbour has and it has not."""
    return [
        case.pixels.apply(
            neighbours.missing(
                case.ink, free_count(len(case.known), total), np.random.default_rng(case.number)
            )
        )
        for case in tqdm(cases, unit="digit", desc="neighbours")
    ]


def score(cases: Sequence[Case], free: Sequence[np.ndarray] | None) -> Scores:
    """Every metric of every case.

    ``whole`` compares the known and free points to the digit, ``missing`` the free points to what
    was removed. Without free points, None, the known points are compared to the digit.
    """
    if free is None:
        return {"whole": _distances([c.known for c in cases], [c.whole for c in cases])}
    completed = [np.concatenate([c.known, f]) for c, f in zip(cases, free, strict=True)]
    return {
        "whole": _distances(completed, [c.whole for c in cases]),
        "missing": _distances(free, [c.removed for c in cases]),
    }


def _distances(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Each metric between clouds, ``(K,)``."""
    return {name: np.array(list(map(metric, a, b))) for name, metric in METRICS.items()}


def summary(values: np.ndarray) -> dict:
    """Mean of ``(K,)`` values with its 95 % interval."""
    return {"mean": float(values.mean()), "interval": list(mean_interval(values))}


def _table(scores: Scores) -> dict:
    return {
        region: {name: summary(values) for name, values in metrics.items()}
        for region, metrics in scores.items()
    }


def difference(a: Scores, b: Scores) -> dict:
    """Of two methods, digit by digit: mean of ``a - b`` with its interval; below 0, ``a`` wins."""
    return {
        region: {name: summary(a[region][name] - b[region][name]) for name in ("mmd2", "emd")}
        for region in ("whole", "missing")
        if region in a and region in b
    }


def compare(
    images: np.ndarray,
    models: dict[str, Checkpoint],
    neighbours: np.ndarray,
    said: dict[str, object] | None = None,
    device: torch.device | str = "cpu",
    steps_table: bool = False,
) -> dict:
    """The table of all methods.

    Args:
        images: digits to complete, ``(K, 28, 28)``.
        models: by name; ``ddeq`` is the one that is compared to all others. Those that are missing
            are left out.
        neighbours: training digits to copy from, ``(T, 28, 28)``; none leaves that method out.
        said: settings of the DDEQ's solver instead of its card's.
        device: where to solve.
        steps_table: also solve by the DDEQ with fewer steps.

    Returns:
        Plain values, for JSON.

    Raises:
        UserError: no digit can be used.
    """
    cases, skipped = cut_digits(images)
    if not cases:
        raise UserError("None of the digits can be cut, so take more of them.")
    ddeq = models.get("ddeq")
    total = 1.275 if ddeq is None else ddeq.model.config.total
    scores: dict[str, Scores] = {}
    rows: dict[str, dict] = {}

    def add(name: str, parameters: int, free: Sequence[np.ndarray] | None, **more: object) -> None:
        scores[name] = score(cases, free)
        rows[name] = {"parameters": parameters, **_table(scores[name]), **more}

    report: dict = {}
    for name, checkpoint in models.items():
        parameters = parameter_count(checkpoint.model.requires_grad_(True))
        checkpoint.model.requires_grad_(False)
        if isinstance(checkpoint.model, PCN):
            add(name, parameters, decode(checkpoint, cases, device))
            continue
        settings = with_defaults(checkpoint.card, (said or {}) if name == "ddeq" else {})
        solved = solve(checkpoint, cases, settings, device)
        add(name, parameters, solved.free, **_equilibrium(solved))
        if name == "ddeq":
            report["settings"] = settings.to_dict()
            report["other_seed"] = _other_seed(checkpoint, cases, settings, solved, device)
            if steps_table:
                report["steps_table"] = _steps_table(checkpoint, cases, settings, device)
    add("copy", 0, None)
    if len(neighbours):
        free = copy_neighbours(cases, Neighbours(neighbours), total)
        add("neighbour", 0, free, neighbours=len(neighbours))
    others = [name for name in scores if name != "ddeq"] if ddeq else []
    return {
        "digits": len(cases),
        "skipped": skipped,
        "holes": DIGIT_HOLES,
        "radius": DIGIT_HOLE_RADIUS,
        "methods": rows,
        "ddeq_minus": {name: difference(scores["ddeq"], scores[name]) for name in others},
        **report,
    }


def _equilibrium(solved: Solved) -> dict:
    return {
        "mean_steps": float(solved.steps.mean()),
        "median_relative_objective": float(np.median(solved.relative_objective)),
        "median_spread": float(np.median(solved.spread)),
        "smallest_spread": float(solved.spread.min()),
    }


def _other_seed(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    solved: Solved,
    device: torch.device | str,
) -> dict:
    """Is there one completion or several? EMD between those from two seeds, free points alone."""
    limits = replace(settings.limits, seed=settings.limits.seed + 1)
    again = solve(checkpoint, cases, replace(settings, limits=limits), device)
    return {"emd": summary(np.array(list(map(emd, solved.free, again.free))))}


def _steps_table(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    device: torch.device | str,
) -> dict:
    """Does the flow help? The same weights with 0, 1, 2, 4, ... steps, up to the settings' own."""
    most = settings.limits.steps
    table = {}
    for steps in sorted({0, *(2**k for k in range(most.bit_length())), most}):
        limits = replace(settings.limits, steps=steps, tolerance=0.0)
        solved = solve(checkpoint, cases, replace(settings, limits=limits), device)
        table[str(steps)] = {**_table(score(cases, solved.free)), **_equilibrium(solved)}
    return table
