"""Numbers in plain text, one point a line: .csv .txt .xyz .pts .asc.

No two programs write them alike, so the layout is found from the first lines: what separates the
numbers, whether the decimal sign is a comma, which lines before them name the columns or count the
points. What is used and what is left out is said in notes.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES, choose, find_axes
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, cut_short, too_many_points
from ddeq.input.formats.plain import MISSING, Ragged, decode, read_numbers

_MAX_LINE = 4_096  # bytes; a point takes far less
_LOOKED_AT = 50  # lines that decide the layout
_WIDTHS = (4, 6, 7, 9, 10)  # x, y, z and an intensity, colours, normals

_NUMBER = re.compile(
    rf"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?inf(?:inity)?|{MISSING}", re.IGNORECASE
)
_FORTRAN = re.compile(rb"(?<=[\d.])[dD](?=[+-]?\d)")
_SIGNS = r"(?:#|//|/\*|%|!|--|\*|@|\$|>|;)"  # that comments start with
_SIGNS_BUT_SEMICOLON = _SIGNS.replace("|;", "")  # where that separates numbers
_BEHIND = r"[ \t](?://|%|!).*$"  # a comment behind numbers
_PLAIN = b"0123456789+-.,;eE \t\n|"  # nothing but numbers and what separates them


def _signs(separator: str | None) -> str:
    return _SIGNS_BUT_SEMICOLON if separator == ";" else _SIGNS


def _bare(line: str) -> str:
    """Without the comment behind it."""
    return re.sub(rf"{_BEHIND}|(?<!1\.)#.*$", "", line).strip()


def _is_comment(line: str, separator: str | None = None) -> bool:
    return re.match(_signs(separator), line) is not None


@dataclass(frozen=True)
class _Layout:
    """How the rows of a table are written."""

    separator: str | None  # None stands for any white space
    decimal: str
    kinds: str  # of a row's cells: "n" for numbers, "w" for words, "-" for none
    start: int  # byte of the first row
    heading: tuple[str, ...]  # what the columns are called; empty if nothing says so
    count: int | None  # of the points, where a line before them says so

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns of numbers."""
        return tuple(i for i, kind in enumerate(self.kinds) if kind == "n")


def parse_columns(data: bytes, name: str) -> Geometry:
    """A table with a heading that names x, y (, z), or without one of two or three columns.

    Tables of x, y, z and an intensity, colours or normals are known by their number of columns.
    See `ddeq.input.formats.parse` for arguments, result and errors, here and below.
    """
    return _parse(data, name, loose=False)


def parse_xyz(data: bytes, name: str) -> Geometry:
    """Like `parse_columns`; without a heading anything may follow the coordinates."""
    return _parse(data, name, loose=True)


def _parse(data: bytes, name: str, loose: bool) -> Geometry:
    try:
        text = decode(data)
    except ValueError:
        raise UserError(
            f"'{name}' is not plain text, so save it as text with one point per line."
        ) from None
    _check_lines(text, name)
    layout = _find_layout(text, name)
    body = _clean(text[layout.start :], layout)
    columns, notes, units = _choose_columns(layout, name, loose)
    points, scans = _read(body, layout, columns, name)
    if len(layout.numbers) > 3 and not layout.heading and _counts_up(points[:, 0]):
        columns = layout.numbers[1:4]
        points, scans = _read(body, layout, columns, name)
        notes = (f"{_these(columns)} are used as x, y and z, the first counts the points.",)
    if scans > 1:
        notes += (f"Its {scans:,} scans are joined into one.",)
    return Geometry(points, units=units, notes=notes)


def _check_lines(text: bytes, name: str) -> None:
    """Refuse what would take much more memory as numbers than it has bytes."""
    if text.count(b"\n") > MAX_POINTS:
        raise too_many_points(name)
    if max(map(len, io.BytesIO(text)), default=0) > _MAX_LINE:
        raise UserError(f"'{name}' has overlong lines, so save it with one point per line.")


def _lines(text: bytes) -> Iterator[tuple[int, str]]:
    """Where each line that is not empty starts, and its words."""
    at = 0
    for line in io.BytesIO(text):
        if line.strip():
            yield at, line.decode().strip()
        at += len(line)


# --- the layout -----------------------------------------------------------------------------------


def _find_layout(text: bytes, name: str) -> _Layout:
    """The layout that most of the first rows have, and what stands before the first of them."""
    votes: Counter[tuple[str | None, str, str]] = Counter()
    single = False
    for seen, (_, line) in enumerate(
        (at, line) for at, line in _lines(text) if not _is_comment(line)
    ):
        if seen == _LOOKED_AT:
            break
        bare = _bare(line)
        single |= bool(_NUMBER.fullmatch(bare))
        votes.update(_readings(bare)[:1])
    if not votes and single:
        raise UserError(f"'{name}' has one column, so give each point two or three numbers.")
    if not votes:
        raise UserError(f"'{name}' holds no points, so give a file with one point per line.")
    separator, decimal, kinds = votes.most_common(1)[0][0]
    before: list[str] = []
    rows: list[list[str]] = []
    start = 0
    for at, line in _lines(text):
        cells = _cells(_bare(line), separator)
        if not _is_comment(line, separator) and _kinds(cells, decimal) == kinds:
            start = start if rows else at
            rows.append(cells)
            if len(rows) == 3:
                break
        elif not rows:
            before.append(line)
    counts = [line for line in before if line.isdecimal() and len(line) < 12]
    count = int(counts[-1]) if counts else None
    before = [line for line in before if line not in counts]
    for line in before:
        if len(_cells(line, separator)) > 1 and not {*_kinds(_cells(line, separator), decimal)} - {
            *"n-"
        }:
            raise _bad_line(line, name)  # numbers, but not as many as in most lines
    numbered = [row[0] for row in rows] in (["0", "1", "2"], ["1", "2", "3"])
    heading = _find_heading(before, separator, kinds, numbered, name)
    return _Layout(separator, decimal, kinds, start, heading, count)


def _readings(line: str) -> list[tuple[str | None, str, str]]:
    """How a row could be read that has two numbers at least, the likeliest first."""
    ways = [(";", "."), (";", ","), ("\t", "."), ("\t", ","), (",", "."), (None, "."), (None, ",")]
    ways.append(("|", "."))
    found = []
    for separator, decimal in ways:
        if separator is None or separator in line:
            kinds = _kinds(_cells(line, separator), decimal)
            if kinds.count("n") >= 2:
                found.append((separator, decimal, kinds))
    # Words among the cells may be due to a wrong separator.
    return sorted(found, key=lambda way: way[2].count("w"))


def _cells(line: str, separator: str | None) -> list[str]:
    return [cell.strip(" \t\"'") for cell in line.split(separator)]


def _kinds(cells: list[str], decimal: str) -> str:
    return "".join(map(lambda cell: _kind(cell, decimal), cells))


def _kind(cell: str, decimal: str) -> str:
    if not cell:
        return "-"
    if decimal == ",":
        if "." in cell or cell.count(",") > 1:
            return "w"
        cell = cell.replace(",", ".")
    return "n" if _NUMBER.fullmatch(cell) else "w"


def _find_heading(
    before: list[str], separator: str | None, kinds: str, numbered: bool, name: str
) -> tuple[str, ...]:
    """The names of the columns, from the line nearest to the rows that has them.

    Args:
        before: the lines above the rows.
        separator, kinds: of the rows, see `_Layout`.
        numbered: whether the rows' first cells count them.
        name: what messages call the file.
    """
    width = len(kinds.rstrip("-"))
    for line in reversed(before):
        words = re.sub(rf"^(?:{_signs(separator)}|\s)+", "", line)
        ways = [_cells(words, mark) for mark in (separator, ";", ",", "\t", None)]
        cells = max(ways, key=lambda cells: len(find_axes(cells)))
        while cells and not cells[-1]:
            cells.pop()
        axes = find_axes(cells)
        if len(axes) < 2:
            continue
        if len(cells) == width:
            return tuple(cells)
        if len(cells) == width - 1 and numbered:  # as R writes it: no name for the numbers
            return ("", *cells)
        if len(axes) == len(cells) == 3 < width:  # no names for what follows
            return tuple(cells)
        if not _is_comment(line, separator):
            raise UserError(
                f"The heading of '{name}' names {len(cells)} columns but its lines have "
                f"{width}, so correct the heading."
            )
    if before and not _is_comment(before[-1], separator):  # names, but not of coordinates
        cells = _cells(before[-1], separator)
        if len(cells) == width and "n" not in _kinds(cells, "."):
            return tuple(cells)
    return ()


# --- which columns --------------------------------------------------------------------------------


def _choose_columns(
    layout: _Layout, name: str, loose: bool
) -> tuple[tuple[int, ...], tuple[str, ...], str | None]:
    """The columns of the coordinates, what is to be said of them, their unit."""
    chosen = choose(layout.heading, name)
    if chosen is not None:
        if not {*chosen.columns} <= {*layout.numbers}:
            raise UserError(
                f"Not all of the columns {_quoted(chosen.names)} of '{name}' hold numbers, "
                "so correct them."
            )
        left = [cell for i, cell in enumerate(layout.heading) if i not in chosen.columns and cell]
        plain = [cell.lower() for cell in chosen.names] == list(AXES[: len(chosen.names)])
        notes: tuple[str, ...] = ()
        if left or not plain:
            notes = (f"Used as {_axes(chosen.names)}: the columns {_quoted(chosen.names)}.",)
        if left:
            notes += (f"Left out: {_quoted(left)}.",)
        units = {*chosen.units}
        if len(units) > 1:
            notes += (f"Its columns have different units: {', '.join(chosen.units)}.",)
        unit = chosen.units[0] if len(units) == 1 else None
        return chosen.columns, notes, unit
    numbers = layout.numbers
    if len(numbers) > 3 and not loose and (layout.heading or len(numbers) not in _WIDTHS):
        raise UserError(
            f"'{name}' has {len(numbers)} columns of numbers, so keep two (x, y) or three "
            "(x, y, z), or name them in its first line."
        )
    columns = numbers[:3]
    notes = ()
    if layout.heading:
        names = [layout.heading[column] for column in columns]
        notes = (f"Used as {_axes(columns)}: the columns {_quoted(names)}.",)
    elif len(numbers) > 3:
        notes = ("Its columns after the third are ignored.",)
    elif "w" in layout.kinds:
        notes = (f"{_these(columns)} are used as {_axes(columns)}.",)
    return columns, notes, None


def _axes(columns: Sequence[object]) -> str:
    return "x and y" if len(columns) == 2 else "x, y and z"


def _quoted(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(f"'{' '.join(cell.split())[:20]}'" for cell in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _these(columns: tuple[int, ...]) -> str:
    return f"Columns {', '.join(str(column + 1) for column in columns)}"


def _counts_up(column: np.ndarray) -> bool:
    """Whether it holds 0, 1, 2 ... or 1, 2, 3 ..."""
    return len(column) > 2 and column[0] in (0, 1) and bool((np.diff(column) == 1).all())


# --- the rows -------------------------------------------------------------------------------------


def _clean(body: bytes, layout: _Layout) -> bytes:
    """The rows without comments, their numbers as they are written in C."""
    rest = {*body.translate(None, _PLAIN)}
    if rest or b"--" in body or (b";" in body and layout.separator != ";"):
        signs = _signs(layout.separator).encode()
        body = re.sub(rb"(?m)^[ \t]*" + signs + rb".*$", b"", body)
    if rest & {*b"/%!"}:
        body = re.sub(rb"(?m)" + _BEHIND.encode(), b"", body)
    if rest & {*b"dD"}:
        body = _FORTRAN.sub(b"e", body)
    return body.replace(b"'", b'"')


def _read(
    body: bytes, layout: _Layout, columns: tuple[int, ...], name: str
) -> tuple[np.ndarray, int]:
    """The points (M, 2 or 3) and from how many scans they come."""
    table = (len(layout.kinds), columns, layout.separator, layout.decimal, "#")
    counts: list[int] = [] if layout.count is None else [layout.count]
    try:
        points = read_numbers(body, *table)
        if np.isnan(points).any():  # where a number is missing, or a line counts those below it
            counts, body = _split_scans(body, layout.count)
            points = read_numbers(body, *table)
    except Ragged as error:
        raise _bad_line(error.line, name) from None
    empty = np.isnan(points).any(axis=1)
    if empty.any():
        raise _bad_line(_row(body, int(empty.argmax())), name)
    if counts and sum(counts) != len(points):
        if sum(counts) > len(points):
            raise cut_short(name)
        raise UserError(
            f"'{name}' does not hold as many points as its first line says, so export it again."
        )
    return points, max(len(counts), 1)


def _split_scans(body: bytes, first: int | None) -> tuple[list[int], bytes]:
    """How many points each scan declares, and the rows without these numbers.

    Nothing is changed where they do not match the rows.
    """
    if first is None:
        return [], body
    counts, rows, kept = [first], 0, []
    for line in io.BytesIO(body):
        bare = line.partition(b"#")[0].strip()
        if bare.isdigit() and len(bare) < 12:
            if rows != sum(counts):
                return [first], body
            counts.append(int(bare))
            continue
        rows += bool(bare)
        kept.append(line)
    return counts, b"".join(kept)


def _row(body: bytes, row: int) -> str:
    rows = (line for _, line in _lines(body) if line.partition("#")[0].strip())
    return next((line for i, line in enumerate(rows) if i == row), "")


def _bad_line(line: str, name: str) -> UserError:
    shown = " ".join(line.split())[:40]
    return UserError(
        f"The line '{shown}' of '{name}' is not a point like the first one, "
        "so correct or remove it."
    )
