"""The task ``evaluate gradients``: what each gradient mode is worth on a classifier."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.recording import add_record, recorded
from ddeq.cli.solving import MODEL, load_kind
from ddeq.errors import UserError
from ddeq.evaluation.gradients import Sizes, compare
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.objects import ObjectClouds
from ddeq.training.datasets.packed import Batch
from ddeq.training.datasets.sources import SOURCES, folder_of


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("gradients", help=run.__doc__, description=run.__doc__)
    task.add_argument(
        "--data", type=Path, metavar="FOLDER", help="with what the model was trained on"
    )
    task.add_argument("--model", type=weights_file, metavar="MODEL", help=f"{MODEL}; default: ours")
    for name, default, text in (
        ("clouds", 32, "in the batch, of those held out from training"),
        ("steps", Sizes.steps, "to the equilibrium"),
        ("applications", Sizes.applications, "of F in the mode phantom-k"),
        ("repeats", Sizes.repeats, "of each measurement"),
    ):
        task.add_argument(
            f"--{name}", type=whole(1), default=default, help=f"{text} (default: %(default)s)"
        )
    task.add_argument(
        "--damping",
        type=float,
        default=Sizes.damping,
        help="of phantom-k and of reversible steps (default: %(default)s)",
    )
    add_record(task)
    add_common(task)
    task.set_defaults(run=recorded(run), folder="FOLDER", model=weights_file("digits"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Angle to the unrolled gradient, memory and time of each gradient mode, on a classifier."""
    if not 0 < options.damping < 1:
        raise UserError(f"A damping of {options.damping} is not between 0 and 1: give another.")
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    batch = _held_out(checkpoint.card, options).to(device)
    sizes = Sizes(options.steps, options.applications, options.damping, options.repeats)
    return {
        "model": checkpoint.card["name"],
        "clouds": len(batch.labels),
        **{name: getattr(options, name) for name in ("steps", "applications", "damping")},
        "modes": compare(checkpoint.model, batch, sizes),
        "device": str(device),
    }


def _held_out(card: dict[str, Any], options: argparse.Namespace) -> Batch:
    """Clouds that a model was validated on, always the same ones."""
    data = card.get("data")
    if data not in SOURCES:
        raise UserError(f"The model's card names no data ({data}): give another --model.")
    _, clouds = SOURCES[data].load(folder_of(data, options.data), card.get("validation", 0), True)
    if isinstance(clouds, ObjectClouds):
        clouds = clouds.labelled_as(card["labels"])
    if not len(clouds):
        raise UserError("The model held out no clouds from training: give another --model.")
    generator = torch.Generator().manual_seed(0)
    index = torch.randperm(len(clouds), generator=generator)[: options.clouds]
    return clouds.batch(index, card["points"], generator)
