"""What every run does: a solve of one cloud, frame by frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddeq.metrics.particles import spread
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow, FlowStep
from ddeq.solve.kernels import kernel_at
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
        kernel = kernel_at(self.settings.kernel, step.step)
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


def step_numbers(step: FlowStep) -> dict[str, Any]:
    """The numbers of :data:`CSV_COLUMNS` of a step of one cloud."""
    return {
        "step": step.step,
        "objective": float(step.objective),
        "relative_objective": float(step.relative_objective),
        "gradient_norm": float(step.gradient_norm),
        "spread": float(spread(step.particles)),
        "step_size": float(step.step_size),
        "evaluations": int(step.evaluations),
        "seconds": step.seconds,
    }


def as_array(t: Tensor) -> np.ndarray:
    """The only cloud of a batch ``(1, ...)``, as an array ``(...)``."""
    return t[0].detach().float().cpu().numpy()


CSV_COLUMNS = (
    "step",
    "objective",
    "relative_objective",
    "gradient_norm",
    "spread",
    "step_size",
    "evaluations",
    "seconds",
)
