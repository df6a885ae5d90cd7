"""What a session keeps besides its widgets' values: all names, in one namespace."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

import streamlit as st

T = TypeVar("T")


class Name(StrEnum):
    """Everything that a page keeps for later script runs."""

    CARRIED = "links.carried"
    DRAWING = "input.drawing"
    UPLOAD = "input.upload"
    FIRST_SOURCES = "input.first-sources"
    CLASSIFIED = "classify.run"
    COSTS = "classify.costs"
    LAST_CUT = "complete.last-cut"
    LOOKED_FROM = "complete.looked-from"
    COMPLETION = "complete.completion"
    STANDING = "complete.standing"
    CUTTING = "complete.cutting"
    BENCH = "lab.bench"
    MADE = "lab.made"
    SEARCH = "lab.search"
    SWEEP = "lab.sweep"
    MEASUREMENT = "lab.measurement"
    EXIT_USED = "lab.exit-used"
    DRAWN_TARGET = "learn.drawn-target"
    TARGET_WANTED = "learn.target-wanted"
    TRAINING = "learn.training"
    SCORING = "learn.scoring"
    PLAYERS = "player.places"


class Kept(Generic[T]):
    """One thing that a session keeps; the module whose it is says of which type."""

    def __init__(self, name: Name) -> None:
        self.key = f"ddeq.{name}"

    def get(self) -> T | None:
        """The thing, or None where nothing is kept."""
        return st.session_state.get(self.key)

    def put(self, value: T) -> T:
        st.session_state[self.key] = value
        return value

    def take(self) -> T | None:
        """The thing, which is not kept any longer."""
        return st.session_state.pop(self.key, None)
