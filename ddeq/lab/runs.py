"""Runs that can be compared with one another and gone on from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ddeq.model.checkpoints import Checkpoint
from ddeq.run.budget import Budget, Record
from ddeq.run.classification import ClassifierRun, Frame
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import FlowStep, relative_to
from ddeq.solve.kernels import Kernel, Riesz, discrepancy, uniform_mass
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import Problem, Solver

COMMON = Riesz()
"""The paper's kernel. Objectives of different kernels are different functions; this one is common
to all runs that are compared."""


@dataclass(frozen=True, kw_only=True)
class LabFrame(Frame):
    """A frame with what makes runs of different kernels comparable.

    Attributes:
        common: the objective with the kernel :data:`COMMON`, over that of step 0.
    """

    common: float


@dataclass
class Remembering:
    """A solver that keeps its states, so that the run can be gone on with from any step.

    Attributes:
        record: of the run; other steps' states are not kept.
        states: by the number of the step that they are before.
    """

    solver: Solver
    record: Record = field(default_factory=Record)
    states: dict[int, Any] = field(default_factory=dict)

    @property
    def needs_velocity(self) -> bool:
        return self.solver.needs_velocity

    def start(self, z0: Tensor) -> Any:
        self.states = {0: self.solver.start(z0)}
        return self.states[0]

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, float | Tensor, Any]:
        to, gamma, state = self.solver.step(here, k, state, problem)
        if k + 1 in self.record:
            self.states[k + 1] = state
        return to, gamma, state


class LabRun(ClassifierRun):
    """One classification as the lab records it, see :class:`LabFrame`.

    A solver that needs no velocity is not charged for one: what is recorded of it is computed
    between its steps, outside its time and its evaluations.

    Args:
        checkpoint, points, settings, device: as for :class:`ddeq.run.classification.ClassifierRun`.
        start: particles ``(N, d)`` to begin with, those of the settings' seed if None.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        settings: RunSettings,
        device: torch.device | str = "cpu",
        start: np.ndarray | None = None,
    ) -> None:
        super().__init__(checkpoint, points, settings, device)
        if start is not None:
            self.flow.z0 = torch.from_numpy(start)[None].to(self.device)
        self.flow.velocity = settings.solver.needs_velocity
        self.memory = self.flow.solver = Remembering(settings.solver)
        self.arrays += 2 * int(getattr(settings.solver, "window", 1))  # what its states may hold
        self._initial: Tensor | None = None

    def within(self, budget: Budget) -> None:
        super().within(budget)
        self.memory.record = self.record

    def _frame(self, step: FlowStep) -> LabFrame:
        if step.velocity is None:
            step = replace(step, velocity=self.flow.objective(step.particles).velocity)
        common = objective(step.particles, step.image, COMMON)
        self._initial = common if self._initial is None else self._initial
        relative = float(relative_to(common, self._initial))
        return LabFrame(**vars(super()._frame(step)), common=relative)

    def __iter__(self) -> Iterator[LabFrame]:
        return cast(Iterator[LabFrame], super().__iter__())


def objective(particles: Tensor, image: Tensor, kernel: Kernel) -> Tensor:
    """``G = 1/2 MMD^2`` of particles and images ``(B, N, d)`` by any kernel: ``(B,)``."""
    mass = uniform_mass(particles)
    return discrepancy(particles, image, mass, mass, kernel).mmd2 / 2
