"""The player as a Streamlit component."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ddeq.run.touch import Touch, touch_of
from ddeq.view.glossary import explain
from ddeq.view.player.assets import script
from ddeq.view.private import SCRIPTS, Place, allow_again, is_on_page, served
from ddeq.view.session import Kept, Name

# Only this goes with every rerun. The player itself and the runs are fetched by the browser, each
# once: their addresses are hashes of their contents.
_LOADER = """
export default async function (component) {
  const page = document.querySelector('script[src*="SCRIPTS"]')?.src ?? location.href;
  const base = page.split("SCRIPTS")[0] + "/";
  const { mount } = await import(new URL(component.data.script, base));
  return mount(component, base);
}
""".replace("SCRIPTS", SCRIPTS)

HEADINGS = {
    "Prediction": "probabilities",
    "residual": "residual",
    "objective G": "objective",
    "G / G\u2080": "relative objective",
    "distance to the target (EMD)": "EMD",
    "spread of the particles": "spread",
    "distinct particles": "distinct particles",
    "spread of the free particles": "spread",
    "MMD\u00b2 to the truth": "MMD",
    "EMD to the truth": "EMD",
    "Chamfer distance to the truth": "Chamfer distance",
    "F-score at 1 %": "F-score",
    "removed points covered": "coverage",
}
"""Headings in the player to the terms that explain them."""

_component = st.components.v2.component("ddeq.player", js=_LOADER, isolate_styles=False)
_places: Kept[dict[str, Place]] = Kept(Name.PLAYERS)


@dataclass(frozen=True, eq=False)
class CutHere:
    """How a cloud that is shown before it is filled in can be cut in the player.

    Attributes:
        outlines: closed lines ``(P, 3)`` in the particles' units, such as of a sphere.
        pick: whether a click picks a point.
        take: what the button says that reports from where one looks; None is no button.
        hint: one line at the bottom of the view.
    """

    outlines: Sequence[np.ndarray] = ()
    pick: bool = False
    take: str | None = None
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        lines = [line.round(4).tolist() for line in self.outlines]
        return {"outlines": lines, "pick": self.pick, "take": self.take, "hint": self.hint}


@dataclass(frozen=True)
class PlayerState:
    """What the browser reports back.

    Attributes:
        link: {"step": ..., "camera": ...} as texts fit for a URL, in the one rerun that follows a
            press of "Link to this moment"; else None. Give it back as `state`.
        step: the one that is shown, where this was asked for and the browser has said it.
        looked: azimuth and elevation in degrees, as of :class:`ddeq.input.partial.Orbit`, from
            where they look, in the one rerun that follows the button of :class:`CutHere`.
        picked: the point clicked, in the particles' units, in the one rerun that follows.
        touched: what was done to particles, likewise.
    """

    link: dict[str, str] | None = None
    step: int | None = None
    looked: tuple[float, float] | None = None
    picked: tuple[float, ...] | None = None
    touched: Touch | None = None


def player(
    runs: Sequence[bytes | Sequence[bytes]],
    *,
    key: str,
    height: int = 440,
    live: bool = False,
    follow: bool = False,
    state: dict[str, str] | None = None,
    links: bool = False,
    steps: bool = False,
    touch: bool = False,
    cut: CutHere | None = None,
) -> PlayerState:
    """Show encoded runs side by side on one clock. Playing and scrubbing rerun nothing.

    Call it again with the same key to show more. Within one script run a later call updates the
    player where the first one put it. Camera, step, speed and switches stay.

    Args:
        runs: up to four; each a whole file of `encode`, or its pieces so far, [header, chunk, ...].
        key: identifies this player in the browser.
        height: of the particles' view, in pixels.
        live: whether the solver still runs; the view then follows its newest step.
        follow: whether it also moves on to the last step of finished runs that it has not shown
            yet, as of those that were solved before it could show more.
        state: {"step", "camera"} to begin with, from a link.
        links: whether to offer "Link to this moment".
        steps: whether the page wants to know the step that is shown, and reruns when it changes.
        touch: whether particles can be thrown, shaken, merged, added and removed.
        cut: how what is shown can be cut; None is not at all.
    """
    pieces = [[run] if isinstance(run, bytes) else list(run) for run in runs]
    data: dict[str, Any] = {
        "key": key,
        "serial": time.time_ns() // 1000,  # orders calls, which may be taken up out of order
        "script": _address(script().encode(), "text/javascript"),
        "runs": [[_address(piece, "application/octet-stream") for piece in run] for run in pieces],
        "height": height,
        "live": live,
        "follow": live or follow,
        "state": state,
        "links": links,
        "steps": steps,
        "touch": touch,
        "cut": None if cut is None else cut.to_dict(),
        "tips": {heading: explain(term) for heading, term in HEADINGS.items()},
    }
    with _place(key):
        result = _component(
            key=key,
            data=data,
            on_link_change=_ignore,
            on_lost_change=_ignore,
            on_step_change=_ignore,
            on_looked_change=_ignore,
            on_picked_change=_ignore,
            on_touched_change=_ignore,
        )
    return PlayerState(
        result.link,
        None if result.step is None else int(result.step),
        None if result.looked is None else (float(result.looked[0]), float(result.looked[1])),
        None if result.picked is None else tuple(map(float, result.picked)),
        touch_of(result.touched),
    )


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""


def _address(content: bytes, mimetype: str) -> str:
    """The path at which the browser can fetch ``content``.

    A place of its own for every content, since what is put at a place where something is drops
    that: a script run that is being interrupted, and still adds its pieces, must not drop those
    of the one that follows.
    """
    return served(content, mimetype, f"ddeq.player-{hash(content)}")


def _place(key: str) -> Place:
    """Where the player goes: here, or where an earlier call of this script run put it.

    There it is the same element with more data.
    """
    places = _places.get() or _places.put({})
    if is_on_page(key):
        allow_again(key)
    else:
        places[key] = st.empty()
    return places[key]
