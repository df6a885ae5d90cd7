"""The class of a digit, or of an object in space: a cloud that is not flat, or a mesh."""

from __future__ import annotations

import argparse
from typing import Any

from ddeq.cli.elsewhere import finished, shipped_name
from ddeq.cli.input import add_input, read_input, stood_up
from ddeq.cli.parser import Parser, add_common
from ddeq.cli.solving import add_run, load_kind, said, settings
from ddeq.engine import Request, submit
from ddeq.engine.remote import engine_address
from ddeq.input.prepare import prepare
from ddeq.run.classification import ClassifierRun
from ddeq.run.device import pick_device


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    add_input(sub)
    sub.add_argument(
        "--keep-all",
        action="store_true",
        help="also points that lie apart from the others, which are left out of a scan otherwise",
    )
    add_common(sub)
    add_run(sub)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Solve, here or where ``DDEQ_ENGINE`` says, and tell how the run ended."""
    device = pick_device(options.device)
    given = read_input(options, options.keep_all)
    weights = options.model or given.family.classifier
    checkpoint = load_kind(weights, "classifier", device)
    given = stood_up(given, checkpoint, device)
    chosen = settings(checkpoint, options)
    if engine_address():
        request = Request.of(shipped_name(weights), given.cloud.points, said(options))
        return finished(submit(request)) | {"notes": list(given.notes)}
    solve = ClassifierRun(checkpoint, prepare(given.cloud, checkpoint.card), chosen, device)
    solve.finish()
    return solve.outcome.to_dict() | {"notes": list(given.notes)}
