"""One completion from a cloud with a part missing to the completed one, frame by frame.

hollow(cloud, keep) -> CompleterRun(checkpoint, hollow, settings) -> iterate -> CompletionOutcome
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud
from ddeq.input.hollow import Hollow
from ddeq.input.prepare import in_dimension, prepare
from ddeq.input.preprocess import isotropic, standardise, subsample
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.model.completer import Completer, free_count, scatter
from ddeq.run.base import Run
from ddeq.run.flows import flow_of, flow_of_clouds
from ddeq.run.frames import Ending, Recorded, as_array, numbers_of
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.run.truth import TRUTH_COLUMNS, AgainstTruth, comparison
from ddeq.solve.flow import FlowStep

MAX_FREE = 1000  # memory grows with the square: 1,000 free particles take half a gigabyte


@dataclass(frozen=True, kw_only=True)
class CompletionFrame(Recorded, AgainstTruth):
    """One recorded step of one completion, of its ``N`` free particles.

    Positions are in data space, in units in which the known points are standardised; of the
    velocity's parts the data coordinates are kept.

    Attributes:
        points: of ``z``, ``(N, d)`` float32.
        probabilities: ``(classes,)``, of the completed cloud, see :meth:`CompleterRun.judge`;
            None before.
    """

    points: np.ndarray
    probabilities: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class CompletionOutcome(Ending, AgainstTruth):
    """What a completion came to.

    Attributes:
        known, free: how many points were given and how many particles were added.
        longest: side of the truth's box, in units of the distances to it; None without a truth.
        label, confidence: the classifier's most probable class of the completed cloud and its
            probability; None without a classifier.
    """

    known: int
    free: int
    longest: float | None
    label: str | None
    confidence: float | None


class CompleterRun(Run[CompletionFrame]):
    """One completion, ready to be iterated frame by frame and left at any time.

    Args:
        checkpoint: a completer and its card, the model already on ``device``.
        hollow: what is to be completed. More known points than the card's ``points`` are thinned
            for the model, and kept in the result.
        settings: of the run; their ``particles`` belong to classifiers.
        device: where to solve.
        free: how many particles complete it; None is the paper's rule.
        start: ``(N, d)``, where free particles begin, in the cloud's own units; None is noise.
        classifier: judges completed clouds, on the same device.

    Raises:
        UserError: a cloud in space for a model of the plane that is not flat, too many or too few
            free particles, or a start that is not finite.

    Attributes:
        standard: the known points in the units of frames, and how to undo them.
        free: number of free particles.
        labels: of the classifier; empty without one.
    """

    def __init__(
        self,
        checkpoint: Checkpoint[Completer],
        hollow: Hollow,
        settings: RunSettings,
        device: torch.device | str = "cpu",
        *,
        free: int | None = None,
        start: np.ndarray | None = None,
        classifier: Checkpoint[Classifier] | None = None,
    ) -> None:
        self.model = checkpoint.model
        self.hollow = hollow
        self.classifier = classifier
        self.labels = () if classifier is None else tuple(classifier.card["labels"])
        dim = self.model.config.operator.input_dim
        plane = in_dimension(PointCloud(hollow.known, hollow.name), dim).points
        self._to_plane = _affine(hollow.known, plane)
        self._to_space = _affine(plane, hollow.known)
        self.standard = standardise(plane, isotropic(checkpoint.card))
        limit, rng = checkpoint.card["points"], np.random.default_rng(0)
        self.seen = subsample(self.standard.points, limit, rng)  # (K', d) by the model
        wanted = usual_count(checkpoint.card, hollow) if free is None else free
        points = self._beginning(settings.limits.seed, wanted, start)
        self.free = points.shape[1]
        self._compare = self._longest = None
        if hollow.truth is not None:
            proportions = isotropic(checkpoint.card)
            self._compare = comparison(hollow, self.free, proportions)
            self._longest = float(np.ptp(standardise(hollow.truth, proportions).points, 0).max())
        self._verdicts: dict[int, np.ndarray] = {}
        device = torch.device(device)
        known = torch.from_numpy(self.seen)[None].to(device)  # (1, K', d)
        encoded = self.model.encode(known, None, [self.free])
        z0 = self.model.lift(points.to(device))
        flow = flow_of(encoded, z0, settings, [settings.limits.seed])
        super().__init__(flow, settings, device, str(checkpoint.card.get("name", "unnamed")))

    def _beginning(self, seed: int, free: int, start: np.ndarray | None) -> Tensor:
        """Where free particles start, in units of frames: noise, or a ``start``; ``(1, N, d)``."""
        if start is None:
            dim = self.model.config.operator.input_dim
            return scatter([seed], [_checked_count(free)], dim)
        _checked_count(len(start))
        points = torch.from_numpy(self.in_frame_units(start))[None].float()
        if not points.isfinite().all():
            raise UserError("The particles to start from are not all numbers, so start from noise.")
        return points

    def _numbers(self) -> int:
        shown = self.free + len(self.seen)  # what shows a step shows the known points, too
        return self.arrays * shown * self.standard.points.shape[1]

    def in_frame_units(self, points: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`in_own_units`."""
        return self.standard.apply(self._to_plane(points))

    def in_own_units(self, points: np.ndarray) -> np.ndarray:
        """Points ``(P, d)`` of a frame in the space and units of the cloud, float64."""
        return self._to_space(self.standard.undo(points.astype(np.float64)))

    def _frame(self, step: FlowStep) -> CompletionFrame:
        terms = self._velocity_terms(step)
        dim = self.standard.points.shape[1]
        points = as_array(self.model.points(step.particles))
        metrics: dict[str, Any] = dict.fromkeys(TRUTH_COLUMNS)
        if self._compare is not None:
            metrics |= self._compare(self.in_own_units(points))
        return CompletionFrame(
            points=points,
            image=as_array(self.model.points(step.image)),
            # Data coordinates are the first latent ones.
            attraction=as_array(terms.attraction[..., :dim]),
            repulsion=as_array(terms.repulsion[..., :dim]),
            through_operator=as_array(terms.through_operator[..., :dim]),
            probabilities=None,
            **numbers_of(step),
            **metrics,
        )

    @torch.no_grad()
    def judge(self, frames: Sequence[CompletionFrame]) -> list[CompletionFrame]:
        """The frames with the classifier's probabilities of the completed clouds.

        All are solved in one batch, by the classifier's card and from one start, so that only the
        cloud tells one frame from another. Without a classifier the frames are as they were.
        """
        if self.classifier is None:
            return list(frames)
        new = [frame for frame in frames if frame.step not in self._verdicts]
        for frame in new:
            self._verdicts[frame.step] = np.full(len(self.labels), np.nan, np.float32)
        finite = [frame for frame in new if np.isfinite(frame.points).all()]
        if finite:
            verdicts = self._classify(self.classifier, finite)
            for frame, verdict in zip(finite, verdicts, strict=True):
                self._verdicts[frame.step] = verdict
        return [replace(frame, probabilities=self._verdicts[frame.step]) for frame in frames]

    def _classify(
        self, classifier: Checkpoint[Classifier], frames: Sequence[CompletionFrame]
    ) -> np.ndarray:
        """Class probabilities ``(T, classes)`` of completed clouds."""
        model, card = classifier.model, classifier.card
        clouds = [np.concatenate([self.seen, frame.points]).astype(np.float64) for frame in frames]
        prepared = [prepare(PointCloud(cloud, "completion"), card) for cloud in clouds]
        settings = with_defaults(card, {})
        seeds = [settings.limits.seed] * len(frames)
        end = flow_of_clouds(model, prepared, settings, seeds, self.device).run()
        return model.probabilities(end.particles).cpu().numpy()

    @property
    def completed(self) -> np.ndarray:
        """The completed cloud as it is now, float64 ``(K + N, d)`` in its own space and units.

        Its first ``K`` rows are ``hollow.known`` to the last bit.
        """
        return np.concatenate([self.hollow.known, self.in_own_units(self.last.points)])

    @property
    def outcome(self) -> CompletionOutcome:
        """The result so far; a run that was left early counts as cancelled."""
        ending = self._ending()
        label = confidence = None
        [judged] = self.judge([self.last])
        if judged.probabilities is not None:
            best = int(judged.probabilities.argmax())
            label, confidence = self.labels[best], float(judged.probabilities[best])
        return CompletionOutcome(
            known=len(self.hollow.known),
            free=self.free,
            **{name: getattr(self.last, name) for name in TRUTH_COLUMNS},
            longest=self._longest,
            label=label,
            confidence=confidence,
            **ending,
        )


def _checked_count(free: int) -> int:
    if not 1 <= free <= MAX_FREE:
        raise UserError(
            f"There cannot be {free:,} free particles, so choose a number from 1 to {MAX_FREE:,}."
        )
    return free


def _affine(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The affine map that takes the points ``source (M, a)`` to ``target (M, b)``."""
    if source is target:
        return lambda points: points
    before, after = source.mean(axis=0), target.mean(axis=0)
    matrix, *_ = np.linalg.lstsq(source - before, target - after)  # (a, b)
    return lambda points: (points - before) @ matrix + after


def usual_count(card: Mapping[str, Any], hollow: Hollow) -> int:
    """How many free particles complete this cloud unless one says otherwise, 1 to `MAX_FREE`.

    By the paper's rule; with ``free = "removed"`` in the card as many as were removed, where that
    is known, or fewer in the proportion in which known points are thinned for the model.
    """
    if card.get("free") == "removed" and hollow.removed is not None:
        seen = min(len(hollow.known), card["points"])
        count = round(len(hollow.removed) * seen / len(hollow.known))
    else:
        count = free_count(len(hollow.known), card["architecture"]["total"])
    return min(max(1, count), MAX_FREE)
