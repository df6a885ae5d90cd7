"""A header of words in lines above a body: .ply .pcd .off."""

from __future__ import annotations

import re

import numpy as np

_MAX_HEADER = 65_536  # bytes
_END_OF_LINE = re.compile(rb"\r\n|\n|\r")


def split_header(data: bytes, last: str) -> tuple[list[list[str]], int] | None:
    r"""The words of each line of the header, and where the body starts.

    Lines end as the first one does: in \n, \r\n or \r.

    Args:
        data: the whole file.
        last: the word with which the last line of the header starts.

    Returns:
        None where there is no such line.
    """
    first = _END_OF_LINE.search(data, 0, _MAX_HEADER)
    if first is None:
        return None
    header, at = [], 0
    while at < min(len(data), _MAX_HEADER):
        end = data.find(first[0], at, at + _MAX_HEADER)
        end = len(data) if end < 0 else end
        words = data[at:end].decode("latin-1").split()
        at = end + len(first[0])
        if words:
            header.append(words)
            if words[0] == last:
                return header, min(at, len(data))
    return None


class Lines:
    """The lines of a text that are not empty."""

    def __init__(self, text: bytes) -> None:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if re.search(rb"(?:\A|\n)[ \t\f\v]*\n", text):
            text = re.sub(rb"(?m)^[ \t\f\v]*\n", b"", text)
        self._text = text
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
        rest = text[int(ends[-1]) if len(ends) else 0 :].strip()
        self._starts = np.concatenate([[0], ends, [len(text)] if rest else []]).astype(np.int64)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, rows: slice) -> bytes:
        """Lines from one up to another, which there must be."""
        return self._text[self._starts[rows.start] : self._starts[rows.stop]]
