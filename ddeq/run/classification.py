"""One classification: what the command line, the app and the tests all do.

prepare(cloud) -> ClassifierRun(checkpoint, points, settings) -> iterate -> Outcome
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.model.encoded import Applied
from ddeq.model.looking import Looking, looking
from ddeq.run.base import Run
from ddeq.run.familiar import KNOWN_SHARE, Ends, familiar_of
from ddeq.run.flows import flow_of
from ddeq.run.frames import Ending, Recorded, as_array, numbers_of
from ddeq.run.projection import Projection, principal_axes
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.solve.flow import FlowStep, Stopped

LOOK_AHEAD = 8
ARRIVED = (Stopped.CONVERGED, Stopped.BELOW_ROUNDING)


@dataclass(frozen=True, kw_only=True)
class Frame(Recorded):
    """One recorded step of one classification, in latent space.

    Attributes:
        particles: ``z (N, d)`` float32.
        probabilities: ``(classes,)``, the read-out of these particles.
    """

    particles: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Outcome(Ending):
    """What a classification came to.

    Attributes:
        label, confidence: most probable class and its probability.
        probabilities: class name to probability.
        known: whether the input is like those that the model has learned; None where its card does
            not tell what they are like, or the solve neither came to its end nor was as the card's.
        unlike: the share of validation clouds, 0 to 1, that are more usual than it is, see
            :mod:`ddeq.run.familiar`.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    known: bool | None = None
    unlike: float | None = None


class ClassifierRun(Run[Frame]):
    """One classification.

    Args:
        checkpoint: model and card, the model already on ``device``.
        points: from :func:`prepare`.
        settings: of the run.
        device: where to solve.
        start: initial particles ``(N, d)``; None draws those of the settings.
    """

    def __init__(
        self,
        checkpoint: Checkpoint[Classifier],
        points: np.ndarray,
        settings: RunSettings,
        device: torch.device | str = "cpu",
        start: np.ndarray | None = None,
    ) -> None:
        self.model = checkpoint.model
        self.labels = tuple(checkpoint.card["labels"])
        told = checkpoint.card.get("known")
        self.familiar = None if told is None else familiar_of(told)
        self._usual = checkpoint.card.get("settings")
        device, limits = torch.device(device), settings.limits
        x = torch.from_numpy(points)[None].to(device)  # (1, M, d_x)
        drawn = self.model.start([limits.seed], limits.particles)
        z0 = drawn if start is None else torch.from_numpy(start)[None].to(drawn)
        encoded = self.model.encode(x)
        self._x, self._context = x, cast(Applied, encoded.operator).context
        flow = flow_of(encoded, z0, settings, [limits.seed])
        super().__init__(flow, settings, device, str(checkpoint.card.get("name", "unnamed")))

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
            **numbers_of(step),
        )

    def _is_usual(self) -> bool:
        """Whether the settings are those by which the card tells what is usual."""
        if self._usual is None:
            return False
        seed = {"seed": self.settings.limits.seed}
        return self.settings == with_defaults({"settings": self._usual}, seed)

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

    def looking(self) -> Looking:
        """What its particles look at."""
        return looking(self.model.operator, self._context, self._x)

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
            **self._familiarity(),
            **ending,
        )

    def _familiarity(self) -> dict[str, Any]:
        """Whether the model knows such inputs, by name; nothing where its card does not tell."""
        solution = self.flow.solution
        if self.familiar is None or not (solution.stopped[0] in ARRIVED or self._is_usual()):
            return {}
        with torch.no_grad():
            logits = self.model.logits(solution.particles).cpu().numpy()
        unlike = self.familiar.unlike(Ends(logits, solution.relative_objective.cpu().numpy()))
        return {"known": bool(unlike[0] <= KNOWN_SHARE), "unlike": float(unlike[0])}
