"""Random thinning, and which of all random cuts."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ddeq.input.partial import thinned

SLIDER = 125
"""Width of a slider among the cutting tools, in pixels: two of them fit on a phone."""


def thin(points: np.ndarray) -> np.ndarray:
    """Which of the points ``(M, d)`` random thinning keeps, with its controls."""
    percent = st.slider(
        "How much", 5, 95, 50, 5, format="%d %%", key="thin", bind="query-params", width=SLIDER
    )
    return thinned(points, 1 - percent / 100, np.random.default_rng(cut_seed()))


def cut_seed() -> int:
    """Which random cut, and a button for the next one."""

    def again() -> None:
        st.session_state["cut-seed"] += 1

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width="content"):
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="cut-seed", bind="query-params", width=90
        )
        st.button("Again", icon=":material/casino:", help="Another random cut", on_click=again)
    return seed
