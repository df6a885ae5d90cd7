"""The app's words, each explained in one sentence, wherever they stand.

A widget explains its own with ``help=explain(term)``; running text marks them, ``[[term]]``, and is
shown with :func:`say`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import streamlit as st

from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS

TERMS: dict[str, str] = {
    **{
        family.name: family.meaning
        for registry in (SOLVERS, KERNELS)
        for family in registry.families.values()
    },
    "fixed point": "A value that a function maps to itself: x = F(x).",
    "equilibrium": "A state that the network maps to itself, so that applying it again changes "
    "nothing.",
    "equilibrium model": "A network whose output is not that of a last layer but a fixed point of "
    "one layer.",
    "damping": "Going only part of the way from x to F(x) at each step.",
    "cloud": "Points without an order, as a laser scanner or the pixels of a digit give them.",
    "measure": "A way to spread one unit of mass; a cloud of N points puts 1/N on each.",
    "particle": "One point of a cloud that the solver may move.",
    "known points": "What is left of a cloud from which a part was removed; they never move.",
    "free particles": "Particles that begin as noise and fill in what was removed.",
    "Wasserstein distance": "The least effort to carry one measure to another: the root of the "
    "mean squared distance that mass has to travel (W2).",
    "transport plan": "Which point sends how much of its mass where.",
    "hidden-point removal": "Finding the points seen from one side: those that stay on a convex "
    "hull when the cloud is turned inside out about the camera.",
    "EMD": "Earth mover's distance: the mean distance that mass has to travel at the least.",
    "Chamfer distance": "How far a point of either cloud is from the other's nearest, on average; "
    "the distances are not squared (CD-\u21131).",
    "squared Chamfer distance": "The mean squares of these distances from either cloud, summed: "
    "the CD-\u21132 of many papers.",
    "F-score": "The share of points of two clouds that have one of the other within a given "
    "distance.",
    "coverage": "The share of the removed points that have a free particle nearby.",
    "kernel": "A function k(x, y) that says how strongly a point at x feels one at y.",
    "step size": "How far each particle moves along its velocity in one step.",
    "chattering": "Jumping to and fro across a target because steps do not get shorter.",
    "noise injection": "Shaking the particles before each gradient, to leave bad spots.",
    "operator": "The network F: from a cloud of particles and the input to a cloud of as many.",
    "residual": "What is left between mu and F(mu); zero at the equilibrium.",
    "objective": "G, half the squared MMD between mu and F(mu): what the flow makes small.",
    "relative objective": "The objective as a share of what it was at the start, G / G\u2080.",
    "tolerance": "The relative objective at which a solve has arrived and stops.",
    "network evaluation": "One application of F, the costly part of a step.",
    "probabilities": "How sure the network is of each class if it were read out at this step.",
    "solver": "The rule by which particles move from one step to the next.",
    "trunk": "The run from which another one branches off at some step.",
    "collapse": "All particles at one point: an equilibrium that says nothing.",
    "divergence": "Particles flying off, so that the objective is no longer a number.",
    "witness": "The function on which two measures differ most, high where one has more mass.",
    "gradient": "The direction in parameter space in which the loss rises fastest.",
    "phantom gradient": "The gradient through a single application of F at the equilibrium.",
    "implicit gradient": "The exact gradient of an equilibrium, from one linear equation.",
    "unrolling": "Differentiating through the solver's steps, all of which must be remembered.",
    "loss": "The number that training makes small: how wrong the model's answers are.",
    "control": "The same network trained without the thing tested, to see what that adds.",
    "distinct particles": "Particles that are apart: those closer than 5 % of a normal particle's "
    "distance from its centre count as one.",
    "spread": "Mean distance of the particles from their centre; zero if they are one point.",
    "DDEQ": "Distributional deep equilibrium model: its equilibrium is a measure, not a vector.",
}


def explain(term: str) -> str:
    """One sentence on a term of :data:`TERMS`, for a widget's ``help``."""
    return TERMS[term]


def with_terms(text: str) -> str:
    """Markdown in which ``[[term]]`` and ``[[shown|term]]`` explain themselves when pointed at.

    The result holds HTML: show it with ``st.markdown(..., unsafe_allow_html=True)``, as
    :func:`say` does. The bubble is that of :mod:`ddeq.view.bubbles`.
    """

    def marked(match: re.Match[str]) -> str:
        shown, _, term = match[1].partition("|")
        meaning = html.escape(TERMS[term or shown], quote=True)
        return (
            f'<span class="ddeq-term" tabindex="0" data-tip="{meaning}" '
            f'aria-description="{meaning}">{shown}</span>'
        )

    return _MARK.sub(marked, text)


def plain(text: str) -> str:
    """The text without its marks, for where nothing can be pointed at."""
    return _MARK.sub(lambda match: match[1].partition("|")[0], text)


def say(text: str, write: Callable[..., Any] = st.markdown) -> None:
    """Show Markdown whose marked terms explain themselves.

    Args:
        text: with marks; of ours, as it may hold HTML.
        write: ``st.markdown`` or ``st.caption``, of the page or of a container.
    """
    write(with_terms(text), unsafe_allow_html=True)


_MARK = re.compile(r"\[\[(.+?)\]\]")
