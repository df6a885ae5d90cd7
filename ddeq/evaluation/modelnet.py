"""How good a classifier of ModelNet shapes is, and how much of that is its equilibrium's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ddeq.evaluation.classification import (
    Predictions,
    counted,
    equilibrium,
    predict,
    predict_along,
    predict_at_once,
)
from ddeq.evaluation.samplings import PLAIN, sampled
from ddeq.evaluation.steps import step_counts
from ddeq.input.labelled import Labelled
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.training.datasets.objects import ObjectClouds, labels_among

BATCH = 32  # clouds
MOSTLY = 0.8  # of its particles differ, where a cloud counts as having distinct ones
TABLE = 16  # steps that a table goes to at least, that of a control, too
LOW = 1e-2  # the relative objective to which gradient flows are to come


@dataclass(frozen=True)
class Shapes:
    """Prepared shapes; ``classes`` are the names of the labels 0, 1, ..."""

    data: Labelled
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is asked of a model besides its accuracy.

    Attributes:
        said: settings of the solver instead of the card's.
        steps_table: whether also the accuracy after 0, 1, 2, 4, ... steps.
        flow: settings of a gradient flow to go beside the solver; None for none.
        device: where to solve.
    """

    said: Mapping[str, object] = field(default_factory=dict)
    steps_table: bool = False
    flow: Mapping[str, object] | None = None
    device: torch.device | str = "cpu"


@dataclass(frozen=True, eq=False)
class Judged:
    """Plain values about one model, and which of ``K`` shapes it has right, bool ``(K,)``."""

    row: dict
    right: np.ndarray


def prepared(clouds: ObjectClouds, points: int, condition: str = PLAIN) -> Shapes:
    """``points`` of each shape, see :func:`ddeq.evaluation.samplings.sampled`."""
    return Shapes(sampled(clouds, points, 1, condition), clouds.classes)


def drawn(clouds: ObjectClouds, count: int | None) -> ObjectClouds:
    """So many of the shapes, always the same ones, from the whole split; all if None."""
    if count is None or count >= len(clouds):
        return clouds
    return clouds.at(np.sort(np.random.default_rng(0).permutation(len(clouds))[:count]).tolist())


def judge(checkpoint: Checkpoint, shapes: Shapes, question: Question) -> Judged:
    """Ask one model.

    Raises:
        UserError: it does not know one of the classes.
    """
    labels = labels_among(checkpoint.card["labels"], shapes.classes, shapes.data.labels)
    data = Labelled(shapes.data.clouds, labels)
    if not checkpoint.model.solves:
        predicted = predict_at_once(checkpoint, data, question.device, BATCH).argmax(1).numpy()
        row = {**counted(predicted, labels), **_size(checkpoint)}
        return Judged(row, predicted == labels)
    settings = with_defaults(checkpoint.card, question.said)
    result = predict(checkpoint, data, settings, question.device, BATCH)
    predicted = result.predicted.numpy()
    distinct = result.distinct >= MOSTLY * settings.limits.particles
    row = {
        **counted(predicted, labels),
        **_size(checkpoint),
        **equilibrium(result),
        "mostly_distinct": float(distinct.double().mean()),
        **_longer(checkpoint, data, settings, result, question),
        "settings": settings.to_dict(),
    }
    if question.flow is not None:
        row["flow"] = _flow(checkpoint, data, result, question)
    return Judged(row, predicted == labels)


def _size(checkpoint: Checkpoint) -> dict:
    """How large the model is, and what its training took where its card says that."""
    effort = checkpoint.card.get("training")
    return {"parameters": checkpoint.parameters, **({"training": effort} if effort else {})}


def _longer(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    result: Predictions,
    question: Question,
) -> dict:
    """Is it an equilibrium? Every cloud takes five times the steps that it took on average."""
    longest = math.ceil(5 * float(result.steps.double().mean()))
    table = step_counts(2 ** int(math.log2(max(longest, TABLE)))) if question.steps_table else []
    counts = sorted({*table, longest})
    along = predict_along(checkpoint, data, settings, counts, question.device, BATCH)
    right = torch.from_numpy(data.labels)
    later = along[longest]
    found: dict[str, Any] = {
        "steps_5x": longest,
        "changed_5x": float((later.predicted != result.predicted).double().mean()),
        "median_relative_objective_5x": float(later.relative_objective.median()),
        "median_distinct_5x": float(later.distinct.median()),
    }
    if table:
        found["accuracy_by_step"] = {
            str(steps): float((along[steps].predicted == right).double().mean()) for steps in table
        }
    return found


def _flow(checkpoint: Checkpoint, data: Labelled, result: Predictions, question: Question) -> dict:
    """How low a gradient flow comes with all its steps, and whether it says as ``result`` does."""
    settings = with_defaults(checkpoint.card, {**(question.flow or {}), "tolerance": 0})
    end = predict(checkpoint, data, settings, question.device, BATCH)
    right = torch.from_numpy(data.labels)
    return {
        "accuracy": float((end.predicted == right).double().mean()),
        "same_class": float((end.predicted == result.predicted).double().mean()),
        "below_1e-2": float((end.relative_objective < LOW).double().mean()),
        "median_relative_objective": float(end.relative_objective.median()),
        "median_distinct": float(end.distinct.median()),
        "settings": settings.to_dict(),
    }
