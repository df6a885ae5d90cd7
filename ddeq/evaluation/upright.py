"""Whether objects that lie on their side are found to, and what upright ones pay for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ddeq.evaluation.known import ends_of
from ddeq.input.formats.axes import UP_AXES, turn_up
from ddeq.metrics.intervals import mean_interval
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.upright import choose_up

MOST_LOST = 0.005  # of the accuracy on upright objects
Z = UP_AXES.index("z")


def six_scores(
    checkpoint: Checkpoint[Classifier],
    clouds: Sequence[np.ndarray],
    labels: np.ndarray,
    device: str = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """The greatest class score of upright objects turned each way, and whether its class is right.

    Args:
        checkpoint: of a classifier of objects.
        clouds: ``K`` objects, z up.
        labels: into the model's classes, ``(K,)``.
        device: where to solve.

    Returns:
        ``(K, 6)`` and bool ``(K, 6)``, in the order of :data:`UP_AXES`; z is as they stand.
    """
    ends = [ends_of(checkpoint, [turn_up(x, axis) for x in clouds], device) for axis in UP_AXES]
    logits = np.stack([end.logits for end in ends], axis=1)  # (K, 6, C)
    return logits.max(2), logits.argmax(2) == labels[:, None]


def learn_margin(scores: np.ndarray, right: np.ndarray, lost: float = MOST_LOST) -> float:
    """The least margin by which upright objects lose no more than that, see :func:`six_scores`."""
    gains = np.maximum(scores.max(1) - scores[:, Z], 0)
    for margin in np.unique(np.append(gains, 0)):
        if (right[:, Z].mean() - after_choice(scores, right, Z, margin).mean()) <= lost:
            return float(margin)
    return float(gains.max())


def after_choice(scores: np.ndarray, right: np.ndarray, custom: int, margin: float) -> np.ndarray:
    """Which objects are right, bool ``(K,)``, where this way, 0 to 5, is the customary one."""
    ways = [choose_up(row, UP_AXES[custom], margin) for row in scores]
    return right[np.arange(len(right)), [UP_AXES.index(way) for way in ways]]


def judge(scores: np.ndarray, right: np.ndarray, margin: float) -> dict[str, Any]:
    """Accuracy as files come and after the choice: of upright objects, and with any of six axes up.

    Plain values, with 95 % intervals; those of six ways draw the objects anew.
    """
    everywhere = [after_choice(scores, right, way, margin) for way in range(len(UP_AXES))]
    told = {
        "upright": (right[:, Z], everywhere[Z]),
        "any of six axes up": (right.mean(1), np.mean(everywhere, axis=0)),
    }
    return {name: {"as_it_comes": _mean(a), "chosen": _mean(b)} for name, (a, b) in told.items()}


def _mean(values: np.ndarray) -> dict[str, Any]:
    return {
        "accuracy": float(values.mean()),
        "interval": list(mean_interval(values.astype(float))),
    }
