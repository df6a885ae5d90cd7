"""The command line: ``ddeq COMMAND``, or ``python -m ddeq COMMAND``.

Results go to stdout, with ``--json`` as exactly one JSON object; progress goes to stderr. What the
user gave wrong is one sentence on stderr and exit status 2.

A command is a module of this folder with ``add_options(parser)`` and ``run(options)``, and a line
in ``COMMANDS``. It is imported when it is asked for, so that none waits for what others need.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ddeq import __version__
from ddeq.cli.parser import Parser
from ddeq.errors import UserError


@dataclass(frozen=True)
class Command:
    """What ``ddeq --help`` says of a command.

    Attributes:
        help: one line.
        extra: the extra of ``pyproject.toml`` whose packages it needs, if any.
    """

    help: str
    extra: str | None = None


COMMANDS = {
    "classify": Command("the class of a digit, or of an object in space"),
    "complete": Command("what is missing of a digit, or of an object in space"),
    "train": Command("train a model by a recipe", "train"),
    "evaluate": Command("how good models are on many clouds", "train"),
    "doctor": Command("how a model's solves are, and what to do", "train"),
    "bench": Command("how fast things are on this machine"),
    "info": Command("versions, device and the models that ship"),
    "app": Command("start the app", "app"),
    "serve": Command("start an engine that solves for others", "serve"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parse(given)
        result = options.run(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        name = error.name or "ddeq"
        if name.startswith("ddeq") or COMMANDS[given[0]].extra is None:
            raise
        print(_missing(name, given[0]), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print(json.dumps(result) if options.json else readable(result))
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command that is named first; of the others only their names are known."""
    program = "ddeq" if Path(sys.argv[0]).stem == "ddeq" else "python -m ddeq"
    parser = Parser(prog=program, description="Distributional deep equilibrium models.")
    parser.add_argument("--version", action="version", version=f"ddeq {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help)
        if arguments[:1] == [name]:
            module = import_module(f"ddeq.cli.{name}")
            sub.description = module.__doc__
            sub.set_defaults(run=getattr(module, "run", None), passes_on=False)
            module.add_options(sub)
    options, rest = parser.parse_known_args(arguments)
    options.typed = arguments
    if options.passes_on:
        options.rest = arguments[1:]
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _missing(package: str, command: str) -> str:
    """How to get a package that only some commands need."""
    extra = COMMANDS[command].extra
    return (
        f"'{command}' needs the package {package}, which is missing: "
        f"pip install 'ddeq[{extra}]' brings it."
    )


def readable(result: Mapping[str, Any], indent: str = "") -> str:
    """A result as indented lines; what is empty is left out."""
    lines = []
    for name, value in result.items():
        if value is None or (isinstance(value, dict | list | tuple | str) and not value):
            continue
        if isinstance(value, dict):
            if inside := readable(value, indent + "  "):
                lines += [f"{indent}{name}:", inside]
        else:
            lines.append(f"{indent}{name}: {_shown(value)}")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
