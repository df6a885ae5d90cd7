"""Keeping what a command finds, with where it comes from: ``--card`` and ``--record``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from ddeq.cli.parser import Parser
from ddeq.errors import UserError
from ddeq.provenance import provenance, typed
from ddeq.records import into_card, into_file, record
from ddeq.run.settings import Limits

Task = Callable[[argparse.Namespace], dict[str, Any]]

RUNS = {"--runs": "RUNS_FOLDER", "--furniture": "FURNITURE_FOLDER"}
"""What stands in recorded commands for paths, beside those of the data."""


def add_record(sub: Parser) -> None:
    """The option of :func:`recorded` that every command has."""
    sub.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write the result there, too, with command, commit, versions and machine",
    )


def add_card(sub: Parser, name: str = "") -> None:
    """The option of :func:`recorded` where a model, and maybe others beside it, is evaluated.

    Args:
        sub: the command.
        name: of the record where none is given; that of the split if empty.
    """
    sub.add_argument(
        "--card",
        nargs="?",
        const=name,
        metavar="NAME",
        help="the same into the card of the model, under this name; "
        f"default: {name or 'the split'}",
    )


def recorded(task: Task) -> Task:
    """A command that also writes its result where ``--card`` and ``--record`` say."""

    @wraps(task)
    def run(options: argparse.Namespace) -> dict[str, Any]:
        asked = getattr(options, "card", None)
        card = None if asked is None else options.model.with_suffix(".json")
        for file in filter(None, (card, options.record)):
            if not file.parent.is_dir():  # told before the work rather than after
                raise UserError(f"There is no folder '{file.parent}' to write to: make it first.")
        folders = RUNS | ({"--data": options.folder} if hasattr(options, "folder") else {})
        origin = provenance(
            typed("ddeq", options.typed, folders)
        )  # before the code on disk changes
        result = task(options)
        origin |= _seeds(options)
        if card is not None:
            into_card(card, asked or options.split, record(result, origin))
        if options.record is not None:
            into_file(options.record, record(result, origin))
        return result

    return run


def _seeds(options: argparse.Namespace) -> dict[str, Any]:
    """The seed of the solves, and those of the trainings, where there are any."""
    found: dict[str, Any] = {}
    if hasattr(options, "seed"):
        found["seed"] = int(float(options.seed or Limits().seed))
    if getattr(options, "runs", None) is not None and hasattr(options, "seeds"):
        found["trainings"] = list(options.seeds)
    return found
