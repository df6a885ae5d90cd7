"""Commands about one file: classify, complete. A flat cloud is a digit, any other an object."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ddeq.cli.cuts import add_cuts, cut
from ddeq.cli.input import add_input, read_input
from ddeq.cli.options import add_command, add_run, load_kind, save_file, settings
from ddeq.input.formats.writers import WRITERS, writer_for
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import ASSETS
from ddeq.run.classification import ClassifierRun
from ddeq.run.completion import CompleterRun
from ddeq.run.device import pick_device
from ddeq.run.export import in_file_axes


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Their options."""
    sub = add_command(commands, "classify", classify)
    add_input(sub)
    add_run(sub)

    sub = add_command(commands, "complete", complete)
    add_input(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help=", ".join(WRITERS))
    add_cuts(sub)
    sub.add_argument(
        "--free", type=int, help="how many particles complete it; default: the model's rule"
    )
    add_run(sub, without=["particles"])


def classify(options: argparse.Namespace) -> dict:
    """Classify a digit, or an object in space."""
    device = pick_device(options.device)
    given = read_input(options)
    weights = options.model or ASSETS / f"{given.family.classifier}.safetensors"
    checkpoint = load_kind(weights, "classifier", device)
    chosen = settings(checkpoint, options)
    run = ClassifierRun(checkpoint, prepare(given.cloud, checkpoint.card), chosen, device)
    for _ in run:
        pass
    return run.outcome.to_dict()


def complete(options: argparse.Namespace) -> dict:
    """Complete a digit, or an object in space; a part of it is removed first where one is named.

    What is written has the units and axes of the file.
    """
    write = writer_for(options.out.name)
    device = pick_device(options.device)
    given = read_input(options)
    weights = options.model or ASSETS / f"{given.family.completer}.safetensors"
    checkpoint = load_kind(weights, "completer", device)
    chosen = settings(checkpoint, options)
    partial = cut(given, options, chosen.limits.seed)
    run = CompleterRun(checkpoint, partial, chosen, device, free=options.free)
    for _ in run:
        pass
    completed = in_file_axes(run.completed, given.up)
    known = np.arange(len(completed)) < len(run.hollow.known)
    save_file(options.out, write(completed, known))
    return run.outcome.to_dict()
