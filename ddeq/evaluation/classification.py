"""How good a classifier is on many clouds, and how much of that is its equilibrium."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ddeq.evaluation.steps import stopped_after
from ddeq.input.clouds import PointCloud
from ddeq.input.images import pixel_cloud
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.metrics.intervals import wilson_interval
from ddeq.metrics.particles import spread
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow, StopRule, seeded
from ddeq.training.datasets.mnist import Split, load_mnist


@dataclass(frozen=True)
class Labelled:
    """Prepared clouds and their classes.

    Attributes:
        clouds: ``K`` arrays ``(M_k, d_x)``, see :func:`ddeq.input.prepare.prepare`.
        labels: ``(K,)`` int64.
    """

    clouds: Sequence[np.ndarray]
    labels: np.ndarray


@dataclass(frozen=True)
class Predictions:
    """What the model said of each of ``K`` clouds, one entry each.

    Attributes:
        probabilities: of the classes, ``(K, classes)``.
        steps: solver steps used.
        relative_objective, spread: where the solve ended.
    """

    probabilities: Tensor
    steps: Tensor
    relative_objective: Tensor
    spread: Tensor

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

    Cloud ``k`` starts from seed ``seed * 1,000,003 + k``, so that a cloud's result does not depend
    on its batch and two seeds share no start.
    """
    model, limits = checkpoint.model, settings.limits
    for index, x, mask in _batches(data, batch_size):
        seeds = [limits.seed * 1_000_003 + int(k) for k in index]
        yield (
            index,
            model.flow(
                x.to(device),
                mask.to(device),
                model.start(seeds, limits.particles).to(device),
                solver=settings.solver,
                kernel=settings.kernel,
                stop=StopRule(limits.steps, limits.tolerance),
                noise=limits.noise,
                generators=seeded([seed + 2**31 for seed in seeds]),
                velocity=False,
            ),
        )


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
        parts.append(
            Predictions(
                checkpoint.model.probabilities(end.particles),
                end.steps,
                end.relative_objective,
                spread(end.particles),
            )
        )
    back = torch.from_numpy(np.argsort(np.concatenate(order)))

    def joined(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts]).cpu()[back]

    return Predictions(*map(joined, ("probabilities", "steps", "relative_objective", "spread")))


@torch.no_grad()
def predict_at_once(
    checkpoint: Checkpoint,
    data: Labelled,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Tensor:
    """Class probabilities ``(K, classes)`` by a network that needs no solver."""
    order, parts = [], []
    for index, x, mask in _batches(data, batch_size):
        order.append(index)
        parts.append(checkpoint.model(x.to(device), mask.to(device)).softmax(-1))
    return torch.cat(parts).cpu()[torch.from_numpy(np.argsort(np.concatenate(order)))]


def _batches(data: Labelled, size: int) -> Iterator[tuple[np.ndarray, Tensor, Tensor]]:
    """Batches of clouds, those of one size together: their indices, points and mask."""
    order = np.argsort([len(cloud) for cloud in data.clouds], kind="stable")  # less padding
    for index in tqdm(np.array_split(order, -(-len(order) // size)), unit="batch"):
        yield index, *collate([data.clouds[k] for k in index])


def report(checkpoint: Checkpoint, data: Labelled, result: Predictions) -> dict:
    """Accuracy with its 95 % interval, and how far the solves came."""
    total = len(data.labels)
    correct = int((result.predicted.numpy() == data.labels).sum())
    low, high = wilson_interval(correct, total)
    return {
        "accuracy": correct / total,
        "correct": correct,
        "total": total,
        "interval": [low, high],
        **equilibrium(result),
        "parameters": checkpoint.parameters,
    }


def equilibrium(result: Predictions) -> dict:
    """How far the solves came."""
    return {
        "mean_steps": float(result.steps.float().mean()),
        "mean_relative_objective": float(result.relative_objective.mean()),
        "median_relative_objective": float(result.relative_objective.median()),
        "median_spread": float(result.spread.median()),
        "smallest_spread": float(result.spread.min()),
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
    later = predict(checkpoint, data, stopped_after(settings, steps), device)
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
