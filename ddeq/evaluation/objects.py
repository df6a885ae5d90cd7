"""The classifier of objects on another source: furniture, whose classes have other names.

It sees several samplings of each model. Another sampling is no other model: intervals come from
drawing the models anew, those that belong together as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ddeq.errors import UserError
from ddeq.evaluation.classification import Predictions, equilibrium, predict
from ddeq.evaluation.samplings import CONDITIONS, PLAIN, sampled
from ddeq.input.answers import Answer, about_furniture, right_among
from ddeq.metrics.intervals import mean_interval, wilson_interval
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import RunSettings
from ddeq.training.datasets.furniture import labels
from ddeq.training.datasets.objects import ObjectClouds

BATCH = 32  # clouds: they are larger than digits
WHY = "The classifier has no class for them."


@dataclass(frozen=True)
class Draws:
    """How objects become clouds: so many ``samplings`` of each, of so many ``points``."""

    points: int
    samplings: int = 5


def answers_of(furniture: ObjectClouds) -> list[Answer]:
    """What each piece of furniture is; all of them have a label."""
    known, classes = labels(), furniture.classes
    each = zip(furniture.ids, furniture.labels.tolist(), strict=True)
    return [about_furniture(classes[label], known[id_].name) for id_, label in each]


def judge(
    checkpoint: Checkpoint,
    objects: ObjectClouds,
    answers: Sequence[Answer],
    settings: RunSettings,
    draws: Draws,
    device: torch.device | str = "cpu",
) -> dict:
    """How often a classifier is right about objects: as they stand, turned about z, and as scans.

    Args:
        checkpoint: of the classifier.
        objects: to classify, ``K`` of them.
        answers: what each is. Where no class of the model fits, the object is left out.
        settings: of the solver.
        draws: what is seen of the objects.
        device: where to solve.

    Returns:
        Plain values, for JSON. ``accuracy`` is the mean over all samplings; ``vote`` and
        ``classes`` count objects, by the mean of their samplings' probabilities.

    Raises:
        UserError: the model has a class for none of the objects.
    """
    right = right_among(checkpoint.card["labels"], answers)  # (K, C)
    kept, out = (np.flatnonzero(which).tolist() for which in (right.any(1), ~right.any(1)))
    if not kept:
        raise UserError("The model has a class for none of these objects, so take another one.")
    chosen, right = objects.at(kept), right[kept]
    data = {name: sampled(chosen, draws.points, draws.samplings, name) for name in CONDITIONS}
    results = {
        name: predict(checkpoint, clouds, settings, device, BATCH) for name, clouds in data.items()
    }
    groups = chosen.groups.numpy()
    found = {name: _accuracy(result, right, groups) for name, result in results.items()}
    vote = _right(_each(results[PLAIN], len(chosen)).mean(0), right)  # (K,)
    return {
        "objects": len(chosen),
        "left_out": {"count": len(out), "why": WHY, "ids": [objects.ids[k] for k in out]},
        "points": draws.points,
        "samplings": draws.samplings,
        **found.pop(PLAIN),
        "vote": _counted(vote),
        "classes": _of_classes(vote, [answers[k].name for k in kept]),
        "conditions": found,
        "parameters": checkpoint.parameters,
        **equilibrium(results[PLAIN]),
        "settings": settings.to_dict(),
    }


def _each(result: Predictions, objects: int) -> np.ndarray:
    """Class probabilities of each sampling of each object, ``(S, K, C)``."""
    probabilities = result.probabilities.numpy()
    return probabilities.reshape(-1, objects, probabilities.shape[1])


def _right(probabilities: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where the most probable of the classes ``(..., K, C)`` is a right one: bool ``(..., K)``."""
    return right[np.arange(len(right)), probabilities.argmax(-1)]


def _accuracy(result: Predictions, right: np.ndarray, groups: np.ndarray) -> dict:
    """The mean over all samplings, with its interval."""
    shares = _right(_each(result, len(right)), right).mean(0)  # (K,)
    return {"accuracy": float(shares.mean()), "interval": list(mean_interval(shares, groups))}


def _counted(vote: np.ndarray) -> dict:
    """How many objects are right, with the interval of a share, by Wilson."""
    correct, total = int(vote.sum()), len(vote)
    interval = list(wilson_interval(correct, total))
    return {"correct": correct, "total": total, "interval": interval}


def _of_classes(vote: np.ndarray, names: Sequence[str]) -> dict:
    """Of each class of the objects', how many there are and how many are right."""
    table = {}
    for name in sorted(set(names)):
        members = vote[np.array(names) == name]
        table[name] = {"correct": int(members.sum()), "total": len(members)}
    return table
