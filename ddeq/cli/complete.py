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
from ddeq.cli.input import add_input, read_input
from ddeq.cli.parser import Parser, add_common, save_file
from ddeq.cli.solving import add_run, load_kind, settings
from ddeq.input.formats.writers import WRITERS, writer_for
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
    """Solve, write the completed cloud, and tell how the run ended."""
    write = writer_for(options.out.name)
    device = pick_device(options.device)
    given = read_input(options, keep_all=True)
    checkpoint = load_kind(options.model or given.family.completer, "completer", device)
    chosen = settings(checkpoint, options)
    partial = cut(given, options, chosen.limits.seed)
    solve = CompleterRun(checkpoint, partial, chosen, device, free=options.free)
    solve.finish()
    completed = in_file_axes(solve.completed, given.up)
    known = np.arange(len(completed)) < len(solve.hollow.known)
    save_file(options.out, write(completed, known))
    return solve.outcome.to_dict() | {"notes": list(given.notes)}
