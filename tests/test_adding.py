"""Adding a solver or a kernel is adding one file: what lists them finds it there."""

import sys
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from ddeq.cli import main
from ddeq.run.settings import RunSettings
from ddeq.solve import kernels, solvers
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.registry import Family, Registry, import_all
from ddeq.training.recipes import Solve

SOLVER = '''
"""Half of the way to the image, however long it is."""

from dataclasses import dataclass

from ddeq.settings import setting
from ddeq.solve.registry import Family
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.interface import SOLVERS, Named
from ddeq.solve.solvers.parts import Along
from ddeq.solve.solvers.picard import Image


@SOLVERS.register("halfway", Family("halving", "Going half of what is left."), "Half of the way.")
@dataclass(frozen=True)
class Halfway(Named):
    """Half of the way."""

    portion: float = setting(0.5, 0, 1, "Which part of the way.")

    @property
    def solver(self) -> Along:
        return Along(Image(), rules.Constant(self.portion))
'''

KERNEL = '''
"""The inverse multiquadric kernel."""

from dataclasses import dataclass

from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.kernels.interface import KERNELS, MMD, Radial


@KERNELS.register("multiquadric", MMD, "Felt far away, but ever less.")
@dataclass(frozen=True)
class Multiquadric(Radial):
    """``k = (c^2 + |u - v|^2)^-1/2``."""

    offset: float = setting(1.0, 0.1, 10, "Where it stops to be flat.")

    def value(self, squared_distance: Tensor) -> Tensor:
        return (squared_distance + self.offset**2) ** -0.5

    def slope(self, squared_distance: Tensor) -> Tensor:
        return -((squared_distance + self.offset**2) ** -1.5)
'''

FORM = """
from ddeq.view.forms import settings_form
settings_form({"settings": {"solver": "halfway", "kernel": "multiquadric"}})
"""


@pytest.fixture
def added(tmp_path: Path, monkeypatch):
    """The two files in folders that the packages look into as well, for one test."""
    for package, text in ((solvers, SOLVER), (kernels, KERNEL)):
        folder = tmp_path / package.__name__.rpartition(".")[2]
        folder.mkdir()
        (folder / "added_here.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    registries = (solvers.SOLVERS, kernels.KERNELS)
    before = [(dict(r), dict(r.families), dict(r.hints)) for r in registries]
    for package in (solvers, kernels):
        import_all(package.__name__, package.__path__)
    yield
    for registry, (kinds, families, hints) in zip(registries, before, strict=True):
        parts = (registry, registry.families, registry.hints)
        for part, old in zip(parts, (kinds, families, hints), strict=True):
            part.clear()
            part.update(old)
    for package in (solvers, kernels):
        del sys.modules[f"{package.__name__}.added_here"]


def test_a_file_is_enough(added, capsys):
    # In the registry, under its own heading after the known ones, or with those of its family.
    assert list(solvers.SOLVERS)[-1] == "halfway"
    assert list(kernels.KERNELS)[-2:] == ["gaussian", "multiquadric"]
    # In a link, and in a recipe.
    plain = {"solver": "halfway", "portion": 0.25, "kernel": "multiquadric", "offset": 2.0}
    settings = RunSettings.from_dict(plain)
    assert settings.to_dict().items() >= plain.items()
    solve = Solve.from_dict({"solver": "halfway", "steps": [1, 2], "portion": 0.25})
    assert solve.solver == settings.solver
    # It solves.
    z0 = torch.randn(1, 4, 2, generator=torch.Generator().manual_seed(0))
    how = {"solver": settings.solver, "kernel": settings.kernel, "stop": StopRule(2, 0.0)}
    end = Flow(lambda z: 0 * z, z0, **how).run()
    torch.testing.assert_close(end.particles, 0.75**2 * z0)
    # On the command line.
    with pytest.raises(SystemExit):
        main(["classify", "--help"])
    said = capsys.readouterr().out
    for word in ("halfway", "--portion", "Which part of the way", "multiquadric", "--offset"):
        assert word in said
    # In the form of the app.
    form = AppTest.from_string(FORM).run()
    assert not form.exception
    boxes = {box.label: box for box in form.selectbox}
    assert boxes["Solver"].value == "halfway" and boxes["Kernel"].value == "multiquadric"
    assert {"Portion", "Offset"} <= {field.label for field in form.number_input}
    assert "Half of the way." in [caption.value for caption in form.caption]


def test_a_name_is_taken_once_and_headings_keep_their_order():
    registry, first, last = Registry(), Family("a", "A.", 1), Family("z", "Z.")
    for name, family in (("last", last), ("one", first), ("two", first)):
        registry.register(name, family, "Hint.")(type(name, (), {}))
    assert list(registry) == ["one", "two", "last"]
    with pytest.raises(ValueError, match="'one' is one already"):
        registry.register("one", last, "Hint.")(object)
