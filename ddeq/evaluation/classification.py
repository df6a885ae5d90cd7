"""How good a classifier is on many clouds, and how much of that is its equilibrium."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ddeq.input.clouds import PointCloud
from ddeq.input.images import pixel_cloud
from ddeq.input.labelled import Labelled
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.metrics.intervals import wilson_interval
from ddeq.metrics.particles import distinct_particles, spread
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.flows import after, flow_of_clouds
from ddeq.run.settings import RunSettings
from ddeq.seeds import seed_of
from ddeq.solve.flow import Flow
from ddeq.training.datasets.mnist import Split, load_mnist


@dataclass(frozen=True)
class Predictions:
    """What the model said of each of ``K`` clouds, one entry each.

    Attributes:
        logits: class scores ``(K, classes)``.
        probabilities: of the classes, ``(K, classes)``.
        steps: solver steps used.
        relative_objective, spread: where the solve ended.
        distinct: particles there that differ, see :func:`.distinct_particles`.
    """

    logits: Tensor
    probabilities: Tensor
    steps: Tensor
    relative_objective: Tensor
    spread: Tensor
    distinct: Tensor

    @property
    def predicted(self) -> Tensor:
        """Class index, int64."""
        return self.probabilities.argmax(1)


def load_digits(folder: Path, split: Split, card: dict, limit: int | None = None) -> Labelled:
    """The first ``limit`` digits of a split of MNIST (all if None), prepared for a model.

    Raises:
        UserError: the folder holds no MNIST.
    """
    digits = load_mnist(folder, split)
    clouds = [
        prepare(PointCloud(pixel_cloud(image).astype(np.float64), "digit"), card)
        for image in digits.images[:limit]
    ]
    return Labelled(clouds, digits.labels[:limit])


def flows(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Iterator[tuple[np.ndarray, Flow]]:
    """The solves of all clouds, batch by batch: which clouds, and their flow.

    Each cloud starts from a seed of its own, see :func:`ddeq.seeds.seed_of`.
    """
    for index in _batches(data, batch_size):
        clouds = [data.clouds[k] for k in index]
        seeds = [seed_of(settings.limits.seed, k) for k in index]
        yield index, flow_of_clouds(checkpoint.model, clouds, settings, seeds, device)


@torch.no_grad()
def predict(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Predictions:
    """Solve every cloud to its equilibrium and read it out, see :func:`flows`."""
    order, parts = [], []
    for index, flow in flows(checkpoint, data, settings, device, batch_size):
        end = flow.run()
        order.append(index)
        parts.append(_read_out(checkpoint, end.particles, end.steps, end.relative_objective))
    return _joined(order, parts)


@torch.no_grad()
def predict_along(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    counts: Sequence[int],
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> dict[int, Predictions]:
    """What is read out after each of these numbers of steps, whatever the objective: one solve."""
    order: list[np.ndarray] = []
    parts: dict[int, list[Predictions]] = {count: [] for count in counts}
    longest = settings.taking(max(counts))
    for index, flow in flows(checkpoint, data, longest, device, batch_size):
        order.append(index)
        for count, here in after(flow, counts):
            steps = torch.full_like(here.evaluations, here.step)
            found = _read_out(checkpoint, here.particles, steps, here.relative_objective)
            parts[count].append(found)
    return {count: _joined(order, found) for count, found in parts.items()}


def _read_out(
    checkpoint: Checkpoint, particles: Tensor, steps: Tensor, relative_objective: Tensor
) -> Predictions:
    found = Predictions(
        checkpoint.model.logits(particles),
        checkpoint.model.probabilities(particles),
        steps,
        relative_objective,
        spread(particles),
        distinct_particles(particles),
    )
    return Predictions(*(getattr(found, field.name).cpu() for field in fields(found)))


def _joined(order: Sequence[np.ndarray], parts: Sequence[Predictions]) -> Predictions:
    """Of batches of the clouds ``order``, in the order of the clouds."""
    back = torch.from_numpy(np.argsort(np.concatenate(order)))
    names = [field.name for field in fields(Predictions)]
    return Predictions(*(torch.cat([getattr(p, name) for p in parts])[back] for name in names))


@torch.no_grad()
def predict_at_once(
    checkpoint: Checkpoint,
    data: Labelled,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Tensor:
    """Class probabilities ``(K, classes)`` by a network that needs no solver."""
    order, parts = [], []
    for index in _batches(data, batch_size):
        x, mask = collate([data.clouds[k] for k in index])
        order.append(index)
        parts.append(checkpoint.model(x.to(device), mask.to(device)).softmax(-1))
    return torch.cat(parts).cpu()[torch.from_numpy(np.argsort(np.concatenate(order)))]


def _batches(data: Labelled, size: int) -> Iterator[np.ndarray]:
    """Which clouds make a batch, those of one size together."""
    order = np.argsort([len(cloud) for cloud in data.clouds], kind="stable")  # less padding
    return iter(tqdm(np.array_split(order, -(-len(order) // size)), unit="batch"))


def report(checkpoint: Checkpoint, data: Labelled, result: Predictions) -> dict:
    """Accuracy with its 95 % interval, and how far the solves came."""
    return {
        **counted(result.predicted.numpy(), data.labels),
        **equilibrium(result),
        "parameters": checkpoint.parameters,
    }


def counted(predicted: np.ndarray, labels: np.ndarray) -> dict:
    """How many of the classes ``predicted (K,)`` are right, with the 95 % interval of the share.

    ``class_accuracy`` is the mean over classes of the share that is right in each.
    """
    right = predicted == labels
    total, correct = len(labels), int(right.sum())
    low, high = wilson_interval(correct, total)
    return {
        "accuracy": correct / total,
        "class_accuracy": float(np.mean([right[labels == k].mean() for k in np.unique(labels)])),
        "correct": correct,
        "total": total,
        "interval": [low, high],
    }


def equilibrium(result: Predictions) -> dict:
    """How far the solves came."""
    return {
        "mean_steps": float(result.steps.float().mean()),
        "mean_relative_objective": float(result.relative_objective.mean()),
        "median_relative_objective": float(result.relative_objective.median()),
        "median_spread": float(result.spread.median()),
        "smallest_spread": float(result.spread.min()),
        "median_distinct": float(result.distinct.median()),
    }


def stability(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    result: Predictions,
    device: torch.device | str = "cpu",
) -> dict:
    """Is it an equilibrium? Solve five times longer without stopping, and from another seed.

    Longer means: every cloud takes five times the steps that ``result`` took on average.
    """
    limits = settings.limits
    steps = math.ceil(5 * float(result.steps.float().mean()))
    later = predict(checkpoint, data, settings.taking(steps), device)
    other = replace(settings, limits=replace(limits, seed=limits.seed + 1))
    again = predict(checkpoint, data, other, device)
    labels = torch.from_numpy(data.labels)
    return {
        "steps_5x": steps,
        "accuracy_5x": float((later.predicted == labels).float().mean()),
        "changed_5x": float((later.predicted != result.predicted).float().mean()),
        "median_relative_objective_5x": float(later.relative_objective.median()),
        "median_spread_5x": float(later.spread.median()),
        "accuracy_other_seed": float((again.predicted == labels).float().mean()),
        "agreement_of_seeds": float((again.predicted == result.predicted).float().mean()),
    }
