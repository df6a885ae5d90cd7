"""Chapter 3: particles flow downhill to a target that the student draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from ddeq.errors import UserError
from ddeq.input.images import strokes_to_cloud
from ddeq.learn.descent import distances, flow_to, leftover
from ddeq.learn.ring import movement
from ddeq.learn.shapes import SHAPES, fitted
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import SOLVERS as registry
from ddeq.solve.solvers import Euler, EulerDecay, Momentum, Solver
from ddeq.view.glossary import explain
from ddeq.view.learn.frame import Chapter, Question, controls, offer_lab, row
from ddeq.view.learn.toys import Scenery, plane
from ddeq.view.pad import drawing_pad
from ddeq.view.player.component import player
from ddeq.view.session import Kept, Name
from ddeq.view.words import verbatim

TEXT = r"""
Think of all clouds as a landscape whose height is the [[MMD]] to a target
$\term{target}{\nu}$. A [[gradient flow]] lets the cloud $\term{mu}{\mu}$ slide downhill: every
[[particle]] moves along its own velocity,

$$
\term{mu}{z_n} \leftarrow \term{mu}{z_n} + \term{gamma}{\gamma}\,\term{velocity}{v_n},
$$
$$
\term{velocity}{v_n} = \overline{\nabla \term{kernel}{k}(\term{mu}{z_n}, \term{target}{y})} -
\overline{\nabla \term{kernel}{k}(\term{mu}{z_n}, \term{mu}{z})}.
$$

The first part pulls towards the target, the second keeps particles apart. So they do not all
run to the same spot: they share the target out.

The kernel is $\term{kernel}{k}(x, y) = -|x-y|^{\term{r}{r}}$. At $\term{r}{r}=1$ the pull is as
strong near the target as far away: it finds far targets, but close by a constant
[[step size]] jumps across again and again. This is [[chattering]], and a single particle
chatters at a distance proportional to $\term{gamma}{\gamma}$. What cures it: steps that get
shorter, $\term{r}{r}>1$, or a kernel smoothed near zero, $-(|x-y|^2+\varepsilon^2)^{1/2}$. Steps
that are too long for the smoothed pull chatter as before.

[[Noise injection|noise injection]] shakes the particles before each gradient. It can free stuck
ones, but while it lasts it also keeps them from settling.
"""

SNIPPET = """\
from ddeq.learn.descent import flow_to
from ddeq.learn.shapes import SHAPES
from ddeq.metrics.transport import emd
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import {name}

target = SHAPES["{shape}"]({count})
flow = flow_to(target, {solver}, {kernel}, steps={steps}, noise={noise})
for step in flow:
    if step.step % 20 == 0:
        print(step.step, float(step.objective), emd(step.particles[0].numpy(), target))
"""

COUNT, STEPS = 40, 200
SOLVERS: dict[str, Euler | EulerDecay | Momentum] = {
    "euler": Euler(),
    "euler-decay": EulerDecay(),
    "momentum": Momentum(),
}
PLAIN = {
    "flow-solver": "euler",
    "flow-step": 2.0,
    "flow-r": 1.0,
    "flow-eps": 0.0,
    "flow-noise": 0.0,
}
PRESETS = {
    "Chattering": PLAIN,
    "Half the step": {**PLAIN, "flow-step": 1.0},
    "Shorter and shorter": {**PLAIN, "flow-solver": "euler-decay", "flow-step": 4.0},
    "r = 1.5": {**PLAIN, "flow-step": 1.0, "flow-r": 1.5},
    "Smoothed": {**PLAIN, "flow-eps": 0.1},
    "Noise": {**PLAIN, "flow-step": 1.0, "flow-noise": 0.2},
}

_drawn: Kept[np.ndarray] = Kept(Name.DRAWN_TARGET)  # (COUNT, 2)
_wanted: Kept[bool] = Kept(Name.TARGET_WANTED)  # whether what was drawn is to be the target now


@st.cache_data(max_entries=64, show_spinner=False)
def left_at(step_size: float) -> float:
    """What is left with this constant step and ``r = 1``."""
    target = SHAPES["ring"](COUNT)
    return leftover(flow_to(target, Euler(step_size), Riesz(), steps=STEPS), target)


def answer() -> tuple[int, str]:
    """Run both step sizes."""
    whole, half = left_at(2.0), left_at(1.0)
    right = 0 if half < 1e-3 else 1 if half < 0.8 * whole else 2
    return right, (
        f"With step 2 the particles end {whole:.3f} from the target on average, with step 1 "
        f"{half:.3f}: nearer, but they still chatter. For one particle the distance is exactly "
        "proportional to the step; in a cloud they also jostle each other."
    )


def figure() -> str:
    """Controls, and the flow in the player."""
    target, shape = _target()
    solver, kernel, noise = _settings()
    data, sentence = solved(target, solver, kernel, noise)
    player([data], key="learn-descent", height=340, follow=True)
    st.markdown(sentence)
    offer_lab(solver, kernel, STEPS, noise=noise)
    return SNIPPET.format(
        name=type(solver).__name__,
        shape=shape if shape in SHAPES else "ring",
        count=COUNT,
        solver=solver,
        kernel=kernel,
        steps=STEPS,
        noise=noise,
    )


@st.cache_data(max_entries=64, show_spinner=False)
def solved(target: np.ndarray, solver: Solver, kernel: Riesz, noise: float) -> tuple[bytes, str]:
    """The flow for the player, and what came of it."""
    steps = list(flow_to(target, solver, kernel, steps=STEPS, noise=noise))
    far = distances(steps, target)
    left = float(np.mean(far[-20:]))
    moving = movement(steps[-2].particles, steps[-1].particles)
    sentence = (
        f"After {steps[-1].step} steps the particles end **{left:.3f}** from the target on "
        f"average; they began {far[0]:.2f} away. In the last step each moves **{moving:.3f}**."
    )
    if left > far[0]:
        sentence += " Such steps are too long: lower the step size."
    curves = {
        "distance to the target (EMD)": far,
        "objective G": [float(step.objective) for step in steps],
    }
    scenery = Scenery(
        "The true cloud is the target.",
        truth=target,
        ghost=False,
        kernel=None if noise else kernel,
    )
    return plane(steps, "flow to a target", curves, scenery), sentence


def _settings() -> tuple[Solver, Riesz, float]:
    with controls("flow"):
        name = st.segmented_control(
            "Solver",
            list(SOLVERS),
            default="euler",
            required=True,
            help=" ".join(f"*{name}*: {registry.hints[name]}" for name in SOLVERS),
            key="flow-solver",
            bind="query-params",
        )
        step, r, eps, noise = _numbers()
    return replace(SOLVERS[name], step_size=step), Riesz(r, eps), noise


def _numbers() -> list[float]:
    """Step size, the kernel's exponent and smoothing, and noise."""
    smoothing = "Closer than this, the pull fades."
    fields = (
        ("flow-step", "Step size", (0.1, 4.0, 2.0, 0.1), explain("step size")),
        ("flow-r", "Exponent r", (0.2, 1.8, 1.0, 0.1), explain("kernel")),
        ("flow-eps", "Smoothing", (0.0, 1.0, 0.0, 0.05), smoothing),
        ("flow-noise", "Noise", (0.0, 1.0, 0.0, 0.05), explain("noise injection")),
    )
    return [
        place.slider(label, *numbers, help=meaning, key=key, bind="query-params")
        for place, (key, label, numbers, meaning) in zip(row(len(fields)), fields, strict=True)
    ]


def _target() -> tuple[np.ndarray, str]:
    """The target of the link, or the one drawn."""
    with controls("target"), st.container(horizontal=True, vertical_alignment="bottom"):
        drawn = _drawn.get()
        if _wanted.take():
            st.session_state["flow-target"] = "drawn"
        names = [*SHAPES, *([] if drawn is None else ["drawn"])]
        shape = st.segmented_control(
            "Target", names, default="ring", required=True, key="flow-target", bind="query-params"
        )
        with st.popover("Draw one", icon=":material/draw:"):
            strokes = drawing_pad("flow-pad", size=240)
    if strokes is not None:
        try:
            _drawn.put(fitted(strokes_to_cloud(strokes).points, COUNT))
            _wanted.put(True)
            st.rerun()
        except (UserError, ValueError) as error:
            st.error(verbatim(str(error)))
    if drawn is not None and shape == "drawn":
        return drawn, shape
    return SHAPES[shape](COUNT), shape


CHAPTER = Chapter(
    "Flowing downhill",
    TEXT,
    Question(
        "With constant steps and r = 1 the particles never quite arrive. Halve the step: what "
        "becomes of the distance that is left?",
        ("It vanishes", "It shrinks but stays", "It stays the same"),
        answer,
        "Half the step",
    ),
    PRESETS,
    figure,
    ("arbel", "hertrich", "energy", "ddeq"),
)
