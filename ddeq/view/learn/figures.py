"""The figures of Learn that answer while one drags, as Streamlit components."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from ddeq.view.learn.symbols import SYMBOLS, TONES

HEIGHT = 400
_WEB = Path(__file__).parent / "web"


def _read(*names: str) -> str:
    return "\n".join((_WEB / name).read_text() for name in names)


_board, _cobweb = (
    st.components.v2.component(
        f"ddeq.learn.{name}",
        css=_read("figure.css"),
        js=_read("svg.js", f"{name}.js"),
        isolate_styles=False,  # so that a formula's symbols find what they name
    )
    for name in ("board", "cobweb")
)
_symbols = st.components.v2.component(
    "ddeq.learn.symbols",
    css=_read("symbols.css"),
    js=_read("symbols.js"),
    isolate_styles=False,
)


def link_symbols() -> None:
    """Have the formulas' symbols explain themselves and light up the figures; once a page."""
    symbols = {
        s.key: {"name": name, "tone": s.tone, "meaning": s.meaning} for name, s in SYMBOLS.items()
    }
    _symbols(key="learn-symbols", data={"symbols": symbols, "tones": TONES})


@dataclass(frozen=True)
class Walk:
    """What a cobweb shows.

    Attributes:
        map_name: of :data:`ddeq.learn.maps.MAPS`.
        start, slope, damping, steps: of :func:`ddeq.learn.maps.walk`.
    """

    map_name: str
    start: float
    slope: float
    damping: float
    steps: int


def cobweb(key: str, walk: Walk, on_moved: Callable[[dict[str, float]], None]) -> None:
    """A 1-D map, the diagonal and a walk between them; start and slope can be dragged.

    Args:
        key: identifies it in the browser.
        walk: what is shown.
        on_moved: called with the new ``start`` and ``slope`` when a drag has ended.
    """
    data = {
        "map": walk.map_name,
        "start": walk.start,
        "slope": walk.slope,
        "damping": walk.damping,
        "steps": walk.steps,
        "height": HEIGHT,
        "alt": (
            f"Cobweb plot: the map with slope {walk.slope:.2f}, the diagonal, and the walk that "
            f"starts at {walk.start:.2f} and goes up or down to the map, then across to the "
            "diagonal."
        ),
    }
    _show(_cobweb, key, data, on_moved)


@dataclass(frozen=True, eq=False)
class Group:
    """Points of a board.

    Attributes:
        name: told to who hears of a drag.
        points: ``(N, 2)``.
        look: a tone of ``symbols.TONES``, perhaps with "faint".
        label: of one point, for screen readers.
        term: the symbol that names them.
        size: radius in pixels.
    """

    name: str
    points: np.ndarray
    look: str
    label: str
    term: str
    size: float = 6.5


@dataclass(frozen=True, eq=False)
class Board:
    """What a board shows.

    Attributes:
        groups: of points, all of which can be dragged.
        bounds: left, right, bottom, top.
        alt: what a screen reader says.
        hint: one line below.
        lines: ``{a: [group, point], b: [group, point], width, term}``.
        arrows: ``{from: (x, y), to: (x, y), term, label, side}``.
    """

    groups: Sequence[Group]
    bounds: tuple[float, float, float, float]
    alt: str
    hint: str
    lines: Sequence[Mapping[str, Any]] = ()
    arrows: Sequence[Mapping[str, Any]] = ()


def show_board(key: str, board: Board, on_moved: Callable[[dict[str, Any]], None]) -> None:
    """Points that can be dragged, lines that follow them, and arrows.

    Args:
        key: identifies it in the browser.
        board: what is shown.
        on_moved: called with ``{group, index, x, y}`` when a drag has ended.
    """
    groups = [
        {**vars(group), "points": np.round(group.points, 4).tolist()} for group in board.groups
    ]
    data = {
        "groups": groups,
        "lines": list(board.lines),
        "arrows": list(board.arrows),
        "bounds": list(board.bounds),
        "alt": board.alt,
        "hint": board.hint,
        "height": HEIGHT,
    }
    _show(_board, key, data, on_moved)


def _show(
    component: Callable[..., Any], key: str, data: dict[str, Any], on_moved: Callable[..., None]
) -> None:
    serial = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]

    def moved() -> None:
        change = st.session_state[key].get("moved")
        if change:
            on_moved(change)

    component(key=key, data={**data, "serial": serial}, on_moved_change=moved)
