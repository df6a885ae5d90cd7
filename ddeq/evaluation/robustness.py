"""What a classifier loses when its inputs are disturbed, input by input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ddeq.errors import UserError
from ddeq.evaluation.classification import counted, predict
from ddeq.input.clouds import PointCloud
from ddeq.input.labelled import Labelled
from ddeq.input.prepare import prepare
from ddeq.metrics.intervals import mean_interval
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.settings import RunSettings

BATCH = 32  # clouds

Reader = Callable[[Any, np.random.Generator], PointCloud]
"""One input, disturbed and read: a cloud."""


def judge(
    checkpoint: Checkpoint[Classifier],
    inputs: Sequence[Any],
    labels: np.ndarray,
    conditions: Mapping[str, Reader],
    settings: RunSettings,
    device: torch.device | str = "cpu",
) -> dict[str, Any]:
    """Accuracy in each condition, and what is lost beside the first one.

    Args:
        checkpoint: of a classifier.
        inputs: ``K`` of them, as the conditions take them.
        labels: into the model's classes, ``(K,)``.
        conditions: by name; the first one disturbs nothing. Each input is disturbed by a draw of
            its own. What cannot be read is wrong.
        settings: of the solver.
        device: where to solve.

    Returns:
        Plain values by the condition's name: of :func:`.counted`, ``unread``, and ``loss``, in
        accuracy, with the 95 % interval of its mean over inputs.
    """
    rows: dict[str, Any] = {}
    clean: np.ndarray | None = None
    for number, (name, read) in enumerate(conditions.items()):
        draws = (np.random.default_rng((number, k)) for k in range(len(inputs)))
        clouds = [_read(checkpoint, read, x, rng) for x, rng in zip(inputs, draws, strict=True)]
        said = _said(checkpoint, clouds, settings, device)
        right = (said == labels).astype(float)
        clean = right if clean is None else clean
        rows[name] = {
            **counted(said, labels),
            "unread": sum(cloud is None for cloud in clouds),
            "loss": {
                "mean": float((clean - right).mean()),
                "interval": list(mean_interval(clean - right)),
            },
        }
    return rows


def _read(
    checkpoint: Checkpoint[Classifier], read: Reader, one: Any, rng: np.random.Generator
) -> np.ndarray | None:
    """The prepared cloud, or None where the app would refuse it."""
    try:
        return prepare(read(one, rng), checkpoint.card)
    except UserError:
        return None


def _said(
    checkpoint: Checkpoint[Classifier],
    clouds: Sequence[np.ndarray | None],
    settings: RunSettings,
    device: torch.device | str,
) -> np.ndarray:
    """Classes ``(K,)``; -1 where there is no cloud."""
    said = np.full(len(clouds), -1)
    there = [k for k, cloud in enumerate(clouds) if cloud is not None]
    if there:
        data = Labelled([x for x in clouds if x is not None], np.zeros(len(there), np.int64))
        said[there] = predict(checkpoint, data, settings, device, BATCH).predicted.numpy()
    return said
