"""The task ``evaluate upright``: whether a classifier finds which way is up."""

from __future__ import annotations

import argparse
from typing import Any, Literal

import numpy as np

from ddeq.cli.modelnet import add_data
from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import MODEL, load_kind
from ddeq.evaluation.modelnet import drawn
from ddeq.evaluation.upright import judge, learn_margin, six_scores
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.records import tell_card
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.modelnet import ModelNet, load_modelnet
from ddeq.training.datasets.objects import labels_among
from ddeq.training.datasets.sources import folder_of

POINTS = 1024


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("upright", help=run.__doc__, description=run.__doc__)
    add_data(task)
    task.add_argument("--model", type=weights_file, metavar="MODEL", help=f"{MODEL}; default: ours")
    task.add_argument(
        "--limit", type=whole(1), default=500, help="shapes of either split (default: %(default)s)"
    )
    add_card(task, "upright")
    add_record(task)
    add_common(task)
    task.set_defaults(run=recorded(run), model=weights_file("objects"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """By what margin an object must be recognised better to be turned: chosen on validation shapes.

    With --card it is told to the model, too, which heeds it from then on.
    """
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    found = load_modelnet(folder_of("modelnet", options.data))
    margin = learn_margin(*_scores(checkpoint, found, "validation", options))
    tried = _scores(checkpoint, found, options.split, options)
    if options.card is not None:
        tell_card(options.model.with_suffix(".json"), "up_margin", margin)
    return {
        "model": checkpoint.card["name"],
        "split": options.split,
        "shapes": len(tried[0]),
        "up_margin": margin,
        **judge(*tried, margin),
        "device": str(device),
    }


def _scores(
    checkpoint: Checkpoint[Classifier],
    found: ModelNet,
    split: Literal["validation", "test"],
    options: argparse.Namespace,
) -> tuple[np.ndarray, np.ndarray]:
    """See :func:`ddeq.evaluation.upright.six_scores`."""
    shapes = drawn(found.part(split), options.limit)
    labels = labels_among(checkpoint.card["labels"], shapes.classes, shapes.labels.numpy())
    clouds = [cloud.double().numpy() for cloud in shapes.reservoir[:, :POINTS]]
    return six_scores(checkpoint, clouds, labels, str(pick_device(options.device)))
