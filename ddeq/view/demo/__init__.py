"""The demo of page *Classify*, for a stand or a talk: good examples, one after the other.

A link with ``demo=1`` begins it, and any touch ends it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from ddeq.view.demo.scenes import SCENES, after
from ddeq.view.inputs import (
    FIRST_DIGIT,
    FIRST_OBJECT,
    Chosen,
    source_of_input,
    turn_to_source,
)

_HERE = Path(__file__).parent
_LINK = "demo"

_component = st.components.v2.component(
    "ddeq.demo",
    css=(_HERE / "demo.css").read_text(),
    js=(_HERE / "demo.js").read_text(),
)


@dataclass(frozen=True)
class Pace:
    """How long a scene stays, in seconds.

    Attributes:
        before: from the end of the solve until it is played once more, slowly.
        after: from then on until the next scene.
        patience: until the next scene, should this one not come to its end.
    """

    before: float = 1.5
    after: float = 5.0
    patience: float = 90.0


def plays_by_itself() -> bool:
    """Whether this visit is a demo."""
    return st.query_params.get(_LINK) == "1"


def demo(chosen: Chosen | None, player: str, pace: Pace = Pace()) -> None:
    """Go on by itself to the next scene, where this visit is a demo.

    Args:
        chosen: what the page shows.
        player: key of the player that shows it.
        pace: of the scenes.
    """
    if not plays_by_itself():
        return
    name = None if chosen is None else chosen.cloud.name
    _component(
        key="demo",
        data={"player": player, "name": name, "place": _place(), **asdict(pace)},
        on_next_change=_go_on,
        on_stop_change=_stop,
    )


def _shown() -> tuple[str, str]:
    """Source and number of what the page shows, as far as its link says."""
    source = source_of_input()
    names = {scene.source: scene.name for scene in SCENES}
    firsts = {"digit": FIRST_DIGIT, "object": FIRST_OBJECT}
    name = names.get(source, "")
    return source, st.query_params.get(name, str(firsts.get(name, "")))


def _place() -> str:
    """Tells each scene from the one before, which may have had the same name."""
    return "{} {}".format(*_shown())


def _go_on() -> None:
    """Have the page show the next scene."""
    if not plays_by_itself():  # it was ended meanwhile
        return
    scene = after(*_shown())
    turn_to_source(scene.source)
    st.query_params[scene.name] = str(scene.number)


def _stop() -> None:
    st.query_params.pop(_LINK, None)
