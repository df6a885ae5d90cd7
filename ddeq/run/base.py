"""What every run does: a solve of one cloud, frame by frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch

from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow, FlowStep
from ddeq.solve.objective import VelocityTerms, velocity_terms
from ddeq.threads import each


class Run(ABC):
    """A solve of one cloud, ready to be iterated frame by frame and left at any time.

    Args:
        flow: of a batch of one.
        settings: of the run.
        device: where the flow is.
    """

    def __init__(self, flow: Flow, settings: RunSettings, device: torch.device) -> None:
        self.flow = flow
        self.settings = settings
        self.device = device
        self.last: Any = None

    def __iter__(self) -> Iterator[Any]:
        return each(self._frames(), self.flow.size)

    def _frames(self) -> Iterator[Any]:
        for step in self.flow:
            self.last = self._frame(step)
            yield self.last

    @abstractmethod
    def _frame(self, step: FlowStep) -> Any:
        """What is recorded of a step."""

    def _velocity_terms(self, step: FlowStep) -> VelocityTerms:
        kernel = self.settings.kernel.at(step.step)
        mass = self.flow.objective.mass(step.particles)
        return velocity_terms(step, kernel, mass)

    def _ending(self) -> dict[str, Any]:
        """What the outcomes of all runs tell; a run that was left early counts as cancelled."""
        if self.last is None:
            raise RuntimeError("The run has not begun: iterate over it first.")
        solution = self.flow.solution
        return {
            "steps": int(solution.steps[0]),
            "evaluations": self.last.evaluations,
            "objective": self.last.objective,
            "relative_objective": self.last.relative_objective,
            "spread": self.last.spread,
            "stopped": solution.stopped[0],
            "seconds": solution.seconds,
            "device": str(self.device),
        }
