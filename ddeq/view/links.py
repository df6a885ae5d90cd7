"""What a link says, before a page believes it: anybody can write anything there."""

from __future__ import annotations

import math

import streamlit as st

from ddeq.view.private import believe_link_anew

_DIGITS = 9  # of a number that may be a place in a list


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
