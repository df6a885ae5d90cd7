"""What a link says: before a page believes it, as anybody can write anything there, and on the way
from page to page."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import streamlit as st

from ddeq.view.private import believe_link_anew, link_of_this_run, put_into_link
from ddeq.view.session import Kept, Name

_DIGITS = 9  # of a number that may be a place in a list
_PICKED = ("input", "digit", "object")  # the input, which is that of all pages
_WITHOUT_INPUT = ("learn",)
_MOMENT = ("step", "camera", "demo")  # a page that is left is not left in the midst of it


@dataclass
class _Carried:
    """What is carried from page to page.

    Attributes:
        page: the present one; None before the first.
        run: the number of script runs so far.
        settings: of each page that was there, by their names in its link.
        picked: the input, likewise.
    """

    page: str | None = None
    run: int = 0
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    picked: dict[str, str] = field(default_factory=dict)


_carried: Kept[_Carried] = Kept(Name.CARRIED)


def carry(page: str) -> int:
    """On arrival from another page, put into its link what it had when it was left, and the input.

    What was there is asked for rather than the link: on the way, also on that back, a browser drops
    some of it, and may take something of the other page along. Only the first link of a session,
    such as one that somebody was sent, is believed.

    Returns:
        The number of this script run, for :func:`keep`.
    """
    carried = _carried.get() or _carried.put(_Carried())
    carried.run += 1
    came_from, carried.page = carried.page, page
    if came_from not in (None, page):
        said = st.query_params.to_dict()
        link = dict(carried.settings.get(page, said))
        if page not in _WITHOUT_INPUT:
            link |= carried.picked
        if link != said:
            put_into_link(link)
    return carried.run


def keep(page: str, run: int) -> None:
    """Remember what the page's link says, for when it is left.

    Args:
        page: of this script run.
        run: its number. One that has been overtaken by another has nothing new to say.
    """
    carried = _carried.get() or _carried.put(_Carried())
    if carried.run != run:
        return
    said = {name: text for name, text in link_of_this_run().items() if name not in _MOMENT}
    carried.picked |= {name: text for name, text in said.items() if name in _PICKED}
    carried.settings[page] = {name: text for name, text in said.items() if name not in _PICKED}


def carry_source(source: str) -> None:
    """Have other pages begin with this source of their input, which a link may leave out."""
    carried = _carried.get() or _carried.put(_Carried())
    carried.picked["input"] = source


def place_in_link(name: str, count: int) -> int | None:
    """The place in a list of so many things that the link names, if it names one."""
    asked = st.query_params.get(name, "")
    if not asked.isdecimal() or len(asked) > _DIGITS:
        return None
    return int(asked) if int(asked) < count else None


def drop_infinities() -> None:
    """Take from the link what reads as an infinite number or NaN: fields stumble over it."""
    absurd = [
        name for name in st.query_params if not all(map(_is_usable, st.query_params.get_all(name)))
    ]
    for name in absurd:
        del st.query_params[name]
    if absurd:
        believe_link_anew()


def _is_usable(text: str) -> bool:
    """Whether this is a finite number or, as most text is, no number at all."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return True
