"""One classification: what the command line, the app and the tests all do.

prepare(cloud) -> ClassifierRun(checkpoint, points, settings) -> iterate -> Outcome
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch

from ddeq.model.checkpoints import Checkpoint
from ddeq.run.base import Run, as_array, step_numbers
from ddeq.run.flows import flow_of
from ddeq.run.projection import Projection, principal_axes
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import FlowStep, Stopped

LOOK_AHEAD = 8


@dataclass(frozen=True)
class Frame:
    """One recorded step of one cloud, as plain arrays.

    Attributes:
        step: steps taken so far.
        particles, image: ``z`` and ``F(z)``, ``(N, d)`` float32.
        attraction, repulsion, through_operator: the velocity's exact parts ``(N, d)``; with noise,
            the last one also holds what the shaking changed.
        probabilities: ``(classes,)``, the read-out of these particles.
        objective, relative_objective, gradient_norm, spread, step_size: see
            :class:`ddeq.solve.flow.FlowStep` and :func:`ddeq.metrics.particles.spread`.
        evaluations: network evaluations so far.
        seconds: since the solve began.
    """

    step: int
    particles: np.ndarray
    image: np.ndarray
    attraction: np.ndarray
    repulsion: np.ndarray
    through_operator: np.ndarray
    probabilities: np.ndarray
    objective: float
    relative_objective: float
    gradient_norm: float
    spread: float
    step_size: float
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        label, confidence: most probable class and its probability.
        probabilities: class name to probability.
        steps, evaluations: solver steps and network evaluations used.
        objective, relative_objective, spread: at the end.
        stopped: why it ended, with advice.
        seconds: of the solve alone.
        device: where it ran.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    steps: int
    evaluations: int
    objective: float
    relative_objective: float
    spread: float
    stopped: Stopped
    seconds: float
    device: str

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return {**asdict(self), "stopped": self.stopped.value}


class ClassifierRun(Run):
    """One classification.

    Args:
        checkpoint: model and card, the model already on ``device``.
        points: from :func:`prepare`.
        settings: of the run.
        device: where to solve.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        settings: RunSettings,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model = checkpoint.model
        self.labels = tuple(checkpoint.card["labels"])
        device, limits = torch.device(device), settings.limits
        x = torch.from_numpy(points)[None].to(device)  # (1, M, d_x)
        z0 = self.model.start([limits.seed], limits.particles)
        flow = flow_of(self.model.encode(x), z0, settings, [limits.seed])
        super().__init__(flow, settings, device)

    def _frame(self, step: FlowStep) -> Frame:
        terms = self._velocity_terms(step)
        with torch.no_grad():
            probabilities = self.model.probabilities(step.particles)
        return Frame(
            particles=as_array(step.particles),
            image=as_array(step.image),
            attraction=as_array(terms.attraction),
            repulsion=as_array(terms.repulsion),
            through_operator=as_array(terms.through_operator),
            probabilities=as_array(probabilities),
            **step_numbers(step),
        )

    def projection(self, axes: int = 3) -> Projection:
        """A fixed view of this run's latent space, known before the first step.

        Fitted to the initial particles and a short look-ahead of plain iterations ``F(z),
        F(F(z)), ...``, which end near the equilibrium; these evaluations are not part of the run.
        """
        z, seen = self.flow.z0, [self.flow.z0]
        with torch.no_grad():
            for _ in range(LOOK_AHEAD):
                z = self.flow.objective.operator(z)
                seen.append(z)
        return principal_axes(as_array(torch.cat(seen, 1)), axes)

    @property
    def outcome(self) -> Outcome:
        """The result so far; a run that was left early counts as cancelled."""
        ending = self._ending()
        probabilities = self.last.probabilities
        best = int(probabilities.argmax())
        return Outcome(
            label=self.labels[best],
            confidence=float(probabilities[best]),
            probabilities=dict(zip(self.labels, probabilities.tolist(), strict=True)),
            **ending,
        )
