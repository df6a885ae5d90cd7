"""What the commands have in common: their parsers, settings of a solve, models by kind."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import torch

from ddeq.errors import UserError
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.settings import Limits, RunSettings, with_defaults
from ddeq.settings import settings_of
from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS

Command = Callable[[argparse.Namespace], dict]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are user errors like all others."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # a hole at -1,2 is no option either

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}: see {self.prog} --help.")


def add_command(
    commands: argparse._SubParsersAction, name: str, command: Command
) -> argparse.ArgumentParser:
    """A command with what all of them take."""
    sub = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
    sub.set_defaults(command=command)
    sub.add_argument("--json", action="store_true", help="print one JSON object")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda")
    return sub


def add_run(sub: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
    """A model and the settings of a solve."""
    sub.add_argument("--model", type=Path, help="a .safetensors file; default: the shipped one")
    sub.add_argument("--solver", help=", ".join(SOLVERS))
    sub.add_argument("--kernel", help=", ".join(KERNELS))
    for setting in (s for s in _all_settings() if s.name not in without):
        flag = "--" + setting.name.replace("_", "-")
        sub.add_argument(flag, dest=setting.name, metavar="X", help=setting.hint)


def said(options: argparse.Namespace) -> dict[str, object]:
    """The settings that the command line names."""
    names = ["solver", "kernel", *(s.name for s in _all_settings())]
    named = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in named.items() if value is not None}


def settings(checkpoint: Checkpoint, options: argparse.Namespace) -> RunSettings:
    """The model card's settings, with what the command line says instead."""
    return with_defaults(checkpoint.card, said(options))


def _all_settings() -> list:
    """Every setting of any solver, kernel or limit, once by name."""
    kinds = (*SOLVERS.values(), *KERNELS.values(), Limits)
    return list({s.name: s for kind in kinds for s in settings_of(kind)}.values())


def kind_of(checkpoint: Checkpoint) -> str:
    """A name out of ``ddeq.model.kinds.KINDS``."""
    return checkpoint.card.get("kind", "classifier")


def load_kind(weights: Path, kind: str, device: torch.device) -> Checkpoint:
    """A model of this kind.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    checkpoint = load(weights, device)
    if kind_of(checkpoint) != kind:
        raise UserError(
            f"{weights} is a {kind_of(checkpoint)} and not a {kind}: give another --model."
        )
    return checkpoint


def numbers(form: str) -> Callable[[str], tuple[float, ...]]:
    """Reads finite numbers with commas between them, as many as ``form``, such as "X,Y,R", has."""

    def parse(text: str) -> tuple[float, ...]:
        try:
            found = tuple(float(word) for word in text.split(","))
        except ValueError:
            found = ()
        if len(found) != len(form.split(",")) or not all(map(math.isfinite, found)):
            raise argparse.ArgumentTypeError(f"'{text[:40]}' is not {form}")
        return found

    return parse


def whole(low: int) -> Callable[[str], int]:
    """Reads whole numbers from ``low``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"'{text[:40]}' is not a whole number from {low}")
        return int(text)

    return parse


def save_file(path: Path, content: bytes) -> None:
    """Write a file that a person asked for.

    Raises:
        UserError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"'{path}' cannot be written ({error.strerror}), so give another --out."
        ) from error
