"""A cloud in space, seen from wherever one likes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from ddeq.view.cloud_view.outlines import great_circles, plane_in_box
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


@dataclass(frozen=True, eq=False)
class Cut:
    """How a cloud is cut in its view.

    Attributes:
        pick: whether points can be clicked.
        take: what the button says that reports the camera; None is no button.
        sphere: centre ``(3,)`` and radius of one to draw.
        plane: normal ``(3,)`` and offset of one to draw, as of :func:`.partial.beyond_plane`.
    """

    pick: bool = False
    take: str | None = None
    sphere: tuple[np.ndarray, float] | None = None
    plane: tuple[np.ndarray, float] | None = None


@dataclass(frozen=True)
class CloudEvent:
    """What a person did in the view, in the one rerun that follows.

    Attributes:
        camera: azimuth and elevation in degrees, as of :class:`.partial.Orbit`, from where
            they look, if they pressed the button to say so.
        picked: index of the point they clicked.
    """

    camera: tuple[float, float] | None = None
    picked: int | None = None


def cloud_view(
    key: str,
    points: np.ndarray,
    keep: np.ndarray | None = None,
    cut: Cut | None = None,
    size: int = 380,
) -> CloudEvent:
    """Show points ``(M, 3)``, z up, those not in ``keep`` ``(M,)`` as removed.

    Turning and zooming rerun nothing. Of many points :data:`MOST_POINTS` are shown, always the
    same.

    Args:
        key: identifies it in the browser.
        points: finite, at least one.
        keep: bool; None keeps all.
        cut: how it is cut here; None shows it alone.
        size: largest width in pixels.
    """
    cut = cut or Cut()
    keep = np.ones(len(points), bool) if keep is None else keep
    shown = _shown(len(points))
    box = _Box(points[shown])
    steps = np.rint(box.scaled(points[shown]) * _STEPS).astype("<i2")  # (S, 3)
    data = {
        "id": hashlib.sha256(steps.tobytes()).hexdigest()[:16],
        "points": _text(steps),
        "removed": _text(np.packbits(~keep[shown], bitorder="little")),
        "half": box.half.round(4).tolist(),
        "count": _count(keep, len(shown)),
        "outlines": [line.round(4).tolist() for line in box.outlines(cut)],
        "pick": cut.pick,
        "take": cut.take,
        "size": size,
    }
    result = _component(key=key, data=data, on_camera_change=_ignore, on_picked_change=_ignore)
    camera = picked = None
    if result.camera is not None:
        camera = float(result.camera[0]), float(result.camera[1])
    if result.picked is not None and result.picked["id"] == data["id"]:
        picked = int(shown[int(result.picked["index"])])
    return CloudEvent(camera, picked)


def _shown(count: int) -> np.ndarray:
    """Which of so many points are shown, indices ``(S,)``."""
    if count <= MOST_POINTS:
        return np.arange(count)
    rng = np.random.default_rng(0)
    return np.sort(rng.choice(count, MOST_POINTS, replace=False, shuffle=False))


class _Box:
    """The view's own coordinates: the box of what is shown is centred, its longest side is 2.

    Attributes:
        half: its half sides ``(3,)``.
    """

    def __init__(self, points: np.ndarray) -> None:
        low, high = points.min(axis=0), points.max(axis=0)  # (3,), (3,)
        self._centre = (low + high) / 2
        self._unit = max(float((high - low).max()) / 2, 1e-30)
        self.half = (high - low) / self._unit / 2

    def scaled(self, points: np.ndarray) -> np.ndarray:
        return (points - self._centre) / self._unit

    def outlines(self, cut: Cut) -> list[np.ndarray]:
        """Closed lines ``(P, 3)`` that show where it is cut."""
        lines = []
        if cut.sphere is not None:
            centre, radius = cut.sphere
            lines += great_circles(self.scaled(centre), radius / self._unit)
        if cut.plane is not None:
            normal = np.asarray(cut.plane[0], float) / np.linalg.norm(cut.plane[0])
            offset = (cut.plane[1] - normal @ self._centre) / self._unit
            lines += plane_in_box(normal, offset, self.half)
        return lines


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _count(keep: np.ndarray, shown: int) -> str:
    removed = int((~keep).sum())
    text = f"{removed:,} of {len(keep):,} points removed" if removed else f"{len(keep):,} points"
    return text + (f", {shown:,} shown" if shown < len(keep) else "")


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""
