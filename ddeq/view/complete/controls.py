"""What the controls of page *Complete* ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.hollow import Hollow
from ddeq.run.completion import usual_count
from ddeq.run.settings import RunSettings
from ddeq.view.complete.request import Completion, Request
from ddeq.view.cuts import Cut, choose_cut
from ddeq.view.glossary import explain
from ddeq.view.inputs import Chosen
from ddeq.view.page import load_model
from ddeq.view.words import verbatim

MOST_SEEDS = 4


@dataclass(frozen=True, eq=False)
class Asked:
    """What the controls say.

    Attributes:
        cut: of the input; None where it cannot be cut in this way.
        request: what is to be completed; None while that makes no sense, which is explained.
        going_on: whether to start from the present particles.
        pressed: whether to complete it now.
        back: whether to cut anew what has been completed.
    """

    cut: Cut | None
    request: Request | None
    going_on: bool = False
    pressed: bool = False
    back: bool = False


def ask(chosen: Chosen, settings: RunSettings, present: Completion | None) -> Asked:
    """The cutting tools in one row above the view, with what else a completion takes."""
    row = st.container(
        horizontal=True, vertical_alignment="bottom", gap="small", key="cutting-tools"
    )
    cut = hollow = None
    with row:
        try:
            cut = choose_cut(chosen.cloud, flat=chosen.family.flat)
            hollow = cut.of(chosen.cloud)
        except UserError as error:
            st.error(verbatim(str(error)))
        free, seeds, going_on = _more(chosen, hollow, present)
        pressed = st.button(
            "Complete", type="primary", icon=":material/auto_fix_high:", disabled=hollow is None
        )
        again = cut is not None and cut.by_hand and present is not None
        back = again and st.button("Cut anew", icon=":material/content_cut:")
    if hollow is None:
        return Asked(cut, None)
    return Asked(cut, Request(chosen, hollow, settings, free, seeds), going_on, pressed, back)


def _more(
    chosen: Chosen, hollow: Hollow | None, present: Completion | None
) -> tuple[int | None, int, bool]:
    """Free particles, None as many as is usual, runs side by side, and where they begin."""
    with st.popover("More", icon=":material/tune:"):
        free = st.number_input(
            "Free particles",
            min_value=1,
            value=None,
            placeholder=_usual(load_model(chosen.family.completer).card, hollow),
            help=explain("free particles"),
            key="free",
            bind="query-params",
        )
        seeds = st.segmented_control(
            "Seeds side by side",
            range(1, MOST_SEEDS + 1),
            default=1,
            required=True,
            help="Is there one completion or several?",
            key="seeds",
            bind="query-params",
        )
        same = present is not None and (
            present.request.cloud_identity == chosen.cloud.points.tobytes()
        )
        going_on = st.toggle(
            "Start from where the particles are",
            disabled=not same,
            help="Not from noise: change what is removed and watch them move on.",
        )
    return free, seeds, same and going_on


def _usual(card: Mapping[str, Any], hollow: Hollow | None) -> str:
    if hollow is None:
        return ""
    as_removed = card.get("free") == "removed" and hollow.removed is not None
    why = "as removed" if as_removed else "by the paper's rule"
    return f"{usual_count(card, hollow):,}, {why}"
