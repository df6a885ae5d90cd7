"""A short tour of a page: cards beside what they speak of, on the first visit and when asked for.

Whether a person has seen it is kept in their browser. The page stays usable all the while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "ddeq.tour",
    css=(_HERE / "tour.css").read_text(),
    js=(_HERE / "tour.js").read_text(),
)


@dataclass(frozen=True)
class Stop:
    """One card.

    Attributes:
        title, text: in plain words.
        at: CSS selectors of what it speaks of; each further one looks into the shadow tree of
            something inside what the last one found.
    """

    title: str
    text: str
    at: tuple[str, ...]


def tour(name: str, stops: Sequence[Stop], after: tuple[str, ...] = ()) -> None:
    """A button that takes people along the stops; on their first visit it begins by itself.

    Pages inside other pages, as in lessons, have none.

    Args:
        name: tells this tour from others in the browser's memory.
        stops: in order.
        after: CSS selectors, as of a stop, of what is there once the first visit's tour may begin;
            none is at once.
    """
    if not st.context.is_embedded:
        data = {"name": name, "stops": [asdict(s) for s in stops], "after": after}
        _component(key=f"tour-{name}", data=data)
