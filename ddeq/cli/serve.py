"""Start an engine that solves for others: DDEQ_ENGINE=http://HOST:PORT has ddeq use it.

Whoever reaches the port can have it solve, so let only those reach it who may.
"""

from __future__ import annotations

import argparse
import threading
from importlib.util import find_spec
from typing import Any

from ddeq.cli.parser import Parser, whole
from ddeq.engine.ray_serve import Place, start, stop


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    usual = Place()
    sub.add_argument("--host", default=usual.host, help="where it listens (default: %(default)s)")
    sub.add_argument("--port", type=whole(1), default=usual.port, help="(default: %(default)s)")
    sub.add_argument(
        "--replicas",
        type=whole(1),
        default=usual.replicas,
        help="copies at most, each with a core or a GPU (default: %(default)s)",
    )
    sub.add_argument("--json", action="store_true", help="print one JSON object at the end")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Serve until it is interrupted.

    Raises:
        ModuleNotFoundError: Ray is missing.
    """
    if find_spec("ray") is None:
        raise ModuleNotFoundError(name="ray")
    try:
        start(Place(options.host, options.port, options.replicas))
        print(f"The engine is at http://{options.host}:{options.port}", flush=True)
        threading.Event().wait()
    finally:
        stop()
    return {}
