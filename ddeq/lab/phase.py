"""Where a solver arrives over a grid of two of its settings, solved in batches."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ddeq.errors import UserError
from ddeq.lab.measures import COLLAPSED
from ddeq.lab.rows import RowKernel, RowSolver, operator_of
from ddeq.lab.runs import COMMON, objective
from ddeq.metrics.particles import spread
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.encoded import Encoded
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings
from ddeq.settings import Setting, settings_of
from ddeq.solve.flow import Flow, FlowStep, relative_to

BATCH = 64
MOST_CELLS = 16  # along an axis


@dataclass(frozen=True)
class Axis:
    """One setting and its values, in order."""

    name: str
    values: tuple[float, ...]


def axis(field: Setting, low: float, high: float, count: int) -> Axis:
    """``count`` values from ``low`` to ``high``: by equal factors where they span a factor of 5.

    Raises:
        UserError: the range is empty or leaves what the setting allows, or a bad count.
    """
    low, high = field.parse(low), field.parse(high)
    if low >= high:
        raise UserError(f"The range of {field.name} is empty: choose an upper end above {low:g}.")
    if not 2 <= count <= MOST_CELLS:
        raise UserError(f"An axis has 2 to {MOST_CELLS} values: choose a number of them.")
    space = np.geomspace if low > 0 and high >= 5 * low else np.linspace
    values = [
        field.parse(float(f"{value:.4g}")) for value in _whole(field, space(low, high, count))
    ]
    return Axis(field.name, tuple(dict.fromkeys(values)))  # whole numbers may repeat


def _whole(field: Setting, values: np.ndarray) -> np.ndarray:
    return np.rint(values) if isinstance(field.default, int) else values


def fields(settings: RunSettings) -> dict[str, Setting]:
    """The settings that can be an axis: the solver's numbers and the kernel's, by name."""
    kinds = (type(settings.solver), type(settings.kernel))
    return {field.name: field for kind in kinds for field in settings_of(kind)}


@dataclass(frozen=True)
class Grid:
    """Settings in two directions from a base: cell ``(row, column)`` has ``y[row], x[column]``."""

    base: RunSettings
    x: Axis
    y: Axis

    def __post_init__(self) -> None:
        if self.x.name == self.y.name:
            raise UserError(f"Both axes are {self.x.name}: choose two different settings.")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y.values), len(self.x.values)

    def settings(self, row: int, column: int) -> RunSettings:
        """Of the run of one cell."""
        changed = {self.x.name: self.x.values[column], self.y.name: self.y.values[row]}
        return RunSettings.from_dict({**self.base.to_dict(), **changed})


@dataclass(frozen=True)
class Map:
    """What is known of a grid so far; nan and -1 where nothing is. All ``(rows, columns)``.

    Attributes:
        progress: 0 to 1.
        common: the objective with the paper's kernel, over that of the start.
        spread_kept: the particles' spread, over that of the start.
        predicted: class index.
        steps, evaluations: used.
    """

    progress: float
    common: np.ndarray
    spread_kept: np.ndarray
    predicted: np.ndarray
    steps: np.ndarray
    evaluations: np.ndarray

    @property
    def collapsed(self) -> np.ndarray:
        return self.spread_kept <= COLLAPSED


class Sweep:
    """Solves every cell of a grid for one input; an iterator of :class:`Map`, one a step.

    Args:
        checkpoint, points, device: as for :class:`ddeq.run.classification.ClassifierRun`.
        grid: what to solve with.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        grid: Grid,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model, self.grid, self.device = checkpoint.model, grid, torch.device(device)
        x = torch.from_numpy(points)[None].to(self.device)  # (1, M, d_x)
        with torch.no_grad():
            self.operator = operator_of(self.model, x)

    def __iter__(self) -> Iterator[Map]:
        rows, columns = self.grid.shape
        cells = [(row, column) for row in range(rows) for column in range(columns)]
        known = Map(0.0, *(np.full((rows, columns), fill) for fill in (*[np.nan] * 2, *[-1] * 3)))
        for begin in range(0, len(cells), BATCH):
            batch = cells[begin : begin + BATCH]
            flow = self._flow([self.grid.settings(*cell) for cell in batch])
            start: FlowStep | None = None
            for step in flow:
                start = start or step
                part = step.step / max(1, flow.stop.max_steps) if step.running.any() else 1.0
                progress = (begin + part * len(batch)) / len(cells)
                known = self._updated(known, batch, flow, start, step, progress)
                yield known

    def _flow(self, settings: list[RunSettings]) -> Flow:
        limits = self.grid.base.limits
        z0 = self.model.start([limits.seed], limits.particles)
        kernels = tuple(each.kernel for each in settings)
        solver = RowSolver(tuple(each.solver for each in settings), kernels, self.operator)
        kernel = kernels[0] if len(set(kernels)) == 1 else RowKernel(kernels)
        return flow_of(
            Encoded(self.operator),
            z0.expand(len(settings), -1, -1),
            RunSettings(solver, kernel, limits),
            [limits.seed] * len(settings),  # as of a single run
            velocity=False,
        )

    @torch.no_grad()
    def _updated(
        self,
        known: Map,
        batch: list[tuple[int, int]],
        flow: Flow,
        start: FlowStep,
        step: FlowStep,
        progress: float,
    ) -> Map:
        initial = objective(start.particles, start.image, COMMON)
        common = relative_to(objective(step.particles, step.image, COMMON), initial)
        at = tuple(np.array(batch).T)
        new = {
            "common": common,
            "spread_kept": spread(step.particles) / spread(start.particles),
            "predicted": self.model.logits(step.particles).argmax(1),
            "steps": flow.solution.steps,
            "evaluations": step.evaluations,
        }
        arrays = {}
        for name, values in new.items():
            arrays[name] = getattr(known, name).copy()
            arrays[name][at] = values.cpu()
        return Map(progress, **arrays)


def map_csv(grid: Grid, found: Map, labels: tuple[str, ...]) -> str:
    """One line a cell: its two settings and what was reached."""
    names = ("common", "spread_kept", "predicted", "steps", "evaluations")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([grid.y.name, grid.x.name, *names])
    for row, y in enumerate(grid.y.values):
        for column, x in enumerate(grid.x.values):
            cell = {name: getattr(found, name)[row, column] for name in names}
            predicted = int(cell["predicted"])
            cell["predicted"] = labels[predicted] if predicted >= 0 else ""
            writer.writerow([y, x, *cell.values()])
    return out.getvalue()
