"""Parsing of command lines, without knowing any command."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ddeq.errors import UserError


@dataclass(frozen=True)
class Section:
    """A part of a command's help about options that are declared elsewhere.

    Attributes:
        title, text: its head, and what it says first.
        options: of each its flag and what it does.
    """

    title: str
    text: str
    options: tuple[tuple[str, str], ...]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are user errors like all others.

    Attributes:
        sections: what the help tells after the options.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # a hole at -1,2 is no option either
        self.sections: list[Section] = []

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}: see {self.prog} --help.")

    def format_help(self) -> str:
        parts = [super().format_help()]
        for section in self.sections:
            formatter = self._get_formatter()
            formatter.start_section(section.title)
            formatter.add_text(section.text)
            formatter.add_arguments(
                argparse.Action([flag], dest="", metavar="X", help=text)
                for flag, text in section.options
            )
            formatter.end_section()
            parts.append(formatter.format_help())
        return "\n".join(parts)


def add_common(sub: argparse.ArgumentParser) -> None:
    """What all commands take that have a result."""
    sub.add_argument("--json", action="store_true", help="print one JSON object")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")


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
