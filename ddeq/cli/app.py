"""Start the app; all options are Streamlit's, such as --server.port 8080."""

from __future__ import annotations

import argparse
import runpy
import sys
from importlib.util import find_spec
from typing import NoReturn

from ddeq.cli.parser import Parser
from ddeq.shipped import root


def add_options(sub: Parser) -> None:
    """The options of :func:`run` are not ours to check."""
    sub.set_defaults(passes_on=True)


def run(options: argparse.Namespace) -> NoReturn:
    """Serve the app until it is stopped, as ``streamlit run app.py`` does.

    Raises:
        ModuleNotFoundError: Streamlit is missing.
    """
    if find_spec("streamlit") is None:
        raise ModuleNotFoundError(name="streamlit")
    sys.argv = ["streamlit", "run", str(root() / "app.py"), *options.rest]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    raise SystemExit  # which Streamlit has raised already
