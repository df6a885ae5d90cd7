"""What every run does: a solve of one cloud, frame by frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

import torch

from ddeq.run.budget import Budget, Record, affordable
from ddeq.run.frames import Ending, Recorded
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow, FlowStep
from ddeq.solve.objective import VelocityTerms, velocity_terms
from ddeq.threads import each

F = TypeVar("F", bound=Recorded, covariant=True)


class Run(ABC, Generic[F]):
    """A solve of one cloud, ready to be iterated frame by frame and left at any time.

    Args:
        flow: of a batch of one.
        settings: of the run.
        device: where the flow is.
        name: of the model.

    Attributes:
        record: which steps make frames; all of them without a budget.
    """

    arrays = 5
    """Of every particle's coordinates in a frame."""

    def __init__(
        self, flow: Flow, settings: RunSettings, device: torch.device, name: str = "unnamed"
    ) -> None:
        self.name = name
        self.flow = flow
        self.settings = settings
        self.device = device
        self.record = Record()
        self._last: F | None = None

    def within(self, budget: Budget) -> None:
        """From now on it ends when its time is over, and leaves steps out that memory has no room
        for; the first and the last one always make frames."""
        stop = self.flow.stop
        self.record = affordable(stop.max_steps, self._numbers(), budget)
        self.flow.stop = replace(stop, seconds=budget.seconds)

    def _numbers(self) -> int:
        """Recorded of a step."""
        return self.arrays * self.flow.z0[0].numel()

    def __iter__(self) -> Iterator[F]:
        return each(self._frames(), self.flow.size)

    def _frames(self) -> Iterator[F]:
        for step in self.flow:
            if step.step in self.record or self.flow.ends_at(step):
                self._last = self._frame(step)
                yield self._last

    def finish(self) -> None:
        """Go to the end at the solver's own speed: only the last step makes a frame.

        No gradient is computed that the solver does not need.
        """
        self.flow.velocity = self.settings.solver.needs_velocity
        [last] = deque(self.flow, maxlen=1)
        self._last = self._frame(last)

    @property
    def last(self) -> F:
        """The newest frame.

        Raises:
            RuntimeError: there is none yet.
        """
        if self._last is None:
            raise RuntimeError("The run has not begun: iterate over it first.")
        return self._last

    @abstractmethod
    def _frame(self, step: FlowStep) -> F:
        """What is recorded of a step."""

    @property
    @abstractmethod
    def outcome(self) -> Ending:
        """The result so far; a run that was left early counts as cancelled."""

    def _velocity_terms(self, step: FlowStep) -> VelocityTerms:
        kernel = self.settings.kernel.at(step.step)
        mass = self.flow.objective.mass(step.particles)
        here = step if step.velocity is not None else self.flow.objective(step.particles)
        return velocity_terms(here, kernel, mass)

    def _ending(self) -> dict[str, Any]:
        """What the outcomes of all runs tell."""
        last, solution = self.last, self.flow.solution
        return {
            "steps": int(solution.steps[0]),
            "evaluations": last.evaluations,
            "objective": last.objective,
            "relative_objective": last.relative_objective,
            "spread": last.spread,
            "stopped": solution.stopped[0],
            "seconds": solution.seconds,
            "device": str(self.device),
            "recorded_every": self.record.every if last.step > self.record.whole else None,
        }
