"""Chapter 5: gradients of an equilibrium, and a DDEQ trained in the page."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
import torch

from ddeq.learn.arcs import (
    BATCH,
    HELD_OUT,
    ROUNDS,
    Round,
    TinyDDEQ,
    draw,
    memory_of_unrolling,
    train,
)
from ddeq.learn.gradients import Gradients, gradients
from ddeq.solve.gradients.measures import angle
from ddeq.view.glossary import explain
from ddeq.view.learn.figures import Board, Group, show_board
from ddeq.view.learn.frame import Chapter, Question, controls, number_of
from ddeq.view.learn.on_demand import offer_work
from ddeq.view.learn.symbols import TONES
from ddeq.view.learn.toys import Scenery, plane
from ddeq.view.player.component import player
from ddeq.view.session import Name

TEXT = r"""
To train the weights $\term{theta}{\theta}$ we need the [[gradient]] of the [[loss]] at the
equilibrium $z^\star = F_\theta(z^\star)$. The equilibrium answers a change of
$\term{theta}{\theta}$ twice: $F$ changes, and so does the $z^\star$ that goes into it. With
$\term{phantom}{g}$ the gradient of the loss in $z^\star$ and $\term{J}{J}$ the Jacobian of $F$
there:

$$
\term{exact}{u} = (I - \term{J}{J}^\top)^{-1} \term{phantom}{g} =
\term{phantom}{g} + \term{unrolled}{J^\top g} + \term{unrolled}{J^\top J^\top g} + \dots
$$

- The [[implicit gradient]] is $\term{exact}{u}$ itself: exact, at the price of a linear equation.
- [[Unrolling|unrolling]] $k$ steps adds up the first $k$ terms, and keeps all $k$ steps in memory.
- The [[phantom gradient]] takes the first term alone. It is off, yet as long as its angle to
  $\term{exact}{u}$ is below 90° a small step along it still lowers the loss. And it costs one
  application of $F$, however long the solve was.

In the figure $F(z) = \term{J}{J} z + b$ shrinks and turns the plane, and the loss is
$\term{phantom}{g} \cdot z^\star$, so these are the gradients in $b$. Below, a tiny DDEQ is trained
with phantom gradients while you watch: it sees a third of a circle, and its equilibrium should
become the whole.
"""

SNIPPET = """\
from ddeq.learn.arcs import train
from ddeq.learn.gradients import Gradients, gradients
from ddeq.solve.gradients.measures import angle

g = gradients(strength={strength}, turn={turn}, pull=({x:.2f}, {y:.2f}), depth={depth})
print("phantom is off by", angle(g.phantom, g.implicit), "degrees")
for k, unrolled in enumerate(g.unrolled, 1):
    print(k, "steps unrolled:", angle(unrolled, g.implicit))

for round in train(rounds=40):  # 300 in the page
    print(round.number, round.error)
"""

DEPTHS = (1, 2, 4, 8, 16, 32)
PRESETS = {
    "Weak": {"strength": 0.3, "turn": 40, "depth": 8},
    "Strong": {"strength": 0.8, "turn": 40, "depth": 8},
    "No turn": {"strength": 0.8, "turn": 0, "depth": 8},
    "Against": {"strength": 0.95, "turn": 80, "depth": 16},
}


def answer() -> tuple[int, str]:
    """Measure the angle for a strong turn."""
    g = gradients(0.8, 40, (1.0, 0.0), 8)
    off, unrolled = angle(g.phantom, g.implicit), angle(g.unrolled[-1], g.implicit)
    right = 0 if off < 1 else 1 if off < 90 else 2
    return right, (
        f"It is {off:.0f}° off, so small steps along it still lower the loss; 8 unrolled steps "
        f"are {unrolled:.0f}° off. Only a step that turns *and* keeps almost everything, as in "
        "preset *Against*, comes near 90°."
    )


def figure() -> str:
    """The three gradients, their cost, and the training."""
    x, y = number_of("gx", 1.0, -1.2, 1.2), number_of("gy", 0.0, -1.2, 1.2)
    strength, turn, depth = _fields()

    def moved(to: dict[str, float]) -> None:
        st.query_params.update({"gx": f"{to['x']:.2f}", "gy": f"{to['y']:.2f}"})

    found = gradients(strength, turn, (x, y), depth)
    show_board("gradients-board", _arrows(found), moved)
    st.markdown(_compared(found))
    _memory()
    _training()
    return SNIPPET.format(strength=strength, turn=turn, x=x, y=y, depth=depth)


def _fields() -> tuple[float, float, int]:
    """How strongly ``F`` shrinks and turns, and how many steps are unrolled."""
    with controls("gradients"):
        one, two, three = st.columns(3, gap="medium")
        strength = one.slider(
            "Strength",
            0.0,
            0.95,
            0.8,
            0.05,
            help="How much of z survives an application of F.",
            key="strength",
            bind="query-params",
        )
        turn = two.slider(
            "Turn",
            0,
            180,
            40,
            5,
            format="%d°",
            help="How far F turns z.",
            key="turn",
            bind="query-params",
        )
        depth = three.slider(
            "Unrolled steps",
            1,
            32,
            8,
            help=explain("unrolling"),
            key="depth",
            bind="query-params",
        )
    return strength, turn, depth


def _compared(found: Gradients) -> str:
    """How far off the exact gradient the cheaper ones are, as Markdown."""
    last, exact = found.unrolled[-1], found.implicit
    phantom, unrolled = (angle(v, exact) if v.norm() > 1e-9 else 0 for v in (found.phantom, last))
    return (
        f"Phantom is **{phantom:.0f}°** off the exact gradient and "
        f"{float(found.phantom.norm() / exact.norm().clamp(min=1e-9)):.0%} as long; "
        f"{len(found.unrolled)} unrolled steps are **{unrolled:.0f}°** off."
    )


def _arrows(found: Gradients) -> Board:
    """The sum of the series as arrows end to end."""
    phantom, exact = found.phantom.numpy(), found.implicit.numpy()  # (2,), (2,)
    ends = np.stack([np.zeros(2), *(u.numpy() for u in found.unrolled)])  # (depth + 1, 2)
    reach = max(1.4, 1.15 * float(np.abs([*ends, exact]).max()))
    arrows = [
        {"from": a.tolist(), "to": b.tolist(), "term": "unrolled"} for a, b in pairwise(ends[1:])
    ]
    arrows += [
        {"from": [0, 0], "to": exact.tolist(), "term": "exact", "label": "implicit", "side": 1},
        {"from": [0, 0], "to": phantom.tolist(), "term": "phantom", "label": "phantom", "side": -1},
    ]
    tip = Group("g", phantom[None], "orange faint", "Loss gradient g", "phantom", size=5)
    return Board(
        [tip],
        bounds=(-1.6 * reach, 1.6 * reach, -reach, reach),
        arrows=arrows,
        alt=(
            f"Arrows from the origin: phantom to ({phantom[0]:.2f}, {phantom[1]:.2f}), the exact "
            f"implicit gradient to ({exact[0]:.2f}, {exact[1]:.2f}), and the terms that unrolling "
            "adds, end to end from the one to the other."
        ),
        hint="Drag the orange tip: the gradient g of the loss.",
    )


@st.cache_data(show_spinner=False)
def memory() -> tuple[list[int], int]:
    """Measured bytes: unrolled to each of :data:`DEPTHS`, and by phantom."""
    return memory_of_unrolling(list(DEPTHS))


def _memory() -> None:
    unrolled, phantom = memory()
    st.markdown(
        f"**Memory** that one training batch of the tiny DDEQ keeps for the backward pass, "
        f"measured: phantom {phantom / 1e3:.0f} kB whatever the depth, unrolling {DEPTHS[-1]} "
        f"steps {unrolled[-1] / 1e3:.0f} kB."
    )
    kB = [size / 1e3 for size in unrolled]
    rows = pd.DataFrame({"steps": [str(depth) for depth in DEPTHS], "kB": kB})
    bars = (
        alt.Chart(rows)
        .mark_bar(color=TONES["green"][1])
        .encode(
            alt.X("steps", sort=None, title="steps unrolled", axis=alt.Axis(labelAngle=0)), y="kB"
        )
    )
    rule = (
        alt.Chart(pd.DataFrame({"kB": [phantom / 1e3]}))
        .mark_rule(color=TONES["orange"][1], size=2.5)
        .encode(y="kB")
    )
    label = rule.mark_text(text="phantom", align="left", dy=-8, x=6, color=TONES["orange"][1])
    said = ", ".join(f"{depth} steps {size:.0f} kB" for depth, size in zip(DEPTHS, kB, strict=True))
    st.altair_chart(
        (bars + rule + label.encode(y="kB")).properties(
            height=150,
            description=f"Memory against unrolled steps: {said}; phantom {phantom / 1e3:.0f} kB.",
        )
    )


def _training() -> None:
    """Train a tiny DDEQ, and try it."""
    st.subheader("Train one", anchor=False)
    history = offer_work(
        Name.TRAINING,
        ("Train", f"{ROUNDS} rounds of {BATCH} arcs, well under a minute on one CPU core."),
        train,
        lambda now: (now.number / ROUNDS, f"Round {now.number} of {ROUNDS}"),
        _learnt,
    )
    if history:
        _solve_one(history[-1].model)


def _learnt(history: list[Round]) -> None:
    """The error on arcs that were never shown, so far."""
    last = history[-1]
    st.markdown(
        f"Round {last.number}: on {HELD_OUT} arcs it has never seen, MMD² to the circle is "
        f"**{last.error:.3f}** (before training {history[0].error:.3f})."
    )
    rows = pd.DataFrame({"round": [r.number for r in history], "error": [r.error for r in history]})
    curve = (
        alt.Chart(rows)
        .mark_line(color=TONES["blue"][1], strokeWidth=2.5)
        .encode(
            alt.X("round", title="round", scale=alt.Scale(domain=[0, ROUNDS])),
            alt.Y(
                "error",
                title="MMD² to the circle",
                scale=alt.Scale(type="log", domain=[0.01, 1]),
                axis=alt.Axis(values=[0.01, 0.1, 1]),
            ),
        )
        .properties(height=230, description="The error on unseen arcs falls with the rounds.")
    )
    left, right = st.columns([3, 2])
    left.altair_chart(curve)
    right.altair_chart(_glance(last.model))


def _glance(model: TinyDDEQ) -> alt.Chart:
    """The equilibrium of one unseen arc as it is now."""
    arcs = draw(1, torch.Generator().manual_seed(20_000))
    with torch.no_grad():
        found = model.flow(arcs, 8).run().particles
    clouds = {"circle": arcs.circles, "arc it sees": arcs.x, "equilibrium": found}
    rows = pd.concat(
        pd.DataFrame(cloud[0].numpy(), columns=["x", "y"]).assign(cloud=name)
        for name, cloud in clouds.items()
    )
    tones = [TONES["grey"][1], TONES["green"][1], TONES["blue"][1]]
    plain: dict[str, Any] = {"axis": None, "scale": alt.Scale(domain=[-1.8, 1.8])}
    return (
        alt.Chart(rows)
        .mark_circle(size=42, opacity=0.9)
        .encode(
            alt.X("x", **plain),
            alt.Y("y", **plain),
            alt.Color(
                "cloud",
                scale=alt.Scale(domain=list(clouds), range=tones),
                legend=alt.Legend(orient="top", title=None),
            ),
        )
        .properties(
            height=230,
            description="The particles of the equilibrium, the arc that the model sees and the "
            "circle that it should find.",
        )
    )


def _solve_one(model: TinyDDEQ) -> None:
    """The trained model's flow on an arc it has not seen."""
    with controls("arc"):
        seed = st.number_input(
            "An arc it has never seen", 0, 999, 0, help="Which random arc.", key="arc"
        )
    arcs = draw(1, torch.Generator().manual_seed(10_000 + seed))
    with torch.no_grad():
        steps = list(model.flow(arcs, 12))
    curves = {"objective G": [float(step.objective) for step in steps]}
    scenery = Scenery(
        "True cloud: the whole circle, which the model does not see.",
        truth=arcs.circles[0].numpy(),
        rho=arcs.x[0].numpy(),
    )
    data = plane(steps, "an unseen arc", curves, scenery)
    player([data], key="learn-arc", height=300, follow=True)


CHAPTER = Chapter(
    "Learning through an equilibrium",
    TEXT,
    Question(
        "F keeps 80 % of z and turns it by 40°. The phantom gradient ignores that the "
        "equilibrium itself moves. How far off is its direction?",
        ("Hardly at all", "Clearly off, but still downhill", "Uphill"),
        answer,
        "Strong",
    ),
    PRESETS,
    figure,
    ("deq", "fung", "ddeq"),
)
