"""How good classifiers of objects are, side by side, and what the flow adds.

All see the same samplings of the same objects. Another sampling of an object, or another training
of a network, is no other object: intervals come from drawing the objects anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ddeq.errors import UserError
from ddeq.evaluation.classification import (
    equilibrium,
    predict,
    predict_along,
    predict_at_once,
    stability,
)
from ddeq.evaluation.descriptors import NearestObjects
from ddeq.evaluation.samplings import CONDITIONS, PLAIN, copied, evenly_spread, sampled
from ddeq.evaluation.steps import step_counts
from ddeq.input.labelled import Labelled
from ddeq.metrics.intervals import mean_interval, wilson_interval
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.training.datasets.objects import ObjectClouds

DDEQ = "ddeq"
"""The method that is compared to all others."""

BATCH = 32  # clouds: they are larger than digits

Answer = Callable[[Labelled], np.ndarray]
"""What says class probabilities ``(K, classes)`` of ``K`` clouds."""


@dataclass(frozen=True, eq=False)
class Method:
    """One way to classify, trained several times.

    Attributes:
        parameters: number of weights.
        trainings: what each training says, by its name.
    """

    parameters: int
    trainings: Mapping[str, Answer]


@dataclass(frozen=True, eq=False)
class Marks:
    """How often the ``T`` trainings of a method were right about each of ``K`` objects.

    Attributes:
        single: share of samplings that were classified correctly, ``(T, K)``.
        vote: 1 where the mean of the samplings' probabilities is largest for the right class,
            else 0, ``(T, K)``.
    """

    single: np.ndarray
    vote: np.ndarray


def mark(answers: Sequence[np.ndarray], labels: np.ndarray) -> Marks:
    """Compare what trainings said to what is right.

    Args:
        answers: probabilities ``(S * K, classes)`` of each training, of all objects in the first
            sampling, then in the second.
        labels: ``(K,)``.
    """
    said = np.stack(answers).reshape(len(answers), -1, len(labels), answers[0].shape[1])
    single = said.argmax(3) == labels  # (T, S, K)
    vote = said.mean(1).argmax(2) == labels  # (T, K)
    return Marks(single.mean(1), vote.astype(float))


def compare(
    objects: ObjectClouds,
    known: ObjectClouds,
    models: Mapping[str, Mapping[str, Checkpoint]],
    *,
    points: int,
    samplings: int = 5,
    said: Mapping[str, object] | None = None,
    device: torch.device | str = "cpu",
) -> dict:
    """The table of all methods.

    Args:
        objects: to classify.
        known: labelled objects, for the nearest-neighbour rule and to find copies among.
        models: by method, then by training. :data:`DDEQ` is compared to all others.
        points: of each cloud.
        samplings: of each object.
        said: settings of the DDEQ's solver instead of its cards'.
        device: where to solve.

    Returns:
        Plain values, for JSON.

    Raises:
        UserError: there are no objects.
    """
    if not len(objects):
        raise UserError("There are no objects of this split, so take another one.")
    methods = {
        name: _method(trainings, (said or {}) if name == DDEQ else {}, device)
        for name, trainings in models.items()
    }
    turned = sampled(known, points, 1, "turned")
    methods["neighbours"] = Method(0, {"plain": NearestObjects(turned, len(objects.classes))})
    labels = objects.labels.numpy()
    data = {name: sampled(objects, points, samplings, name) for name in CONDITIONS}
    data["evenly_spread"] = evenly_spread(objects, points)
    marks = {name: _marks(method, data, labels) for name, method in methods.items()}
    copies = copied(objects, known)
    others = [name for name in marks if name != DDEQ] if DDEQ in marks else []
    groups = objects.groups.numpy()
    return {
        "objects": len(objects),
        "points": points,
        "samplings": samplings,
        "copies_of_known": [objects.ids[k] for k in np.flatnonzero(copies)],
        "methods": {
            name: _row(method, marks[name], objects, copies) for name, method in methods.items()
        },
        "ddeq_minus": {
            name: _difference(marks[DDEQ][PLAIN], marks[name][PLAIN], groups) for name in others
        },
    }


def _marks(method: Method, data: Mapping[str, Labelled], labels: np.ndarray) -> dict[str, Marks]:
    """The marks of a method's trainings, condition by condition."""
    return {
        condition: mark([answer(clouds) for answer in method.trainings.values()], labels)
        for condition, clouds in data.items()
    }


def flow_report(
    checkpoint: Checkpoint,
    objects: ObjectClouds,
    settings: RunSettings,
    *,
    points: int,
    samplings: int = 5,
    device: torch.device | str = "cpu",
) -> dict:
    """Is it an equilibrium, and does the flow help? Of one DDEQ, on the objects as they stand.

    Accuracies are means over all samplings, and ``vote`` counts objects.
    """
    data = sampled(objects, points, samplings, PLAIN)
    result = predict(checkpoint, data, settings, device, BATCH)
    table, counts = {}, step_counts(settings.limits.steps)
    along = predict_along(checkpoint, data, settings, counts, device, BATCH)
    for steps, fewer in along.items():
        marks = mark([fewer.probabilities.numpy()], objects.labels.numpy())
        table[str(steps)] = {
            "accuracy": float(marks.single.mean()),
            "vote": int(marks.vote.sum()),
            **equilibrium(fewer),
        }
    return {
        "settings": settings.to_dict(),
        "equilibrium": equilibrium(result),
        "stability": stability(checkpoint, data, settings, result, device),
        "steps_table": table,
    }


def _method(
    checkpoints: Mapping[str, Checkpoint], said: Mapping[str, object], device: torch.device | str
) -> Method:
    parameters = next(iter(checkpoints.values())).parameters
    return Method(parameters, {k: _answer(c, said, device) for k, c in checkpoints.items()})


def _answer(
    checkpoint: Checkpoint, said: Mapping[str, object], device: torch.device | str
) -> Answer:
    if not checkpoint.model.solves:
        return lambda data: predict_at_once(checkpoint, data, device, BATCH).numpy()
    settings = with_defaults(checkpoint.card, said)
    return lambda data: predict(checkpoint, data, settings, device, BATCH).probabilities.numpy()


def _row(
    method: Method, marks: Mapping[str, Marks], objects: ObjectClouds, copies: np.ndarray
) -> dict:
    """What the table says of a method; conditions beside the first one in short."""
    first = marks[PLAIN]
    names, groups = list(method.trainings), objects.groups.numpy()
    own = ~copies
    return {
        "parameters": method.parameters,
        "accuracy": _accuracy(first.single, groups, names),
        "vote": _accuracy(first.vote, groups, names) | {"counts": _counts(first.vote, names)},
        "classes": _of_classes(first.vote, objects, names),
        "without_copies": {
            "objects": int(own.sum()),
            "accuracy": _accuracy(first.single[:, own], groups[own], names),
            "vote": _accuracy(first.vote[:, own], groups[own], names),
        },
        "conditions": {
            condition: _accuracy(found.single, groups, names)
            for condition, found in marks.items()
            if condition != PLAIN
        },
    }


def _accuracy(right: np.ndarray, groups: np.ndarray, names: Sequence[str]) -> dict:
    """Of ``(T, K)``: the mean over trainings with its interval, and how trainings differ."""
    each = right.mean(1)
    found = {"mean": float(each.mean()), "interval": list(mean_interval(right.mean(0), groups))}
    if len(each) > 1:
        found["deviation"] = float(each.std(ddof=1))
        found["trainings"] = dict(zip(names, each.tolist(), strict=True))
    return found


def _counts(vote: np.ndarray, names: Sequence[str]) -> dict:
    """Each training's correct objects with the interval of a share, by Wilson."""
    total = vote.shape[1]
    return {
        name: {
            "correct": int(correct),
            "total": total,
            "interval": list(wilson_interval(int(correct), total)),
        }
        for name, correct in zip(names, vote.sum(1), strict=True)
    }


def _of_classes(vote: np.ndarray, objects: ObjectClouds, names: Sequence[str]) -> dict:
    """Of each class, how many objects there are and how many each training has right."""
    table = {}
    for label, name in enumerate(objects.classes):
        members = vote[:, objects.labels.numpy() == label]  # (T, members)
        correct = members.sum(1).astype(int).tolist()
        table[name] = {"total": members.shape[1], "correct": dict(zip(names, correct, strict=True))}
    return table


def _difference(a: Marks, b: Marks, groups: np.ndarray) -> dict:
    """Of two methods, object by object: mean of ``a - b`` with its interval; above 0, ``a`` wins.

    Each is first averaged over its trainings.
    """
    table = {}
    for name in ("single", "vote"):
        gap = getattr(a, name).mean(0) - getattr(b, name).mean(0)  # (K,)
        table[name] = {"mean": float(gap.mean()), "interval": list(mean_interval(gap, groups))}
    return table
