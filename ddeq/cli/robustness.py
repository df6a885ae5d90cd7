"""The task ``evaluate robustness``: what a classifier loses when its inputs are disturbed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ddeq.cli.modelnet import add_data_of_model
from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import add_run, load_kind, settings
from ddeq.evaluation.disturbances import DISTURBANCES, Disturbance
from ddeq.evaluation.modelnet import drawn
from ddeq.evaluation.painted import PICTURES
from ddeq.evaluation.robustness import Reader, judge
from ddeq.input.clouds import PointCloud
from ddeq.input.outliers import without_outliers
from ddeq.input.pictures import clouds_of, parse_picture
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.mnist import load_mnist
from ddeq.training.datasets.modelnet import load_modelnet
from ddeq.training.datasets.objects import labels_among
from ddeq.training.datasets.sources import folder_of

POINTS = 1024  # of a shape, before it is disturbed


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("robustness", help=run.__doc__, description=run.__doc__)
    add_data_of_model(task)
    task.add_argument("--split", choices=["test", "validation"], default="test")
    task.add_argument(
        "--limit", type=whole(1), default=400, help="so many inputs (default: %(default)s)"
    )
    add_card(task, "robustness")
    add_record(task)
    add_common(task)
    add_run(task)
    task.set_defaults(run=recorded(run), folder="DATA_FOLDER", model=weights_file("objects"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy on disturbed shapes, or on pictures of digits as people take them."""
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    flat = checkpoint.model.config.operator.input_dim == 2
    inputs, labels = (_digits if flat else _shapes)(checkpoint, options)
    conditions: Mapping[str, Reader] = (
        {name: partial(_pictured, paint) for name, paint in PICTURES.items()}
        if flat
        else {name: partial(_scanned, disturb) for name, disturb in DISTURBANCES.items()}
    )
    chosen = settings(checkpoint, options)
    rows = judge(checkpoint, inputs, labels, conditions, chosen, device)
    return {
        "model": checkpoint.card["name"],
        "split": options.split,
        "inputs": len(labels),
        "conditions": rows,
        "settings": chosen.to_dict(),
        "device": str(device),
    }


def _shapes(
    checkpoint: Checkpoint[Classifier], options: argparse.Namespace
) -> tuple[list[np.ndarray], np.ndarray]:
    """Points of each shape ``(M, 3)``, and the model's classes ``(K,)``."""
    found = load_modelnet(folder_of("modelnet", options.data)).part(options.split)
    shapes = drawn(found, options.limit)
    clouds = [cloud.double().numpy() for cloud in shapes.reservoir[:, :POINTS]]
    return clouds, labels_among(checkpoint.card["labels"], shapes.classes, shapes.labels.numpy())


def _digits(
    checkpoint: Checkpoint[Classifier], options: argparse.Namespace
) -> tuple[list[np.ndarray], np.ndarray]:
    """Images ``(28, 28)`` and classes ``(K,)``."""
    digits = load_mnist(options.data, "test" if options.split == "test" else "train")
    first = 0 if options.split == "test" else -checkpoint.card["validation"]
    return list(digits.images[first:][: options.limit]), digits.labels[first:][: options.limit]


def _scanned(disturb: Disturbance, points: np.ndarray, rng: np.random.Generator) -> PointCloud:
    """A disturbed cloud as it is read from a file."""
    cloud, _ = without_outliers(PointCloud(disturb(points, rng), "shape"))
    return cloud


def _pictured(paint: Any, image: np.ndarray, rng: np.random.Generator) -> PointCloud:
    """The first thing in a picture, as it is read from a file."""
    return clouds_of(parse_picture(paint(image), "", "a picture"), "a picture")[0]
