"""Start the app; all options are Streamlit's, such as --server.port 8080."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ddeq.cli.parser import Parser
from ddeq.shipped import root


def add_options(sub: Parser) -> None:
    """The options of :func:`run` are not ours to check."""
    sub.set_defaults(passes_on=True)


def run(options: argparse.Namespace) -> NoReturn:
    """Serve the app until it is stopped."""
    from streamlit.web import cli as streamlit  # which the library does without

    streamlit.main(["run", str(root() / "app.py"), *options.rest], prog_name="ddeq app")
    raise SystemExit  # which Streamlit has raised already
