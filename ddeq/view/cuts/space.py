"""Removing part of a cloud in space: a scan from one side, a sphere, a plane, at random."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ddeq.input.clouds import PointCloud
from ddeq.input.partial import Orbit, beyond_plane, outside_sphere, seen_from
from ddeq.view.cuts.chance import SLIDER, thin
from ddeq.view.cuts.cut import Cut
from ddeq.view.session import Kept, Name

_HINTS = {
    "Scan": "Keeps what a camera sees from one side, by [[hidden-point removal]].",
    "Sphere": "Removes what lies within a sphere; click a point to place it.",
    "Plane": "Removes what lies behind a plane.",
    "Thinning": "Points drawn at random from the whole cloud.",
    "Nothing": "The cloud is partial already, and nobody knows the rest.",
}
_TAKE = {"Scan": "Scan from here", "Plane": "Cut from here"}
_AXES = {"x": (0, 0), "y": (90, 0), "z": (0, 90)}  # azimuth and elevation
_CENTRE = (0.5, 0.5, 1.0)  # of a sphere, as shares of the box: on top

_looked_from: Kept[tuple[float, float]] = Kept(Name.LOOKED_FROM)  # azimuth and elevation


def choose_cut_in_space(cloud: PointCloud) -> Cut:
    """As :func:`ddeq.view.cuts.choose_cut`."""
    points = cloud.points
    way = st.segmented_control(
        "Remove",
        list(_HINTS),
        default="Scan",
        required=True,
        label_visibility="collapsed",
        key="part",
        bind="query-params",
    )
    take, hint = _TAKE.get(way), _HINTS[way]
    if way == "Scan":
        return Cut(seen_from(points, _camera().position(points)), hint, take=take)
    if way == "Sphere":
        sphere = _sphere(points)
        return Cut(outside_sphere(points, *sphere), hint, sphere=sphere)
    if way == "Plane":
        plane = _plane(points)
        return Cut(beyond_plane(points, *plane), hint, take=take, plane=plane)
    if way == "Thinning":
        return Cut(thin(points), hint)
    return Cut(np.ones(len(points), bool), hint, partial=True)


def cut_from(looked: tuple[float, float]) -> None:
    """Have the next script run cut from this azimuth and elevation."""
    _looked_from.put(looked)


def put_sphere(points: np.ndarray, centre: np.ndarray) -> None:
    """Have the next script run cut a sphere about one of the points ``(M, 3)``."""
    low, high = points.min(axis=0), points.max(axis=0)
    shares = (centre - low) / np.where(high > low, high - low, 1)
    st.query_params["centre"] = ",".join(f"{share:.3f}" for share in shares)


def _camera() -> Orbit:
    """Where from, by two sliders that follow what was taken from the view."""
    taken = _looked_from.take()
    if taken is not None:
        st.session_state["azimuth"], st.session_state["elevation"] = map(int, taken)
    azimuth = st.slider(
        "Azimuth",
        0,
        359,
        225,
        format="%d°",
        help="About the z axis, from +x.",
        key="azimuth",
        bind="query-params",
        width=SLIDER,
    )
    elevation = st.slider(
        "Elevation",
        -90,
        90,
        20,
        format="%d°",
        help="Above the horizon.",
        key="elevation",
        bind="query-params",
        width=SLIDER,
    )
    return Orbit(azimuth, elevation)


def _sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre ``(3,)``, a point of the cloud, and radius."""
    radius = st.slider(
        "Radius",
        5,
        60,
        25,
        format="%d %%",
        help="As a share of the longest side.",
        key="sphere",
        bind="query-params",
        width=SLIDER,
    )
    low, high = points.min(axis=0), points.max(axis=0)
    wanted = low + _linked_centre() * (high - low)
    nearest = points[np.linalg.norm(points - wanted, axis=1).argmin()]
    return nearest, radius / 100 * float((high - low).max())


def _linked_centre() -> np.ndarray:
    """What the link says, as shares of the box ``(3,)``, or on top where that makes no sense."""
    try:
        shares = np.array(st.query_params.get("centre", "").split(","), float)
    except ValueError:
        shares = np.empty(0)
    sensible = shares.shape == (3,) and np.isfinite(shares).all()
    return shares if sensible else np.array(_CENTRE)


def _plane(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Normal ``(3,)`` and offset."""
    if _looked_from.get() is not None:
        st.session_state["normal"] = "View"
    axis = st.segmented_control(
        "Normal",
        [*_AXES, "View"],
        default="x",
        required=True,
        help="An axis, or the direction from which you look.",
        key="normal",
        bind="query-params",
    )
    other = st.toggle("Other side", key="other-side", bind="query-params")
    camera = _camera() if axis == "View" else Orbit(*_AXES[axis])
    normal = camera.direction * (-1 if other else 1)
    share = st.slider(
        "How much",
        5,
        95,
        40,
        format="%d %%",
        help="How far through the cloud the plane lies, as a share of its extent along the normal.",
        key="offset",
        bind="query-params",
        width=SLIDER,
    )
    along = points @ normal  # (M,)
    return normal, float(along.min() + share / 100 * np.ptp(along))
