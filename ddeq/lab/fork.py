"""A run that leaves another at one of its steps, with other settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddeq.lab.runs import COMMON, LabFrame, LabRun, objective
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import StopRule
from ddeq.solve.kernels import Kernel
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import Problem, Solver


@dataclass(frozen=True)
class Resumed:
    """A solver that goes on at step ``at`` of its schedule, with the memory it had there."""

    solver: Solver
    at: int
    memory: Any

    @property
    def needs_velocity(self) -> bool:
        return self.solver.needs_velocity

    def start(self, z0: Tensor) -> Any:
        return self.memory

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, float | Tensor, Any]:
        return self.solver.step(here, self.at + k, state, problem)


class Fork(LabRun):
    """The steps of a run up to one of them, and from there on other settings.

    Its frames are numbered and counted on from the trunk's, and its objectives are relative to
    where the trunk began. A solver or a kernel of the trunk's kind goes on where that one is in
    its schedule, with its memory, so that equal settings are the same run; another kind begins its
    own. The step limit counts from the fork.

    Args:
        checkpoint, points, device: as of the trunk.
        trunk: the run that is left.
        frames: of the trunk, from step 0.
        at: the step at which it is left, one of those that made frames.
        settings: from there on; the number of particles and the seed are the trunk's.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        trunk: LabRun,
        frames: Sequence[LabFrame],
        at: int,
        settings: RunSettings,
        device: torch.device | str = "cpu",
    ) -> None:
        before, limits = trunk.settings, trunk.settings.limits
        kernel = settings.kernel
        settings = replace(
            settings,
            kernel=kernel.after(at) if type(kernel) is type(before.kernel) else kernel,
            limits=replace(settings.limits, particles=limits.particles, seed=limits.seed),
        )
        place = [frame.step for frame in frames].index(at)
        super().__init__(checkpoint, points, settings, device, frames[place].particles)
        # The state before a step exists if that step was taken.
        if type(settings.solver) is type(before.solver) and at in trunk.memory.states:
            self.flow.solver = Resumed(settings.solver, at, trunk.memory.states[at])
        if limits.noise:
            for _ in range(at):  # what the trunk has drawn
                for generator in self.flow.generators:
                    torch.randn(self.flow.z0.shape[1:], generator=generator)
        self.before, self.at = frames[:place], at
        first, here = frames[0], frames[place]
        self._initial = _objective_at(first, COMMON).to(self.device)
        self._whole = float(_objective_at(first, settings.kernel))
        remaining = float(_objective_at(here, settings.kernel))
        tolerance = settings.limits.tolerance
        if remaining > 0:  # the flow compares with where it begins itself
            tolerance *= self._whole / remaining
        self.flow.stop = StopRule(settings.limits.steps, tolerance)
        self._paid = here

    def __iter__(self) -> Iterator[LabFrame]:
        branch = super().__iter__()
        first = next(branch)
        offset = self._paid.evaluations - first.evaluations
        for frame in self.before:
            self._last = frame
            yield frame
        for frame in chain([first], branch):
            self._last = self._counted_on(frame, offset)
            yield self._last

    def _counted_on(self, frame: LabFrame, offset: int) -> LabFrame:
        return replace(
            frame,
            step=self.at + frame.step,
            relative_objective=frame.objective / self._whole if self._whole > 0 else 0.0,
            evaluations=frame.evaluations + offset,
            seconds=frame.seconds + self._paid.seconds,
        )

    def _ending(self) -> dict[str, Any]:
        own = super()._ending()
        seconds = own["seconds"] + self._paid.seconds
        return {**own, "steps": self.last.step, "seconds": seconds}


def _objective_at(frame: LabFrame, kernel: Kernel) -> Tensor:
    particles, image = (torch.from_numpy(a)[None] for a in (frame.particles, frame.image))
    return objective(particles, image, kernel)  # (1,)
