"""What an engine elsewhere answers: messages, each a letter, the length of its content, and that.

An answer ends with an outcome or a refusal. One that ends before was cut off, wherever that was,
and what is whole of it can be used: see :mod:`ddeq.engine.remote`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

MOST_BYTES = 256 * 2**20
"""Of a message; one that says more is not read."""
_HEAD = struct.Struct("<cI")


class Kind(Enum):
    """What a message is: a place in line, pieces of the player's format, an outcome, a refusal."""

    PLACE = b"P"
    CHUNK = b"C"
    OUTCOME = b"O"
    REFUSAL = b"R"


ENDS = (Kind.OUTCOME, Kind.REFUSAL)


class CutOff(ConnectionError):
    """The answer ended before its end, or is none."""


@dataclass(frozen=True)
class Message:
    """One message: its kind and its content, JSON but for chunks."""

    kind: Kind
    content: bytes

    @property
    def value(self) -> Any:
        """What the JSON says.

        Raises:
            CutOff: it is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise CutOff("what an engine said is no JSON") from error


def pack(kind: Kind, content: Any) -> bytes:
    """A message with these bytes, or with this as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return _HEAD.pack(kind.value, len(data)) + data


def unpack(read: Callable[[int], bytes]) -> Iterator[Message]:
    """The messages of an answer up to its end.

    Args:
        read: gives so many bytes, or fewer where there are no more.

    Raises:
        CutOff: there are no more, or they are no answer.
    """
    while True:
        letter, length = _HEAD.unpack(_all_of(read, _HEAD.size))
        if letter not in {kind.value for kind in Kind} or length > MOST_BYTES:
            raise CutOff("this is no answer of an engine")
        message = Message(Kind(letter), _all_of(read, length))
        yield message
        if message.kind in ENDS:
            return


def _all_of(read: Callable[[int], bytes], count: int) -> bytes:
    data = read(count) if count else b""
    if len(data) != count:
        raise CutOff("the answer ended too soon")
    return data
