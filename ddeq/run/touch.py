"""A solve that is touched: somebody moves particles at a step, and it goes on from there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.classification import ClassifierRun, Frame
from ddeq.run.projection import Projection
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import FlowStep

SHAKE = 0.5  # of the particles' standard deviation at the start
MOST_PARTICLES = 1000
KINDS = {
    "throw": "particle {n} thrown",
    "shake": "all shaken",
    "merge": "particle {n} merged with the nearest",
    "add": "one added",
    "remove": "particle {n} removed",
}
_OF_ONE = ("throw", "merge", "remove")  # kinds that say of which particle


@dataclass(frozen=True)
class Touch:
    """What was done to a run.

    Attributes:
        kind: out of ``KINDS``.
        step: at which step.
        run: which of the runs that were shown.
        particle: to which particle, where it was done to one.
        to: where it was thrown, in the projection that was shown.
    """

    kind: str
    step: int
    run: int = 0
    particle: int = 0
    to: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{KINDS[self.kind].format(n=self.particle + 1)} at step {self.step}"


def touch_of(said: object) -> Touch | None:
    """What a browser says was done; None where that makes no sense, as anybody can say anything."""
    if not isinstance(said, Mapping):
        return None
    try:
        numbers = {name: int(said.get(name, 0)) for name in ("step", "run", "particle")}
        to = tuple(float(x) for x in said.get("to", ()))
        kind = said["kind"]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    sane = str(kind) in KINDS and min(numbers.values()) >= 0 and all(map(math.isfinite, to))
    return Touch(str(kind), **numbers, to=to) if sane else None


def touched(touch: Touch, particles: np.ndarray, projection: Projection) -> np.ndarray | None:
    """The particles ``(N, d)`` as they are after it, ``(N', d)``; None where it cannot be done.

    A throw changes what the projection shows and nothing across it. Who is merged meets half-way.
    """
    count, n = len(particles), touch.particle
    after = particles.copy()
    if touch.kind in _OF_ONE and n >= count:
        return None
    rng = np.random.default_rng([touch.step, count])
    if touch.kind == "throw":
        if len(touch.to) != len(projection.axes):
            return None
        after[n] += (np.asarray(touch.to) - projection(particles[n])) @ projection.axes
    elif touch.kind == "shake":
        after += SHAKE * rng.standard_normal(particles.shape)
    elif touch.kind == "add":
        if count >= MOST_PARTICLES:
            return None
        after = np.concatenate([after, rng.standard_normal((1, particles.shape[1]))])
    elif count < 2:
        return None
    elif touch.kind == "remove":
        after = np.delete(after, n, 0)
    else:
        distances = np.linalg.norm(particles - particles[n], axis=1)
        distances[n] = np.inf
        other = int(distances.argmin())
        after[[n, other]] = particles[[n, other]].mean(0)
    return after.astype(np.float32)


class TouchedRun(ClassifierRun):
    """A classification that goes on from particles somebody has touched.

    Its steps, evaluations and seconds are counted on from the frame that was touched. The solver's
    schedule and what the objective is compared with begin anew.

    Args:
        checkpoint, points, settings, device: as of the run that was touched.
        here: the frame that was touched.
        particles: as they are then, ``(N, d)``.
    """

    def __init__(
        self,
        checkpoint: Checkpoint[Classifier],
        points: np.ndarray,
        settings: RunSettings,
        here: Frame,
        particles: np.ndarray,
        device: torch.device | str = "cpu",
    ) -> None:
        self.here = here
        super().__init__(checkpoint, points, settings, device, particles)

    def _frame(self, step: FlowStep) -> Frame:
        frame = super()._frame(step)
        return replace(
            frame,
            step=self.here.step + frame.step,
            evaluations=self.here.evaluations + frame.evaluations,
            seconds=self.here.seconds + frame.seconds,
        )
