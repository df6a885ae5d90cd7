"""The figures of Learn that answer while one drags, as Streamlit components."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
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


def cobweb(
    key: str,
    *,
    map_name: str,
    start: float,
    slope: float,
    damping: float,
    steps: int,
    on_moved: Callable[[dict[str, float]], None],
) -> None:
    """A 1-D map, the diagonal and a walk between them; start and slope can be dragged.

    Args:
        key: identifies it in the browser.
        map_name: of :data:`ddeq.learn.maps.MAPS`.
        start, slope, damping, steps: of :func:`ddeq.learn.maps.walk`.
        on_moved: called with the new ``start`` and ``slope`` when a drag has ended.
    """
    data = {
        "map": map_name,
        "start": start,
        "slope": slope,
        "damping": damping,
        "steps": steps,
        "height": HEIGHT,
        "alt": (
            f"Cobweb plot: the map with slope {slope:.2f}, the diagonal, and the walk that starts "
            f"at {start:.2f} and goes up or down to the map, then across to the diagonal."
        ),
    }
    _show(_cobweb, key, data, on_moved)


def group(
    name: str,
    points: np.ndarray,
    look: str,
    *,
    label: str = "",
    term: str = "",
    draggable: bool = True,
    labels: Sequence[str] = (),
    size: float = 6.5,
) -> dict[str, Any]:
    """Points ``(N, 2)`` for a board; ``look`` is a tone of ``symbols.TONES``."""
    return {
        "name": name,
        "points": np.round(points, 4).tolist(),
        "look": look,
        "label": label or name,
        "term": term,
        "draggable": draggable,
        "labels": list(labels),
        "size": size,
    }


def board(
    key: str,
    groups: Sequence[Mapping[str, Any]],
    *,
    bounds: tuple[float, float, float, float],
    alt: str,
    hint: str = "",
    lines: Sequence[Mapping[str, Any]] = (),
    arrows: Sequence[Mapping[str, Any]] = (),
    on_moved: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Points that can be dragged, lines that follow them, and arrows.

    Args:
        key: identifies it in the browser.
        groups: of :func:`group`.
        bounds: left, right, bottom, top.
        alt: what a screen reader says.
        hint: one line below.
        lines: ``{a: [group, point], b: [group, point], width, term}``.
        arrows: ``{from: (x, y), to: (x, y), term, label, side}``.
        on_moved: called with ``{group, index, x, y}`` when a drag has ended.
    """
    data = {
        "groups": list(groups),
        "lines": list(lines),
        "arrows": list(arrows),
        "bounds": list(bounds),
        "alt": alt,
        "hint": hint,
        "height": HEIGHT,
    }
    _show(_board, key, data, on_moved or (lambda moved: None))


def _show(
    component: Callable[..., Any], key: str, data: dict[str, Any], on_moved: Callable[..., None]
) -> None:
    serial = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]

    def moved() -> None:
        change = st.session_state[key].get("moved")
        if change:
            on_moved(change)

    component(key=key, data={**data, "serial": serial}, on_moved_change=moved)
