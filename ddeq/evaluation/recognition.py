"""Is a cut object recognised better once it is completed?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ddeq.evaluation.cases import Case
from ddeq.evaluation.classification import predict
from ddeq.evaluation.completion import summary
from ddeq.input.clouds import PointCloud
from ddeq.input.labelled import Labelled
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import with_defaults


def recognition(
    classifier: Checkpoint,
    cases: Sequence[Case],
    free: Sequence[np.ndarray],
    device: torch.device | str = "cpu",
) -> dict:
    """Accuracy of a classifier on known parts, on completed and on whole clouds.

    Args:
        classifier: a DDEQ that counts classes as the cases' labels do.
        cases: ``K`` of them, with labels.
        free: their completions, ``(N_k, 3)`` each.
        device: where to solve.

    Returns:
        ``known``, ``completed`` and ``whole``, and ``gained``, the paired difference of the first
        two, each with mean and interval.
    """
    completed = [np.concatenate([case.known, f]) for case, f in zip(cases, free, strict=True)]
    right = {
        "known": _right(classifier, cases, [case.known for case in cases], device),
        "completed": _right(classifier, cases, completed, device),
        "whole": _right(classifier, cases, [case.whole for case in cases], device),
    }
    table = {name: summary(found, cases) for name, found in right.items()}
    return table | {"gained": summary(right["completed"] - right["known"], cases)}


def _right(
    classifier: Checkpoint,
    cases: Sequence[Case],
    clouds: Sequence[np.ndarray],
    device: torch.device | str,
) -> np.ndarray:
    """Where it is right, ``(K,)`` of 0 and 1."""
    labels = np.array([case.label for case in cases])
    prepared = [prepare(PointCloud(cloud, "cut"), classifier.card) for cloud in clouds]
    settings = with_defaults(classifier.card, {})
    found = predict(classifier, Labelled(prepared, labels), settings, device, 32)
    return (found.predicted.numpy() == labels).astype(float)
