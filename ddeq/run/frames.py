"""What every run records: frames, one a step, and an outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from torch import Tensor

from ddeq.metrics.particles import spread
from ddeq.solve.flow import FlowStep, Stopped


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of one recorded step of one cloud.

    Attributes:
        step: steps taken so far.
        objective, relative_objective, gradient_norm, step_size: see
            :class:`ddeq.solve.flow.FlowStep`.
        spread: of the particles in latent space, see :func:`ddeq.metrics.particles.spread`.
        evaluations: network evaluations so far.
        seconds: since the solve began.
    """

    step: int
    objective: float
    relative_objective: float
    gradient_norm: float
    spread: float
    step_size: float
    evaluations: int
    seconds: float


CSV_COLUMNS = tuple(field.name for field in fields(Numbers))


@dataclass(frozen=True, kw_only=True)
class Recorded(Numbers):
    """One recorded step of one cloud of ``N`` particles, as plain arrays.

    Attributes:
        image: of ``F(z)``, ``(N, d)`` float32.
        attraction, repulsion, through_operator: the velocity's exact parts ``(N, d)``; with noise,
            the last one also holds what the shaking changed.
    """

    image: np.ndarray
    attraction: np.ndarray
    repulsion: np.ndarray
    through_operator: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a run came to, whatever its kind.

    Attributes:
        steps, evaluations: solver steps and network evaluations used.
        objective, relative_objective, spread: at the end.
        stopped: why it ended, with advice.
        seconds: of the solve alone.
        device: where it ran.
        recorded_every: one in so many of its later steps made a frame; None where all did.
    """

    steps: int
    evaluations: int
    objective: float
    relative_objective: float
    spread: float
    stopped: Stopped
    seconds: float
    device: str
    recorded_every: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON, without those that nobody knows; the kind's own come first."""
        plain = {**asdict(self), "stopped": self.stopped.value}
        own = type(self).__annotations__
        order = sorted(plain, key=lambda name: name not in own)
        return {name: plain[name] for name in order if plain[name] is not None}


def numbers_of(step: FlowStep) -> dict[str, Any]:
    """The :class:`Numbers` of a step of one cloud, by name."""
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
