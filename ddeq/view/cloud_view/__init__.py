"""A cloud in space, seen from wherever one likes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

from ddeq.view.player.assets import joined

MOST_POINTS = 20_000
"""More points than these cannot be turned smoothly; of more, some are shown."""

_HERE = Path(__file__).parent
_STEPS = np.iinfo(np.int16).max  # a coordinate is sent as so many steps from the middle of the box

_component = st.components.v2.component(
    "ddeq.cloud-view",
    css=(_HERE / "cloud_view.css").read_text(),
    js=joined(_HERE / "cloud_view.js"),
)


def cloud_view(key: str, points: np.ndarray, size: int = 380) -> None:
    """Show points ``(M, 3)``, z up.

    Turning and zooming rerun nothing. Of many points :data:`MOST_POINTS` are shown, always the
    same.

    Args:
        key: identifies it in the browser.
        points: finite, at least one.
        size: largest width in pixels.
    """
    shown = points[_shown(len(points))]
    low, high = shown.min(axis=0), shown.max(axis=0)  # (3,), (3,)
    unit = max(float((high - low).max()) / 2, 1e-30)
    # The view's own coordinates: the box of what is shown is centred, its longest side is 2.
    steps = np.rint((shown - (low + high) / 2) / unit * _STEPS).astype("<i2")  # (S, 3)
    count = f"{len(points):,} points"
    data = {
        "id": hashlib.sha256(steps.tobytes()).hexdigest()[:16],
        "points": base64.b64encode(steps.tobytes()).decode(),
        "half": ((high - low) / unit / 2).round(4).tolist(),
        "count": count + (f", {len(shown):,} shown" if len(shown) < len(points) else ""),
        "size": size,
    }
    _component(key=key, data=data)


def _shown(count: int) -> np.ndarray:
    """Which of so many points are shown, indices ``(S,)``."""
    if count <= MOST_POINTS:
        return np.arange(count)
    rng = np.random.default_rng(0)
    return np.sort(rng.choice(count, MOST_POINTS, replace=False, shuffle=False))
