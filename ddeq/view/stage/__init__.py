"""A cloud in space, seen from wherever one likes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from ddeq.view.player.assets import joined

MOST_POINTS = 20_000
"""More points than these cannot be turned smoothly; of more, some are shown."""

_HERE = Path(__file__).parent
_STEPS = np.iinfo(np.int16).max  # a coordinate is sent as so many steps from the middle of the box
_CIRCLE = np.linspace(0, 2 * np.pi, 49)[:-1]

_component = st.components.v2.component(
    "ddeq.stage",
    css=(_HERE / "stage.css").read_text(),
    js=joined(_HERE / "stage.js"),
)


@dataclass(frozen=True)
class StageEvent:
    """What a person did in the view, in the one rerun that follows.

    Attributes:
        camera: azimuth and elevation in degrees, as of :class:`.partial.Orbit`, from where
            they look, if they pressed the button to say so.
        picked: index of the point they clicked.
    """

    camera: tuple[float, float] | None = None
    picked: int | None = None


def stage(
    key: str,
    points: np.ndarray,
    keep: np.ndarray | None = None,
    *,
    pick: bool = False,
    take: str | None = None,
    sphere: tuple[np.ndarray, float] | None = None,
    plane: tuple[np.ndarray, float] | None = None,
    size: int = 380,
) -> StageEvent:
    """Show points ``(M, 3)``, z up, those not in ``keep`` ``(M,)`` as removed.

    Turning and zooming rerun nothing. Of many points :data:`MOST_POINTS` are shown, always the
    same.

    Args:
        key: identifies it in the browser.
        points: finite, at least one.
        keep: bool; None keeps all.
        pick: whether points can be clicked.
        take: what the button says that reports the camera; None is no button.
        sphere: centre ``(3,)`` and radius of one to draw.
        plane: normal ``(3,)`` and offset of one to draw, as of :func:`.partial.beyond_plane`.
        size: largest width in pixels.
    """
    count = len(points)
    keep = np.ones(count, bool) if keep is None else keep
    shown = np.arange(count)
    if count > MOST_POINTS:
        drawn = np.random.default_rng(0).choice(count, MOST_POINTS, replace=False, shuffle=False)
        shown = np.sort(drawn)
    seen = points[shown]
    low, high = seen.min(axis=0), seen.max(axis=0)  # (3,), (3,)
    centre, unit = (low + high) / 2, max(float((high - low).max()) / 2, 1e-30)
    steps = np.rint((seen - centre) / unit * _STEPS).astype("<i2")  # (S, 3)
    outlines = []  # in steps' units: closed lines
    if sphere is not None:
        outlines += _great_circles((sphere[0] - centre) / unit, sphere[1] / unit)
    if plane is not None:
        normal = np.asarray(plane[0], float) / np.linalg.norm(plane[0])
        outlines += _slice(normal, (plane[1] - normal @ centre) / unit, (high - low) / unit / 2)
    data = {
        "id": hashlib.sha256(steps.tobytes()).hexdigest()[:16],
        "points": _text(steps),
        "removed": _text(np.packbits(~keep[shown], bitorder="little")),
        "half": ((high - low) / unit / 2).round(4).tolist(),
        "count": _count(keep, len(shown)),
        "outlines": [line.round(4).tolist() for line in outlines],
        "pick": pick,
        "take": take,
        "size": size,
    }
    result = _component(key=key, data=data, on_camera_change=_ignore, on_picked_change=_ignore)
    camera = picked = None
    if result.camera is not None:
        camera = float(result.camera[0]), float(result.camera[1])
    if result.picked is not None and result.picked["id"] == data["id"]:
        picked = int(shown[int(result.picked["index"])])
    return StageEvent(camera, picked)


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _count(keep: np.ndarray, shown: int) -> str:
    removed = int((~keep).sum())
    text = f"{removed:,} of {len(keep):,} points removed" if removed else f"{len(keep):,} points"
    return text + (f", {shown:,} shown" if shown < len(keep) else "")


def _great_circles(centre: np.ndarray, radius: float) -> list[np.ndarray]:
    """Three of them about the axes, each (48, 3)."""
    circle = radius * np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE), 0 * _CIRCLE], axis=1)  # (48, 3)
    return [centre + np.roll(circle, turn, axis=1) for turn in range(3)]


def _slice(normal: np.ndarray, offset: float, half: np.ndarray) -> list[np.ndarray]:
    """What a plane cuts from a box about the origin with these half sides: one polygon or none."""
    half = np.maximum(1.1 * half, 0.05)  # a little more than the cloud's, and never flat
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T  # (8, 3)
    corners = signs * half
    above = corners @ normal - offset  # (8,)
    cuts = [
        a + (b - a) * (x / (x - y))
        for i, (a, x) in enumerate(zip(corners, above, strict=True))
        for j, (b, y) in enumerate(zip(corners, above, strict=True))
        if i < j and (signs[i] == signs[j]).sum() == 2 and (x < 0) != (y < 0)
    ]
    if not cuts:
        return []
    around = np.array(cuts) - np.mean(cuts, axis=0)  # (P, 3)
    right = around[0] / np.linalg.norm(around[0])
    angles = np.arctan2(around @ np.cross(normal, right), around @ right)
    return [np.array(cuts)[np.argsort(angles)]]


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""
