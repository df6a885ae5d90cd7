"""Chapter 4: the forward pass, on an operator small enough to see whole."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from ddeq.learn.ring import RingOperator, even_start, movement, random_start
from ddeq.learn.shapes import SHAPES
from ddeq.solve.flow import Flow, FlowStep, StopRule
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import SOLVERS as registry
from ddeq.solve.solvers import Anderson, Euler, EulerDecay, Picard, Solver
from ddeq.view.glossary import say
from ddeq.view.learn.frame import Chapter, Question, controls, offer_lab, row
from ddeq.view.learn.toys import Scenery, plane
from ddeq.view.player.component import player

TEXT = r"""
Now put both together. A [[DDEQ]] has an [[operator]] $\term{image}{F}$, a network that sees the
input cloud $\term{rho}{\rho}$ and sends a cloud of particles $\term{mu}{\mu}$ to another. The
answer is a cloud that it maps to itself:

$$
\term{mu}{\mu^\star} = \term{image}{F(}\term{mu}{\mu^\star}, \term{rho}{\rho}\term{image}{)}
$$

The equality is one of clouds. Particles may trade places, as order does not matter. How far one
is from it says the [[objective]], and the forward pass makes it small:

$$
\term{objective}{G}(\term{mu}{\mu}) = \tfrac12\, \mathrm{MMD}^2\big(\term{mu}{\mu},\,
\term{image}{F(}\term{mu}{\mu}, \term{rho}{\rho}\term{image}{)}\big)
$$

In chapter 3 the target stood still. Here it is $\term{image}{F(\mu)}$, and it moves with the
particles: the flow also follows how moving a particle moves the target. Click a particle to see its
step split into these parts.

The operator in the figure is small enough to see whole. It moves the cloud's centre towards the
input's, pulls every particle towards a ring as wide as the input, and **turns** the cloud. So no
particle can stay where it is; an even ring can.
"""

SNIPPET = """\
import torch
from ddeq.learn.ring import {start}, RingOperator
from ddeq.learn.shapes import SHAPES
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import {name}

rho = torch.from_numpy(SHAPES["{shape}"](20))[None] + 0.3
operator = RingOperator(pull={pull}, turn={turn}).of(rho)
flow = Flow(operator, {start}({arguments}), solver={solver}, kernel=Riesz(), stop=StopRule({steps}))
for step in flow:
    if step.step % 20 == 0:
        print(step.step, float(step.relative_objective))
print(flow.solution.stopped[0])
"""

PARTICLES, STEPS = 24, 120
SOLVERS = {
    "picard": Picard(),
    "anderson": Anderson(),
    "euler": Euler(2.0),
    "euler-decay": EulerDecay(2.0),
}
BASE = {
    "toy-solver": "picard",
    "toy-start": "even",
    "toy-turn": 30,
    "toy-pull": 0.4,
    "toy-rho": "ring",
}
PRESETS = {
    "A ring that turns": BASE,
    "No turn": {**BASE, "toy-turn": 0},
    "Uneven start": {**BASE, "toy-start": "random"},
    "Uneven, by gradient flow": {**BASE, "toy-start": "random", "toy-solver": "euler-decay"},
    "Constant steps": {**BASE, "toy-start": "random", "toy-solver": "euler"},
}


def solve(
    solver: Solver, start: str, turn: float, pull: float, shape: str
) -> tuple[list[FlowStep], np.ndarray]:
    """All steps of a solve of the toy, and its input ``(20, 2)``."""
    rho = torch.from_numpy(SHAPES[shape](20))[None] + 0.3  # (1, 20, 2)
    z0 = even_start(PARTICLES) if start == "even" else random_start(PARTICLES, 0)
    flow = Flow(
        RingOperator(pull, turn).of(rho),
        z0,
        solver=solver,
        kernel=Riesz(),
        stop=StopRule(STEPS),
    )
    return list(flow), rho[0].numpy()


def answer() -> tuple[int, str]:
    """Iterate until the objective is zero, and see whether particles still move."""
    steps, _ = solve(Picard(), "even", 30, 0.4, "ring")
    last = steps[-1]
    moving = movement(last.particles, last.image)
    right = 2 if last.relative_objective > 1e-3 else int(moving > 1e-2)
    return right, (
        f"After {last.step} steps $G$ is at {float(last.relative_objective):.0e} of where it "
        f"began, and each particle still moves {moving:.2f} per step, 30° around the ring. "
        "$F(\\mu)=\\mu$ as clouds, not particle by particle."
    )


def figure() -> str:
    """Controls, and the forward pass in the player."""
    with controls("toy"):
        solver = _solver()
        start, shape, turn, pull = _fields()
    data, sentence = solved(solver, start, turn, pull, shape)
    player([data], key="learn-forward", height=340, follow=True)
    say(sentence)
    offer_lab(solver, Riesz(), STEPS)
    call = "even_start" if start == "even" else "random_start"
    return SNIPPET.format(
        name=type(solver).__name__,
        solver=solver,
        start=call,
        arguments=PARTICLES if start == "even" else f"{PARTICLES}, seed=0",
        shape=shape,
        pull=pull,
        turn=turn,
        steps=STEPS,
    )


def _solver() -> Solver:
    name = st.segmented_control(
        "Solver",
        list(SOLVERS),
        default="picard",
        required=True,
        help=" ".join(f"*{name}*: {registry.hints[name]}" for name in SOLVERS),
        key="toy-solver",
        bind="query-params",
    )
    return SOLVERS[name]


def _fields() -> tuple[str, str, int, float]:
    """The start, the input's shape, and how far the operator turns and pulls."""
    one, two, three, four = row(4)
    start = one.segmented_control(
        "Start",
        ["even", "random"],
        default="even",
        required=True,
        key="toy-start",
        bind="query-params",
    )
    shape = two.selectbox("Input", list(SHAPES), key="toy-rho", bind="query-params")
    turn = three.slider(
        "Turn",
        0,
        90,
        30,
        15,
        format="%d°",
        help="How far F turns the cloud.",
        key="toy-turn",
        bind="query-params",
    )
    pull = four.slider(
        "Pull",
        0.1,
        1.0,
        0.4,
        0.1,
        help="How far towards the ring one step of F goes.",
        key="toy-pull",
        bind="query-params",
    )
    return start, shape, turn, pull


@st.cache_data(max_entries=64, show_spinner=False)
def solved(solver: Solver, start: str, turn: float, pull: float, shape: str) -> tuple[bytes, str]:
    """The forward pass for the player, and what came of it."""
    steps, rho = solve(solver, start, turn, pull, shape)
    last = steps[-1]
    moves = [movement(step.particles, step.image) for step in steps]
    reached = float(last.relative_objective)
    verdict = (
        "the cloud is an **[[equilibrium]]**"
        if reached <= 1e-3
        else "**not an [[equilibrium]]** yet"
    )
    sentence = (
        f"After {last.step} steps $G$ is at {reached:.2%} of where it began: {verdict}. "
        f"A particle is {moves[-1]:.2f} from *its own* image on average."
    )
    curves = {
        "G / G\u2080": [float(step.relative_objective) for step in steps],
        "each particle to its own image": moves,
    }
    scenery = Scenery(
        "The rings are F(μ): where the operator sends each particle.",
        rho=rho,
        kernel=Riesz() if solver.needs_velocity else None,
    )
    return plane(steps, "forward pass", curves, scenery), sentence


CHAPTER = Chapter(
    "The DDEQ forward pass",
    TEXT,
    Question(
        "Plain iteration from an even start, with a turn of 30°. When the objective has reached "
        "zero, do the particles stand still?",
        ("Yes, they stand still", "No, they keep moving", "It never reaches zero"),
        answer,
        "A ring that turns",
    ),
    PRESETS,
    figure,
    ("ddeq", "deq"),
)
