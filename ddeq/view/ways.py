"""The ways to equilibrium that page *Classify* shows in plain words, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ddeq.engine.work import go_through
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.flows import flow_of_clouds
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.solve.flow import Stopped
from ddeq.solve.solvers import SOLVERS

MOST_STEPS = 150


@dataclass(frozen=True)
class Way:
    """One of the ways.

    Attributes:
        said: solver and what else differs from the card's settings for it.
        hint: what there is to see.
    """

    said: Mapping[str, Any]
    hint: str


WAYS = {
    "Gradient flow": Way(
        {"solver": "nesterov", "steps": MOST_STEPS},
        "The Wasserstein gradient flow, with steps that look ahead and get shorter: it arrives.",
    ),
    "Paper's settings": Way(
        {"solver": "euler"},
        "The flow in constant steps, as in the paper: watch it chatter about the equilibrium.",
    ),
    "Plain iteration": Way(
        {"solver": "picard"},
        "No gradient: every particle jumps to where the network sends it. The fastest.",
    ),
}
FIRST = WAYS["Gradient flow"].said
"""What plays at first: particles that flow, rather than jump once and hardly move."""


def choose_way(settings: RunSettings, prefix: str) -> None:
    """A row of the ways, the one in use marked, and the way to all solvers.

    Args:
        settings: in use.
        prefix: of their fields, one of which is the solver.
    """
    names = {way.said["solver"]: name for name, way in WAYS.items()}
    name = names.get(SOLVERS.name_of(settings.solver))
    st.session_state["way"] = name
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="ways"):
        st.segmented_control(
            "How it is solved",
            list(WAYS),
            key="way",
            label_visibility="collapsed",
            on_change=_go,
            args=(prefix,),
        )
        if st.button("All solvers\u2026", help="Race them on this input, in the solver lab."):
            st.switch_page("pages/lab.py")
    with st.container(key="way-hint"):
        st.caption(WAYS[name].hint if name else "A solver of your own choice, set beside.")


def _go(prefix: str) -> None:
    """Have the field of the solver say what has been clicked."""
    if st.session_state["way"] is not None:
        st.session_state[f"{prefix}solver"] = WAYS[st.session_state["way"]].said["solver"]


def costs(checkpoint: Checkpoint[Classifier], points: np.ndarray, seed: int) -> str:
    """What each of the ways costs on an input until it arrives by the model's card, as Markdown."""
    said = []
    for name, way in WAYS.items():
        flow = flow_of_clouds(
            checkpoint.model,
            [points],
            with_defaults(checkpoint.card, {"seed": seed, **way.said, "steps": MOST_STEPS}),
            [seed],
            next(checkpoint.model.parameters()).device,
        )
        go_through(flow)
        solved = flow.solution
        arrived = solved.stopped[0] in (Stopped.CONVERGED, Stopped.BELOW_ROUNDING)
        said.append(
            f"*{name}* {int(solved.evaluations[0])}" + ("" if arrived else ", without arriving")
        )
    return f"[[Network evaluations|network evaluation]] of each way: {'; '.join(said)}."
