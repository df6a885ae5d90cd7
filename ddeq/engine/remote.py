"""An engine elsewhere, over HTTP: what is cut off is asked for again, from its last frame on."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from ddeq.engine.job import Job
from ddeq.engine.request import Request
from ddeq.engine.wire import CutOff, Kind, Message, unpack
from ddeq.errors import UserError
from ddeq.run.format import count_frames

SILENCE = 120  # seconds without a byte, after which an engine counts as gone
TRIES = 6
PAUSE = 0.25  # seconds before it is asked again; twice as many the next time
_JSON = "application/json"
_BROKEN = (OSError, http.client.HTTPException)


def engine_address() -> str:
    """Where solves are done, as ``DDEQ_ENGINE`` says; empty for this process."""
    return os.environ.get("DDEQ_ENGINE", "").strip()


class RemoteJob(Job):
    """A solve that an engine elsewhere does.

    A solve is the same whenever it is done, so one that is cut off in the midst is asked for anew,
    and the frames that are there already are left out. When it is cancelled it ends at once, and
    has no outcome.

    Args:
        request: what is asked for.
        address: of the engine, such as http://localhost:8000.

    Raises:
        UserError: the address is none.
    """

    def __init__(self, request: Request, address: str) -> None:
        self._request, self._address = request, address
        self._parts = _parts(address)
        self._frames = request.after
        self._tries = 0
        self._cancelled = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._messages: Iterator[Message] | None = None
        self._wire: socket.socket | None = None

    def __next__(self) -> bytes:
        while self.outcome is None and not self._cancelled.is_set():
            try:
                message = next(self._answer())
            except _BROKEN as error:
                self._drop()
                self._wait(error)
                continue
            if message.kind is Kind.CHUNK:
                self._tries = 0  # it gets on
                self.place = None
                self._frames += count_frames(message.content)
                return message.content
            if message.kind is Kind.PLACE:
                self.place = message.value
                return b""
            if message.kind is Kind.REFUSAL:
                self._drop()
                raise UserError(str(message.value))
            self.outcome = dict(message.value)
        self._drop()
        raise StopIteration

    def cancel(self) -> None:
        self._cancelled.set()
        if (wire := self._wire) is not None:
            with suppress(OSError):  # it has ended by itself
                wire.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> Iterator[Message]:
        """What is still to come of the answer; of a new one where the last was cut off."""
        if self._messages is None:
            secure = self._parts.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            host, port = self._parts.hostname or "", self._parts.port
            self._connection = kind(host, port, timeout=SILENCE)
            self._connection.connect()
            self._wire = self._connection.sock
            asked = replace(self._request, after=self._frames).to_json()
            path, headers = f"{self._parts.path.rstrip('/')}/solve", {"Content-Type": _JSON}
            self._connection.request("POST", path, asked, headers)
            response = self._connection.getresponse()
            if response.status != http.client.OK:
                raise CutOff(f"status {response.status}")
            self._messages = unpack(response.read)
        return self._messages

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._messages = self._wire = None

    def _wait(self, error: Exception) -> None:
        """A moment, longer each time, until the engine may be there again.

        Raises:
            UserError: it has been asked often enough.
        """
        self._tries += 1
        if self._tries >= TRIES and not self._cancelled.is_set():
            raise UserError(
                f"The engine at {self._address} cannot be reached, so start it with ddeq serve, or "
                "unset DDEQ_ENGINE to solve on this machine."
            ) from error
        self._cancelled.wait(PAUSE * 2 ** (self._tries - 1))


def _parts(address: str) -> SplitResult:
    wrong = UserError(
        f"'{address[:60]}' is no address of an engine, so let DDEQ_ENGINE be one such as "
        "http://localhost:8000, or unset it to solve on this machine."
    )
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise wrong from error
    if not usable:
        raise wrong
    return parts
