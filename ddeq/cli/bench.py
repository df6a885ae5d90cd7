"""How fast things are, against what they are to be compared with in the same run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ddeq.bench import BENCHES, USUAL, Sizes, bench
from ddeq.bench.load import ENGINES
from ddeq.cli.parser import Parser, add_common
from ddeq.cli.recording import add_record, recorded
from ddeq.run.device import pick_device


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    sub.add_argument(
        "what", nargs="?", choices=BENCHES, help=f"only this; default: {' and '.join(USUAL)}"
    )
    sub.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="compare with other code: see ddeq/bench/against.py",
    )
    sub.add_argument("--steps", type=int, default=200, help="of one solve (default: %(default)s)")
    sub.add_argument(
        "--repeats", type=int, default=5, help="of every measurement (default: %(default)s)"
    )
    sub.add_argument(
        "--sessions",
        type=int,
        default=50,
        help="that solve at the same time, for load (default: %(default)s)",
    )
    sub.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="by which they do: in turns in this process, or ray, the service of DDEQ_ENGINE or "
        "one that is started (default: %(default)s)",
    )
    add_record(sub)
    add_common(sub)


@recorded
def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for."""
    names = (options.what,) if options.what else USUAL
    device = pick_device(options.device)
    sizes = Sizes(device, options.steps, options.repeats, options.sessions, options.engine)
    return bench(names, sizes, options.against)
