"""Plain text of any encoding to UTF-8, and tables of numbers in it to arrays."""

from __future__ import annotations

import codecs
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like that of UTF-16, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NEVER_IN_TEXT = bytes(sorted({*range(32)} - {*b"\t\n\v\f\r"}))
_SAMPLE = 4_096  # bytes

MISSING = r"[+-]?(?:nan(?:\(\w*\))?|1\.#\w+|n/a|na|null|none)"
"""How programs write that there is no number."""
_MISSING_WORD = re.compile(rb"(?<![\w.])" + MISSING.encode() + rb"(?![\w.])", re.IGNORECASE)
_USUAL = b"0123456789+-.,;eE \t\n"  # in a table of numbers


class Ragged(ValueError):
    """A line is not like the others; ``line`` shows it."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


def is_text(data: bytes) -> bool:
    """Whether no byte of it is a control character, as pictures and packed files have them."""
    return data.translate(None, _NEVER_IN_TEXT) == data


def decode(data: bytes) -> bytes:
    r"""The text in UTF-8 without a byte-order mark, its lines ended by \n.

    What is not UTF-8 is taken for the encoding of Western Windows, which any bytes are.

    Raises:
        ValueError: it has control characters, so it is no text.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = encoding or _unmarked(data[:_SAMPLE])
    if encoding and encoding != "utf-8":
        data = data.decode(encoding, "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\x1a")  # an old end of file
    if not is_text(data):
        raise ValueError("control characters")
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode("cp1252", "replace").encode()
    return data


def _unmarked(beginning: bytes) -> str | None:
    """UTF-16 without a mark, where every other byte of Western text is zero."""
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        zeros, others = beginning[first::2], beginning[1 - first :: 2]
        if zeros and not any(zeros) and all(others):
            return encoding
    return None


def read_numbers(
    body: bytes,
    width: int,
    columns: Sequence[int],
    separator: str | None = None,
    decimal: str = ".",
    comment: str | None = None,
    loose: bool = False,
) -> np.ndarray:
    """Columns of a table, by pandas.

    Args:
        body: one row a line; empty lines are left out. Cells may stand in double quotes.
        width: how many cells a row has.
        columns: the ones to take, any number of times and in any order.
        separator: of the cells; None stands for any white space.
        decimal: what stands before the fraction.
        comment: what a comment starts with, to the end of its line.
        loose: whether rows may be longer.

    Returns:
        float64 (M, columns); infinite where a cell says that there is no number, NaN where it is
        empty or missing.

    Raises:
        Ragged: a row is longer than ``width`` or a cell is no number.
    """
    import pandas as pd  # slow to import, and not every format needs it

    if {*body.translate(None, _USUAL)} & {*b"nN#"}:
        body = _MISSING_WORD.sub(b"inf", body)
    needed = sorted(set(columns))
    options: dict[str, Any] = {
        "sep": separator or r"\s+",
        "header": None,
        "names": range(width),
        "index_col": False,
        "usecols": None if len(needed) == width and not loose else needed,
        "keep_default_na": False,
        "na_values": [""],
        "decimal": decimal,
        "comment": comment,
        "encoding_errors": "replace",
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a long first line
            frame = pd.read_csv(io.BytesIO(body), dtype=np.float64, **options)
    except pd.errors.EmptyDataError:
        return np.zeros((0, len(columns)))
    except pd.errors.ParserWarning:
        raise Ragged(_shown(body, 0)) from None
    except pd.errors.ParserError as error:
        where = re.search(r"line (\d+)", str(error))
        raise Ragged(_shown(body, int(where[1]) - 1 if where else 0)) from None
    except ValueError:
        raise Ragged(_first_word(body, options)) from None
    order = [needed.index(column) for column in columns]
    return np.ascontiguousarray(frame.to_numpy()[:, order])


def _first_word(body: bytes, options: dict[str, Any]) -> str:
    """The first row with a cell that is no number."""
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(body), dtype=str, **options)
    numbers = frame.apply(pd.to_numeric, errors="coerce")
    bad = (numbers.isna() & frame.notna()).any(axis=1).to_numpy()
    cells = frame.iloc[int(bad.argmax())]
    return (options["sep"] if len(options["sep"]) == 1 else " ").join(cells.dropna().astype(str))


def _shown(body: bytes, row: int) -> str:
    lines = body.split(b"\n", row + 1)
    return lines[min(row, len(lines) - 1)].decode("utf-8", "replace")
