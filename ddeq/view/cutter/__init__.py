"""The points of a cloud, of which some can be removed with a brush, a box or a lasso."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

MOST_POINTS = 20_000
"""More points than these cannot be sent to the browser swiftly; of more, some are shown."""

_HERE = Path(__file__).parent
_FILL = 0.86  # share of the square that the cloud takes

_component = st.components.v2.component(
    "ddeq.cutter",
    css=(_HERE / "cutter.css").read_text(),
    js=(_HERE / "cutter.js").read_text(),
)


def cutter(
    key: str, points: np.ndarray, keep: np.ndarray, *, editable: bool, size: int = 380
) -> np.ndarray | None:
    """Show points ``(M, 2)``, y up, those not in ``keep`` ``(M,)`` as removed.

    While it is editable it is the one that knows what is removed, until other points come or it
    has been shown uneditable: ``keep`` is what it begins with.

    Args:
        key: identifies it in the browser.
        points: no more than :data:`MOST_POINTS` can be edited.
        keep: bool.
        editable: whether tools are offered.
        size: largest width in pixels.

    Returns:
        In the one rerun that follows an edit: the new ``keep``. Else None.
    """
    stride = -(-len(points) // MOST_POINTS)
    shown = np.arange(0, len(points), stride)
    removed = np.flatnonzero(~keep[shown])
    identity = hashlib.sha256(points.tobytes() + (b"" if editable else keep.tobytes()))
    data = {
        "id": f"{identity.hexdigest()[:16]}-{'edit' if editable else 'show'}",
        "points": _in_unit_square(points[shown]).round(4).tolist(),
        "removed": removed.tolist(),
        "count": f"{int((~keep).sum())} of {len(points)} points removed",
        "editable": editable,
        "size": size,
    }
    change = _component(key=key, data=data, on_change_change=_ignore).change
    if change is None or change["id"] != data["id"]:
        return None
    edited = np.ones(len(points), bool)
    edited[shown[[int(k) for k in change["removed"]]]] = False
    return edited


def _in_unit_square(points: np.ndarray) -> np.ndarray:
    """Points (M, 2), y up, fitted into the unit square with y down, shape preserved."""
    low, high = points.min(0), points.max(0)  # (2,), (2,)
    scale = _FILL / max(float((high - low).max()), 1e-30)
    return 0.5 + (points - (low + high) / 2) * [scale, -scale]


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""
