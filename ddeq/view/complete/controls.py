"""What the controls of page *Complete* ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.hollow import Hollow
from ddeq.run.completion import usual_count
from ddeq.run.settings import RunSettings
from ddeq.view.complete.request import Completion, Request
from ddeq.view.cuts import choose_hollow
from ddeq.view.glossary import explain
from ddeq.view.inputs import Chosen
from ddeq.view.page import load_model

MOST_SEEDS = 4


def ask(
    chosen: Chosen, settings: RunSettings, present: Completion | None
) -> tuple[Request, bool] | None:
    """What the controls ask for, and whether to start from the present particles.

    None while what they say makes no sense, which is explained.
    """
    row = st.container(horizontal=True, gap="medium")  # one below the other where it is narrow
    plot, controls = row.container(width=320), row.container(width=450)
    try:
        hollow = choose_hollow(chosen.cloud, plot, controls, flat=chosen.family.flat)
    except UserError as error:
        controls.error(str(error))
        return None
    with controls:
        free, seeds = _how_many(load_model(chosen.family.completer).card, hollow)
        request = Request(chosen, hollow, settings, free, seeds)
        same = present is not None and present.request.cloud_identity == request.cloud_identity
        going_on = st.toggle(
            "Start from where the particles are",
            disabled=not same,
            help="Not from noise: change what is removed and watch them move on.",
        )
    return request, same and going_on


def _how_many(card: Mapping[str, Any], hollow: Hollow) -> tuple[int | None, int]:
    """Free particles, None as many as is usual, and runs side by side."""
    number, side = st.columns(2, gap="medium")
    free = number.number_input(
        "Free particles",
        min_value=1,
        value=None,
        placeholder=f"{usual_count(card, hollow):,}{_because(card, hollow)}",
        help=explain("free particles"),
        key="free",
        bind="query-params",
    )
    seeds = side.segmented_control(
        "Seeds side by side",
        range(1, MOST_SEEDS + 1),
        default=1,
        required=True,
        help="Is there one completion or several?",
        key="seeds",
        bind="query-params",
    )
    return free, seeds


def _because(card: Mapping[str, Any], hollow: Hollow) -> str:
    if card.get("free") == "removed" and hollow.removed is not None:
        return ", as removed"
    return ", by the paper's rule"
