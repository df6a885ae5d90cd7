"""Options and models of commands that compare trained networks side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ddeq.cli.parser import Parser, whole
from ddeq.cli.solving import load_kind
from ddeq.errors import UserError
from ddeq.model.checkpoints import Checkpoint

COMPLETERS = {
    "ddeq": ("", "completer"),
    "control": ("-control", "completer"),
    "pcn": ("-pcn", "pcn"),
}
"""What is compared: for each method what its recipe's name adds to the DDEQ's, and its kind."""


def add_steps_table(task: Parser) -> None:
    """The option to solve with fewer steps, too."""
    task.add_argument("--steps-table", action="store_true", help="also with 0, 1, 2, 4, ... steps")


def add_runs(task: Parser, examples: str) -> None:
    """The options of :func:`compared`."""
    task.add_argument(
        "--runs",
        type=Path,
        help=f"folder of training runs to compare, such as {examples}; default: the shipped models",
    )
    task.add_argument(
        "--seeds",
        type=whole(0),
        nargs="+",
        default=[0, 1, 2],
        help="of those runs (default: 0 1 2)",
    )


def compared(
    methods: Mapping[str, tuple[str, str]],
    options: argparse.Namespace,
    device: torch.device,
) -> dict[str, dict[str, Checkpoint[Any]]]:
    """What there is of each method, by training: of each run, or what lies beside the DDEQ."""
    models, ddeq = {}, options.model
    for method, (suffix, kind) in methods.items():
        name = f"{ddeq.stem}{suffix}"
        files = {name: ddeq.with_name(f"{name}.safetensors")}
        if getattr(options, "runs", None) is not None:
            runs = [options.runs / f"{name}-{seed}" for seed in options.seeds]
            files = {run.name: run / f"{name}.safetensors" for run in runs}
        if found := _loaded(files, kind, device):
            models[method] = found
    return models


def _loaded(
    files: Mapping[str, Path], kind: str, device: torch.device
) -> dict[str, Checkpoint[Any]]:
    """The models that are there; what is missing is named on stderr."""
    found = {}
    for name, path in files.items():
        try:
            found[name] = load_kind(path, kind, device)
        except UserError as error:
            print(f"Without {name}: {error}", file=sys.stderr)
    return found
