"""Python that reproduces what the lab shows, to be run where ``ddeq`` is installed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pprint import pformat

import numpy as np

from ddeq.input.clouds import PointCloud
from ddeq.input.families import Family
from ddeq.input.hollow import Hollow
from ddeq.lab.phase import Axis
from ddeq.lab.samples import samples
from ddeq.run.settings import RunSettings
from ddeq.solve.kernels import Kernel

INPUT_FILE = "ddeq-input.npz"
"""Where the snippet finds an input that is not in the gallery: see :func:`ddeq.lab.race.lanes_npz`
or any other file whose ``input`` is the model's."""

PARTIAL_FILE = "ddeq-partial.npz"
"""Where what is to be completed is: see :func:`partial_npz`."""


def classification(family: Family, cloud: PointCloud, settings: RunSettings) -> str:
    """A run of a classifier."""
    return _script(
        family,
        cloud,
        ["from ddeq.run.classification import ClassifierRun"],
        f"settings = RunSettings.from_dict({_literal(settings.to_dict())})",
        "run = ClassifierRun(checkpoint, points, settings)",
        "for frame in run:",
        "    print(frame.step, frame.relative_objective, run.labels[frame.probabilities.argmax()])",
        "print(run.outcome.label, run.outcome.stopped)",
    )


def input_npz(cloud: PointCloud, points: np.ndarray) -> bytes:
    """What :func:`classification` and the command line read.

    Args:
        cloud: of the file, ``points`` there.
        points: of it, as the model takes them, ``input`` there.
    """
    return _npz(points=cloud.points, input=points)


def completion(family: Family, hollow: Hollow, settings: RunSettings, free: int) -> str:
    """A run of a completer with so many free particles."""
    known = hollow.truth is not None
    truth = 'np.concatenate([known, file["removed"]])' if known else "None"
    return _joined(
        [
            "import numpy as np",
            "",
            "from ddeq.input.hollow import Hollow",
            "from ddeq.model.checkpoints import load",
            "from ddeq.run.completion import CompleterRun",
            "from ddeq.run.settings import RunSettings",
            "",
            f'checkpoint = load("{family.completer}")',
            f'file = np.load("{PARTIAL_FILE}")',
            f'known = file["points"]  # (K, {hollow.known.shape[1]})',
            f"hollow = Hollow(known, {truth}, {hollow.name!r})",
            f"settings = RunSettings.from_dict({_literal(settings.to_dict())})",
            f"run = CompleterRun(checkpoint, hollow, settings, free={free})",
            "for frame in run:",
            "    print(frame.step, frame.relative_objective)",
            "print(run.completed.shape, run.outcome.stopped)",
        ]
    )


def partial_npz(hollow: Hollow) -> bytes:
    """What :func:`completion` and the command line read: the known ``points``, and what was
    ``removed`` where that is known."""
    more = {} if hollow.removed is None else {"removed": hollow.removed}
    return _npz(points=hollow.known, **more)


def race(family: Family, cloud: PointCloud, lanes: Mapping[str, RunSettings], target: float) -> str:
    """Every lane of a race, and its standings."""
    plain = {name: settings.to_dict() for name, settings in lanes.items()}
    return _script(
        family,
        cloud,
        ["from ddeq.lab.race import Lane, judge", "from ddeq.lab.runs import LabRun"],
        f"settings = {_literal(plain)}",
        "lanes = []",
        "for name, plain in settings.items():",
        "    run = LabRun(checkpoint, points, RunSettings.from_dict(plain))",
        "    lanes.append(Lane(name, run.labels, list(run)))",
        f"for lane in judge(lanes, target={target!r}).standings:",
        "    print(lane.name, lane.evaluations, lane.common, lane.spread, lane.label)",
    )


def fork(
    family: Family, cloud: PointCloud, trunk: RunSettings, branch: RunSettings, at: int
) -> str:
    """A run, and another that leaves it at step ``at``."""
    return _script(
        family,
        cloud,
        ["from ddeq.lab.fork import Fork", "from ddeq.lab.runs import LabRun"],
        f"trunk = LabRun(checkpoint, points, RunSettings.from_dict({_literal(trunk.to_dict())}))",
        "frames = list(trunk)",
        f"settings = RunSettings.from_dict({_literal(branch.to_dict())})",
        f"branch = Fork(checkpoint, points, trunk, frames, {at}, settings)",
        "for frame in branch:",
        "    print(frame.step, frame.common, frame.spread)",
        "print(trunk.outcome.label, branch.outcome.label)",
    )


def search(
    family: Family,
    cloud: PointCloud,
    settings: RunSettings,
    seeds: int,
    counts: Sequence[int],
    same: float,
) -> str:
    """Many starts, and the equilibria they find."""
    return _script(
        family,
        cloud,
        ["from ddeq.lab.equilibria import Search"],
        f"settings = RunSettings.from_dict({_literal(settings.to_dict())})",
        f"*_, found = Search(checkpoint, points, settings, {seeds}, {list(counts)})",
        f"for end, group in zip(found.ends, found.groups({same!r}).labels):",
        "    print(end.name, end.label, end.spread, group)",
        "print(found.distances)",
    )


def sweep(family: Family, cloud: PointCloud, base: RunSettings, x: Axis, y: Axis) -> str:
    """A phase diagram."""
    return _script(
        family,
        cloud,
        ["from ddeq.lab.phase import Axis, Grid, Sweep"],
        f"base = RunSettings.from_dict({_literal(base.to_dict())})",
        f"grid = Grid(base, {x!r}, {y!r})",
        "*_, found = Sweep(checkpoint, points, grid)",
        "print(found.common)",
    )


def witness(family: Family, cloud: PointCloud, settings: RunSettings, kernel: Kernel) -> str:
    """A run, and the witness function at its particles in every step."""
    return _script(
        family,
        cloud,
        [
            "import torch",
            f"from ddeq.solve.kernels import {type(kernel).__name__}",
            "from ddeq.lab.runs import LabRun",
            "from ddeq.lab.witness import witness",
        ],
        f"run = LabRun(checkpoint, points, RunSettings.from_dict({_literal(settings.to_dict())}))",
        "for frame in run:",
        "    z, image = torch.from_numpy(frame.particles), torch.from_numpy(frame.image)",
        f"    print(frame.step, float(witness(z, z, image, {kernel!r}).mean()))",
    )


def anytime(family: Family, settings: RunSettings) -> str:
    """Accuracy against the number of steps."""
    name = "DIGITS" if family.flat else "OBJECTS"
    control = f'load("{family.control}")' if family.control else "None"  # where none ships
    lines = ['print("control", found.control.accuracy, *found.control.interval)']
    return _joined(
        [
            f"from ddeq.input.families import {name}",
            "from ddeq.lab.early_exit import Measurement, shipped",
            "from ddeq.model.checkpoints import load",
            "from ddeq.run.settings import RunSettings",
            "",
            f'checkpoint = load("{family.classifier}")',
            f"control = {control}",
            f"settings = RunSettings.from_dict({_literal(settings.to_dict())})",
            f"data = shipped({name}, checkpoint.card)",
            "*_, found = Measurement(checkpoint, control, data, settings)",
            "for steps, score in enumerate(found.scores):",
            "    print(steps, score.accuracy, *score.interval)",
            *(lines if family.control else []),
        ]
    )


def _npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def _script(family: Family, cloud: PointCloud, imports: list[str], *body: str) -> str:
    known = samples(family)
    index = known.index(cloud)
    if index is None:
        source = f'np.load("{INPUT_FILE}")["input"]'
        imports = [*imports, "from ddeq.run.settings import RunSettings"]
        first = ["import numpy as np", ""]
    else:
        source = f"prepare({known.expression(index)}, checkpoint.card)"
        imports = [
            f"from ddeq.input.gallery import {known.loader}",
            *imports,
            "from ddeq.input.prepare import prepare",
            "from ddeq.run.settings import RunSettings",
        ]
        first = []
    lines = [
        *first,
        *_sorted([*imports, "from ddeq.model.checkpoints import load"]),
        "",
        f'checkpoint = load("{family.classifier}")',
        f"points = {source}  # (M, {2 if family.flat else 3})",
        *body,
    ]
    return _joined(lines)


def _sorted(imports: list[str]) -> list[str]:
    """Those of the package last, as a formatter would have them."""
    return sorted(imports, key=lambda line: (line.startswith("from ddeq"), line))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    return pformat(value, sort_dicts=False, width=96)
