"""The app's words, each explained in one sentence: for tooltips, ``help=`` and the Learn page."""

from __future__ import annotations

import html
import re

TERMS: dict[str, str] = {
    "fixed point": "A value that a function maps to itself: x = F(x).",
    "equilibrium": "A state that the network maps to itself, so that applying it again changes "
    "nothing.",
    "equilibrium model": "A network whose output is not that of a last layer but a fixed point of "
    "one layer.",
    "plain iteration": "Applying F again and again, each time to its own result.",
    "damping": "Going only part of the way from x to F(x) at each step.",
    "cloud": "Points without an order, as a laser scanner or the pixels of a digit give them.",
    "measure": "A way to spread one unit of mass; a cloud of N points puts 1/N on each.",
    "particle": "One point of a cloud that the solver may move.",
    "Wasserstein distance": "The least effort to carry one measure to another: the root of the "
    "mean squared distance that mass has to travel (W2).",
    "transport plan": "Which point sends how much of its mass where.",
    "EMD": "Earth mover's distance: the mean distance that mass has to travel at the least.",
    "MMD": "Maximum mean discrepancy: how differently two measures look to a kernel; zero only "
    "if they are the same.",
    "kernel": "A function k(x, y) that says how strongly a point at x feels one at y.",
    "energy distance": "The squared MMD of the kernel -|x - y|, felt at any distance.",
    "gradient flow": "Moving always in the direction in which a quantity falls fastest.",
    "step size": "How far each particle moves along its velocity in one step.",
    "chattering": "Jumping to and fro across a target because steps do not get shorter.",
    "noise injection": "Shaking the particles before each gradient, to leave bad spots.",
    "operator": "The network F: from a cloud of particles and the input to a cloud of as many.",
    "residual": "What is left between mu and F(mu); zero at the equilibrium.",
    "objective": "G, half the squared MMD between mu and F(mu): what the flow makes small.",
    "solver": "The rule by which particles move from one step to the next.",
    "gradient": "The direction in parameter space in which the loss rises fastest.",
    "phantom gradient": "The gradient through a single application of F at the equilibrium.",
    "implicit gradient": "The exact gradient of an equilibrium, from one linear equation.",
    "unrolling": "Differentiating through the solver's steps, all of which must be remembered.",
    "loss": "The number that training makes small: how wrong the model's answers are.",
    "control": "The same network trained without the thing tested, to see what that adds.",
    "spread": "Mean distance of the particles from their centre; zero if they are one point.",
    "DDEQ": "Distributional deep equilibrium model: its equilibrium is a measure, not a vector.",
}


def explain(term: str) -> str:
    """One sentence on a term of :data:`TERMS`, for a widget's ``help``."""
    return TERMS[term]


def with_terms(text: str) -> str:
    """Markdown in which ``[[term]]`` and ``[[shown|term]]`` explain themselves when pointed at.

    The result holds HTML: show it with ``st.markdown(..., unsafe_allow_html=True)``. The bubble
    comes with ``ddeq.view.learn.figures.link_symbols``.
    """

    def marked(match: re.Match[str]) -> str:
        shown, _, term = match[1].partition("|")
        meaning = html.escape(TERMS[term or shown], quote=True)
        return (
            f'<span class="learn-term" tabindex="0" data-tip="{meaning}" '
            f'aria-description="{meaning}">{shown}</span>'
        )

    return re.sub(r"\[\[(.+?)\]\]", marked, text)
