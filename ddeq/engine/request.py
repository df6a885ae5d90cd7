"""What is asked of an engine, as plain data: it can be kept, sent and asked again elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from ddeq.errors import UserError

MOST_POINTS = 100_000
MOST_BYTES = 16 * 2**20
"""Of a request as JSON; more is not read."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Request:
    """One solve that somebody asks for.

    Attributes:
        model: its name, of those that ship; no path.
        points: of the cloud, in its own units, 2 or 3 numbers each.
        settings: what differs from the model's own: flat names and values, as in
            :meth:`ddeq.run.settings.RunSettings.to_dict`.
        cut: for a completer, the places in ``points`` of those that are cut away, from 0; none
            where a part is missing already.
        free: for a completer, how many particles complete it; None is its own rule.
        after: so many frames are there already and are not sent again.

    Raises:
        UserError: it cannot be solved, whatever the model.
    """

    model: str
    points: tuple[tuple[float, ...], ...]
    settings: Mapping[str, str | float] = field(default_factory=dict)
    cut: tuple[int, ...] = ()
    free: int | None = None
    after: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not _NAME.fullmatch(self.model):
            raise UserError("An engine solves with models that ship, so give the name of one.")
        _check_points(self.points)
        if not isinstance(self.settings, Mapping) or not all(
            isinstance(value, str) or _is_number(value) for value in self.settings.values()
        ):
            raise UserError("The settings of a solve are names with a text or a number each.")
        if any(not _is_count(k) or k >= len(self.points) for k in self.cut):
            raise UserError("A point that is to be cut away is none of the cloud's.")
        if not _is_count(self.after) or not (self.free is None or _is_count(self.free)):
            raise UserError("Particles and frames are counted in whole numbers from 0.")

    @classmethod
    def of(
        cls,
        model: str,
        points: np.ndarray,
        settings: Mapping[str, Any] | None = None,
        cut: Sequence[int] = (),
        free: int | None = None,
    ) -> Request:
        """From an array of points ``(M, 2 or 3)``."""
        rows = tuple(map(tuple, points.astype(np.float64).tolist()))
        return cls(model, rows, dict(settings or {}), tuple(int(k) for k in cut), free)

    @property
    def array(self) -> np.ndarray:
        """The points as float64 ``(M, 2 or 3)``."""
        return np.array(self.points, np.float64)

    def to_json(self) -> bytes:
        """Text that :meth:`from_json` reads; every number comes back to the last bit."""
        return json.dumps(asdict(self), allow_nan=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Request:
        """What :meth:`to_json` wrote, or anybody else.

        Raises:
            UserError: it is too long, no JSON, or no request.
        """
        if len(text) > MOST_BYTES:
            raise UserError("The request is too long, so send fewer points.")
        try:
            plain: Any = json.loads(text)
            if not isinstance(plain, dict) or not {*plain} <= {f.name for f in fields(cls)}:
                raise ValueError("unknown names")
            rows = tuple(tuple(row) for row in plain.pop("points"))
            return cls(points=rows, cut=tuple(plain.pop("cut", ())), **plain)
        except UserError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UserError("This is no request of a solve: send its model and points.") from error


def _check_points(points: tuple[tuple[float, ...], ...]) -> None:
    if not 1 <= len(points) <= MOST_POINTS:
        raise UserError(f"An engine takes clouds of 1 to {MOST_POINTS:,} points, so thin it.")
    width = len(points[0])
    if width not in (2, 3) or any(len(row) != width for row in points):
        raise UserError("The points of a cloud have two numbers each, or three each.")
    if not all(_is_number(x) for row in points for x in row) or not np.isfinite(points).all():
        raise UserError("The coordinates of some points are no numbers, so leave these out.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
