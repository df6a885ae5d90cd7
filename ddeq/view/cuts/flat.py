"""Removing part of a flat cloud: random holes, by hand, random thinning, or nothing."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import streamlit as st

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten
from ddeq.input.partial import DIGIT_HOLE_RADIUS, DIGIT_HOLES, random_holes
from ddeq.input.preprocess import standardise
from ddeq.view.cuts.chance import SLIDER, cut_seed, thin
from ddeq.view.cuts.cut import Cut
from ddeq.view.cutter import MOST_POINTS
from ddeq.view.session import Kept, Name

MOST_IN_LINK = 2000  # points of a cut by hand that fit into a link

_HINTS = {
    "Holes": "All points within a radius of randomly chosen ones, as in the paper.",
    "By hand": "Draw over what is to go; it begins with what is removed already.",
    "Thinning": "Points drawn at random from the whole cloud.",
    "Nothing": "The cloud is partial already, and nobody knows the rest.",
}

_last: Kept[tuple[bytes, np.ndarray]] = Kept(Name.LAST_CUT)  # of which points, and what it kept


def choose_flat_cut(cloud: PointCloud) -> Cut:
    """As :func:`ddeq.view.cuts.choose_cut`."""
    points = flatten(cloud).points
    way = st.segmented_control(
        "Remove",
        list(_HINTS),
        default="Holes",
        required=True,
        label_visibility="collapsed",
        key="cut",
        bind="query-params",
    )
    if way == "Holes":
        keep = _with_holes(points)
    elif way == "Thinning":
        keep = thin(points)
    elif way == "By hand":
        keep = _last_cut(points)
    else:
        keep = np.ones(len(points), bool)
    remember(points, keep, by_hand=way == "By hand")
    return Cut(keep, _HINTS[way], partial=way == "Nothing", by_hand=way == "By hand")


def _with_holes(points: np.ndarray) -> np.ndarray:
    holes = st.slider(
        "How many holes", 1, 6, DIGIT_HOLES, key="holes", bind="query-params", width=SLIDER
    )
    radius = st.slider(
        "How large",
        0.1,
        1.5,
        DIGIT_HOLE_RADIUS,
        0.05,
        help="Their radius, where the cloud's standard deviation is 1. The paper's is 0.6.",
        key="radius",
        bind="query-params",
        width=SLIDER,
    )
    return _holes(points, holes, radius, cut_seed())


def _holes(points: np.ndarray, holes: int, radius: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return random_holes(standardise(points).points, min(holes, len(points)), radius, rng)


def _last_cut(points: np.ndarray) -> np.ndarray:
    """What to begin with by hand: what was shown of this cloud; on arrival, what the link says.

    A link that says nothing begins with holes, so that there is something to complete.
    """
    if len(points) > MOST_POINTS:
        raise UserError(
            f"The cloud has {len(points):,} points and a cut by hand can have {MOST_POINTS:,}, so "
            "use random holes."
        )
    last = _last.get()
    if last is None:
        linked = _from_link(st.query_params.get("removed", ""), len(points))
        return _holes(points, DIGIT_HOLES, DIGIT_HOLE_RADIUS, 0) if linked is None else linked
    return last[1] if last[0] == points.tobytes() else np.ones(len(points), bool)


def remember(points: np.ndarray, keep: np.ndarray, by_hand: bool) -> None:
    """Begin with this cut when these points ``(M, 2)`` are next cut by hand."""
    _last.put((points.tobytes(), keep))
    text = _for_link(keep) if by_hand and len(keep) <= MOST_IN_LINK else ""
    if text:
        st.query_params["removed"] = text
    else:
        st.query_params.pop("removed", None)


def _for_link(keep: np.ndarray) -> str:
    return base64.urlsafe_b64encode(np.packbits(~keep).tobytes()).decode().rstrip("=")


def _from_link(text: str, count: int) -> np.ndarray | None:
    """The inverse of :func:`_for_link`; None where the text is not one for ``count`` points."""
    try:
        bits = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), np.uint8)
    except (ValueError, binascii.Error):
        return None
    if len(bits) != -(-count // 8):
        return None
    return np.unpackbits(bits, count=count) == 0
