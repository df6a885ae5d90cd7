"""Whether confidence means what it says, and whether unlike inputs are told from those learned.

Everything is chosen on clouds held out of training for validation: the temperature, the score of
:mod:`ddeq.run.familiar`, and what is usual by it. It is then tried on test clouds and on strangers
drawn from other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from ddeq.evaluation.classification import Predictions, predict
from ddeq.input.clouds import PointCloud
from ddeq.input.labelled import Labelled
from ddeq.input.prepare import prepare
from ddeq.metrics.calibration import calibration_error, fitting_temperature
from ddeq.metrics.separation import area_under_roc
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.familiar import KNOWN_SHARE, SCORES, Ends, Familiar, familiar_of, learn_familiar
from ddeq.run.settings import with_defaults

BATCH = 32  # clouds

Strangers = Mapping[str, Sequence[np.ndarray]]
"""Clouds ``(M, d)`` by their kind."""


@dataclass(frozen=True)
class Tried:
    """Clouds that a model knows, and strangers.

    Attributes:
        clouds: ``K`` of them, ``(M, d)`` each, not yet prepared.
        labels: into the model's classes, ``(K,)``.
        strangers: by their kind.
    """

    clouds: Sequence[np.ndarray]
    labels: np.ndarray
    strangers: Strangers


def ends_of(
    checkpoint: Checkpoint[Classifier], clouds: Sequence[np.ndarray], device: str = "cpu"
) -> Ends:
    """Where the solves of clouds ``(M, d)`` end, by the model's own settings."""
    found = _predicted(checkpoint, clouds, device)
    return Ends(found.logits.double().numpy(), found.relative_objective.double().numpy())


def _predicted(
    checkpoint: Checkpoint[Classifier], clouds: Sequence[np.ndarray], device: str
) -> Predictions:
    card = checkpoint.card
    ready = [prepare(PointCloud(np.asarray(x, np.float64), "cloud"), card) for x in clouds]
    data = Labelled(ready, np.zeros(len(ready), np.int64))
    return predict(checkpoint, data, with_defaults(card, {}), device, BATCH)


def learn(
    checkpoint: Checkpoint[Classifier], validation: Tried, device: str = "cpu"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What belongs into the model's card, and how it was chosen.

    Args:
        checkpoint: of a classifier.
        validation: clouds held out of its training, and strangers to tell from them.
        device: where to solve.

    Returns:
        the card's entry "known"; and the areas under the ROC curve of all scores, plain values.
    """
    ends = ends_of(checkpoint, validation.clouds, device)
    strange = {
        kind: ends_of(checkpoint, clouds, device) for kind, clouds in validation.strangers.items()
    }
    candidates = {score: learn_familiar(score, ends) for score in SCORES}
    areas = {score: _areas(one, ends, strange) for score, one in candidates.items()}
    best = max(areas, key=lambda score: float(np.mean([*areas[score].values()])))
    temperature = fitting_temperature(ends.logits, validation.labels)
    entry = {"temperature": temperature, **candidates[best].to_dict()}
    return entry, {"validation": len(ends.logits), "score": best, "areas_by_score": areas}


def judge(
    checkpoint: Checkpoint[Classifier], entry: Mapping[str, Any], tried: Tried, device: str = "cpu"
) -> dict[str, Any]:
    """How a card's entry "known" does on other clouds than those that it was learned from.

    Returns:
        Plain values: ``calibration_error`` before and after, ``known`` (the share of the clouds
        that count as known, of those rightly and of those wrongly classified), and of each kind of
        strangers the area under the ROC curve and the share that count as unknown.
    """
    familiar = familiar_of(entry)
    ends = ends_of(checkpoint, tried.clouds, device)
    strange = {kind: ends_of(checkpoint, x, device) for kind, x in tried.strangers.items()}
    right = ends.logits.argmax(1) == tried.labels
    known = familiar.unlike(ends) <= KNOWN_SHARE
    areas = _areas(familiar, ends, strange)
    return {
        "clouds": len(right),
        "accuracy": float(right.mean()),
        "calibration_error": {
            name: calibration_error(softmax(ends.logits / t, axis=1), tried.labels)
            for name, t in (("before", 1.0), ("after", entry["temperature"]))
        },
        "known": {
            "all": float(known.mean()),
            "right": float(known[right].mean()) if right.any() else None,
            "wrong": float(known[~right].mean()) if not right.all() else None,
        },
        "strangers": {
            kind: {
                "count": len(found.logits),
                "area": areas[kind],
                "told": float((familiar.unlike(found) > KNOWN_SHARE).mean()),
            }
            for kind, found in strange.items()
        },
    }


def _areas(familiar: Familiar, usual: Ends, strange: Mapping[str, Ends]) -> dict[str, float]:
    """Areas under the ROC curve, by the kind of strangers."""
    known = familiar.unlike(usual)
    return {kind: area_under_roc(known, familiar.unlike(ends)) for kind, ends in strange.items()}
