"""Chapter 1: a number, a map, and when repeating the map settles."""

from __future__ import annotations

import streamlit as st

from ddeq.learn.maps import MAPS, halving_steps, walk
from ddeq.view.learn.figures import Walk, cobweb
from ddeq.view.learn.frame import Chapter, Question, controls, number_of

TEXT = r"""
An ordinary network has a fixed number of layers. Imagine one whose layers are all the same
function $\term{map}{F}$, and let there be infinitely many. The state then goes
$x_0,\ F(x_0),\ F(F(x_0)), \dots$ If it settles, it does so at a [[fixed point]]:

$$
\term{fixed}{x^\star} = \term{map}{F}(\term{fixed}{x^\star})
$$

An [[equilibrium model]] outputs that point. How it is found does not matter: by
[[plain iteration]] or by any better [[solver]].

In the figure the state is one number. Go from the start up or down to $\term{map}{F}$, across to
the dashed diagonal, and again: that is $\term{x}{x} \leftarrow \term{map}{F}(\term{x}{x})$. Near
the fixed point each step multiplies the distance to it by the slope $\term{slope}{F'}$, so

$$
|\term{slope}{F'}(\term{fixed}{x^\star})| < 1 \quad\Longleftrightarrow\quad
\text{iteration settles nearby.}
$$

At slope ½ the distance halves each step; below zero the state jumps from side to side.
[[Damping|damping]], $\term{x}{x} \leftarrow (1-\term{damping}{a})\,\term{x}{x} +
\term{damping}{a}\,\term{map}{F}(\term{x}{x})$, only goes part of the way and tames steep negative
slopes.
"""

SNIPPET = """\
import torch
from ddeq.learn.maps import {kind}
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.solvers import Picard

start = torch.tensor([[[{start:.2f}]]])  # one cloud of one particle in one dimension
flow = Flow(
    {kind}(slope={slope:.2f}),
    start,
    solver=Picard(damping={damping:.2f}),
    stop=StopRule(max_steps=40, tolerance=1e-6),
    velocity=False,
)
for step in flow:
    print(step.step, float(step.particles))
"""

STEPS = 40
PRESETS = {
    "Settles": {"map": "line", "@slope": 0.5, "@start": -1.5, "damping": 1.0},
    "Spirals in": {"map": "line", "@slope": -0.8, "@start": -1.5, "damping": 1.0},
    "Flies off": {"map": "line", "@slope": -1.2, "@start": 0.2, "damping": 1.0},
    "Tamed": {"map": "line", "@slope": -1.2, "@start": 0.2, "damping": 0.5},
    "A neuron": {"map": "neuron", "@slope": 2.0, "@start": -0.1, "damping": 1.0},
    "A neuron that never settles": {
        "map": "neuron",
        "@slope": -2.0,
        "@start": -1.0,
        "damping": 1.0,
    },
}


def answer() -> tuple[int, str]:
    """Ask the simulation what a slope of -1.2 does, and with damping."""
    bare, damped = (walk(MAPS["line"](-1.2), 0.2, damping) for damping in (1.0, 0.5))
    right = {"settles": 0, "repeats": 1, "escapes": 2}[bare.ending]
    return right, (
        f"Each step multiplies the distance by {abs(bare.rate):.1f} and changes side, so it "
        f"{bare.ending}. Half steps (preset *Tamed*) multiply it by {damped.rate:.1f}: "
        f"after {damped.steps} of them it rests at {damped.end:.2f}."
    )


def figure() -> str:
    """Controls, the cobweb, and what the library's solver says of the same walk."""
    start, slope = number_of("start", -1.5, -2, 2), number_of("slope", -0.8, -3, 3)
    with controls("map"):
        left, right = st.columns(2, gap="medium")
        name = left.segmented_control(
            "Map",
            list(MAPS),
            default="line",
            required=True,
            help="The neuron is tanh(s x + 0.2), fed with its own output.",
            key="map",
            bind="query-params",
        )
        damping = right.slider(
            "Damping",
            0.1,
            1.0,
            1.0,
            0.05,
            help="1 jumps to F(x); less goes only part of the way.",
            key="damping",
            bind="query-params",
        )

    def moved(to: dict[str, float]) -> None:
        st.query_params.update({name: f"{to[name]:.2f}" for name in ("start", "slope")})

    cobweb("cobweb", Walk(name, start, slope, damping, STEPS), moved)
    st.markdown(_found(name, slope, start, damping))
    kind = MAPS[name].__name__
    return SNIPPET.format(kind=kind, slope=slope, start=start, damping=damping)


def _found(name: str, slope: float, start: float, damping: float) -> str:
    found = walk(MAPS[name](slope), start, damping)
    if found.settled:
        halving = halving_steps(found.rate)
        speed = (
            f"where a step multiplies the distance by {found.rate:.2f}, so it halves every "
            f"{halving:.1f} steps"
            if 0 < halving < 1000
            else f"where a step multiplies the distance by {found.rate:.2f}"
        )
        return f"**Settles** at {found.end:.3f} after {found.steps} steps, {speed}."
    if found.ending == "escapes":
        return (
            f"**Flies off**: each step multiplies the distance to the fixed point by "
            f"{found.rate:.2f}. Drag the slope, or lower the damping."
        )
    return (
        f"**Never settles**: it goes on between {min(found.x[-2:]):.2f} and "
        f"{max(found.x[-2:]):.2f}. Lower the damping."
    )


CHAPTER = Chapter(
    "Fixed points",
    TEXT,
    Question(
        "The line's slope is −1.2 and the start is close to the fixed point. What will happen?",
        ("It settles at the fixed point", "It repeats for ever", "It flies off"),
        answer,
        "Flies off",
    ),
    PRESETS,
    figure,
    ("deq",),
)
