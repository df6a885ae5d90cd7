"""Removing part of a cloud in space: a scan from one side, a sphere, a plane, at random."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ddeq.input.clouds import PointCloud
from ddeq.input.hollow import Hollow, hollow, without_truth
from ddeq.input.partial import Orbit, beyond_plane, outside_sphere, seen_from
from ddeq.view.cloud_view import Cut, cloud_view
from ddeq.view.cuts.chance import thin
from ddeq.view.glossary import say
from ddeq.view.private import Place
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


def choose_hollow_in_space(cloud: PointCloud, plot: Place, controls: Place) -> Hollow:
    """As :func:`ddeq.view.cuts.choose_hollow`.

    Raises:
        UserError: what remains of the cloud cannot be completed.
    """
    points = cloud.points
    with controls:
        way = st.segmented_control(
            "Remove", list(_HINTS), default="Scan", required=True, key="part", bind="query-params"
        )
        say(_HINTS[way], st.caption)
        keep, cut = _cut(way, points)
    with plot:
        event = cloud_view("cut-view", points, keep, cut)
    if event.camera is not None:
        _looked_from.put(event.camera)
        st.rerun()  # so that the sliders show it
    if event.picked is not None:
        _link_centre(points, points[event.picked])
        st.rerun()
    return without_truth(cloud) if way == "Nothing" else hollow(cloud, keep)


def _cut(way: str, points: np.ndarray) -> tuple[np.ndarray, Cut]:
    """Which points are kept, by the controls of this way to cut, and how the view shows it."""
    take = _TAKE.get(way)
    if way == "Scan":
        return seen_from(points, _camera().position(points)), Cut(take=take)
    if way == "Sphere":
        sphere = _sphere(points)
        return outside_sphere(points, *sphere), Cut(pick=True, sphere=sphere)
    if way == "Plane":
        plane = _plane(points)
        return beyond_plane(points, *plane), Cut(take=take, plane=plane)
    if way == "Thinning":
        return thin(points), Cut()
    return np.ones(len(points), bool), Cut()


def _camera() -> Orbit:
    """Where from, by two sliders that follow what was taken from the view."""
    taken = _looked_from.take()
    if taken is not None:
        st.session_state["azimuth"], st.session_state["elevation"] = map(int, taken)
    left, right = st.columns(2, gap="medium")
    azimuth = left.slider(
        "Azimuth",
        0,
        359,
        225,
        format="%d°",
        help="About the z axis, from +x.",
        key="azimuth",
        bind="query-params",
    )
    elevation = right.slider(
        "Elevation",
        -90,
        90,
        20,
        format="%d°",
        help="Above the horizon.",
        key="elevation",
        bind="query-params",
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


def _link_centre(points: np.ndarray, centre: np.ndarray) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    shares = (centre - low) / np.where(high > low, high - low, 1)
    st.query_params["centre"] = ",".join(f"{share:.3f}" for share in shares)


def _plane(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Normal ``(3,)`` and offset."""
    if _looked_from.get() is not None:
        st.session_state["normal"] = "View"
    left, right = st.columns(2, gap="medium", vertical_alignment="bottom")
    axis = left.segmented_control(
        "Normal",
        [*_AXES, "View"],
        default="x",
        required=True,
        help="An axis, or the direction from which you look.",
        key="normal",
        bind="query-params",
    )
    other = right.toggle("Other side", key="other-side", bind="query-params")
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
    )
    along = points @ normal  # (M,)
    return normal, float(along.min() + share / 100 * np.ptp(along))
