"""The command line: classify, complete, train, evaluate, bench, info.

Results go to stdout, with ``--json`` as exactly one JSON object; progress goes to stderr. What the
user gave wrong is one sentence on stderr and exit status 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ddeq.cli import evaluate, solve, workshop
from ddeq.cli.options import Parser
from ddeq.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = _parser().parse_args(arguments)
        result = options.command(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print(json.dumps(result) if options.json else _readable(result))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m ddeq", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (solve, workshop, evaluate):
        part.add_commands(commands)
    return parser


def _readable(result: dict, indent: str = "") -> str:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _readable(value, indent + "  ")]
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"{indent}{name}: {shown}")
    return "\n".join(lines)
