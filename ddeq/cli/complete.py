"""Complete a digit, or an object in space; a part of it is removed first where one is named.

What is written has the units and axes of the file. Where the truth is known the result tells how
far from it the completion is, in units of the standardised truth: chamfer is not squared (CD-l1),
chamfer_squared is (CD-l2).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ddeq.cli.cuts import add_cuts, cut
from ddeq.cli.elsewhere import finished, shipped_name
from ddeq.cli.input import add_input, read_input
from ddeq.cli.parser import Parser, add_common, save_file
from ddeq.cli.solving import add_run, load_kind, said, settings
from ddeq.engine import Request, submit
from ddeq.engine.remote import engine_address
from ddeq.input.formats.writers import WRITERS, writer_for
from ddeq.input.hollow import Hollow
from ddeq.run.completion import CompleterRun
from ddeq.run.device import pick_device
from ddeq.run.export import in_file_axes


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    add_input(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help=", ".join(WRITERS))
    add_cuts(sub)
    sub.add_argument(
        "--free", type=int, help="how many particles complete it; default: the model's rule"
    )
    add_common(sub)
    add_run(sub, without=["particles"])


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Solve, here or where ``DDEQ_ENGINE`` says, write the completed cloud, tell how it ended."""
    write = writer_for(options.out.name)
    device = pick_device(options.device)
    given = read_input(options, keep_all=True)
    weights = options.model or given.family.completer
    checkpoint = load_kind(weights, "completer", device)
    chosen = settings(checkpoint, options)
    partial = cut(given, options, chosen.limits.seed)
    if engine_address():
        outcome = finished(submit(_request(shipped_name(weights), partial, options)))
        cloud = np.concatenate([partial.known, np.array(outcome.pop("filled"))])
    else:
        solve = CompleterRun(checkpoint, partial, chosen, device, free=options.free)
        solve.finish()
        outcome, cloud = solve.outcome.to_dict(), solve.completed
    completed = in_file_axes(cloud, given.up)
    known = np.arange(len(completed)) < len(partial.known)
    save_file(options.out, write(completed, known))
    return outcome | {"notes": list(given.notes)}


def _request(name: str, partial: Hollow, options: argparse.Namespace) -> Request:
    """The same completion as plain data."""
    points = partial.known if partial.truth is None else partial.truth
    cut = range(len(partial.known), len(points))
    return Request.of(name, points, said(options), cut, options.free)
