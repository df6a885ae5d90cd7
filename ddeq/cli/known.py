"""The task ``evaluate known``: whether a classifier knows what it does not know."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ddeq.cli.modelnet import add_data_of_model
from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import MODEL, load_kind
from ddeq.evaluation.known import Tried, judge, learn
from ddeq.evaluation.modelnet import drawn
from ddeq.evaluation.objects import answers_of
from ddeq.evaluation.strangers import IN_SPACE, IN_THE_PLANE, POINTS, Draw, lying
from ddeq.input.images import pixel_cloud
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.records import tell_card
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.mnist import load_mnist
from ddeq.training.datasets.modelnet import load_modelnet
from ddeq.training.datasets.objects import labels_among, load_furniture
from ddeq.training.datasets.sources import CACHE, folder_of

Split = Literal["validation", "test"]
SEEDS = {"validation": 0, "test": 1}  # of strangers
STRANGERS = 200  # of each kind


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("known", help=run.__doc__, description=run.__doc__)
    add_data_of_model(task)
    task.add_argument(
        "--furniture",
        type=Path,
        metavar="FURNITURE_FOLDER",
        help="with furniture, of which kinds that the model has no class for are strangers, too",
    )
    task.add_argument("--model", type=weights_file, metavar="MODEL", help=f"{MODEL}; default: ours")
    task.add_argument(
        "--limit",
        type=whole(2),
        default=1000,
        help="so many clouds of either split (default: %(default)s)",
    )
    add_card(task, "known")
    add_record(task)
    add_common(task)
    task.set_defaults(run=recorded(run), folder="DATA_FOLDER", model=weights_file("objects"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Calibration, and what is unlike all that was learned: chosen on validation, tried on test.

    With --card both are told to the model, too, which heeds them from then on.
    """
    device = str(pick_device(options.device))
    checkpoint = load_kind(options.model, "classifier", pick_device(options.device))
    entry, how = learn(checkpoint, _tried(checkpoint, options, "validation"), device)
    found = judge(checkpoint, entry, _tried(checkpoint, options, "test"), device)
    if options.card is not None:
        tell_card(options.model.with_suffix(".json"), "known", entry)
    return {
        "model": checkpoint.card["name"],
        "temperature": entry["temperature"],
        **how,
        **found,
        "device": device,
    }


def _tried(checkpoint: Checkpoint[Classifier], options: argparse.Namespace, split: Split) -> Tried:
    """Clouds of a split, and strangers that are other ones for each."""
    if checkpoint.model.config.operator.input_dim == 2:
        return _digits(checkpoint, options, split)
    found = load_modelnet(folder_of("modelnet", options.data))
    shapes = drawn(found.part(split), options.limit)
    clouds = [cloud.numpy() for cloud in shapes.reservoir[:, :POINTS]]
    labels = labels_among(checkpoint.card["labels"], shapes.classes, shapes.labels.numpy())
    rng = np.random.default_rng(SEEDS[split])
    strangers = {"wrong way up": [lying(x, rng) for x in clouds[:STRANGERS]]}
    strangers |= _strangers(IN_SPACE, split)
    if split == "test" and options.furniture is not None:
        strangers["furniture without a class"] = _without_class(options.furniture, checkpoint)
    return Tried(clouds, labels, strangers)


def _digits(checkpoint: Checkpoint[Classifier], options: argparse.Namespace, split: Split) -> Tried:
    digits = load_mnist(options.data, "train" if split == "validation" else "test")
    last = checkpoint.card["validation"] if split == "validation" else len(digits.labels)
    images = digits.images[-last:][: options.limit]
    labels = digits.labels[-last:][: options.limit]
    return Tried([pixel_cloud(x) for x in images], labels, _strangers(IN_THE_PLANE, split))


def _strangers(kinds: dict[str, Draw], split: Split) -> dict[str, list[np.ndarray]]:
    """So many of each kind."""
    found = {}
    for number, (kind, draw) in enumerate(kinds.items()):
        rng = np.random.default_rng((SEEDS[split], number))
        found[kind] = [draw(rng) for _ in range(STRANGERS)]
    return found


def _without_class(folder: Path, checkpoint: Checkpoint[Classifier]) -> list[np.ndarray]:
    """Furniture of kinds that the model has no class for: whatever part it is of, none was seen."""
    pieces = load_furniture(folder, folder / CACHE).part("train", "validation", "test")
    known = {*checkpoint.card["labels"]}
    which = [k for k, a in enumerate(answers_of(pieces)) if not known.intersection(a.right)]
    return [cloud.numpy() for cloud in pieces.reservoir[which, :POINTS]]
