"""Section *Witness*: the function that tells the particles from their image, step by step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ddeq.lab import snippet
from ddeq.lab.runs import LabRun
from ddeq.lab.witness import Plane, on_plane, window_of
from ddeq.run.export import metrics_csv, trajectory_npz
from ddeq.run.projection import Projection
from ddeq.run.settings import RunSettings
from ddeq.solve.kernels import Gaussian, Radial, Riesz
from ddeq.view.glossary import say
from ddeq.view.lab.bench import Bench, remembered
from ddeq.view.lab.charts import draw, witness
from ddeq.view.lab.takeaway import take_home
from ddeq.view.live import LiveRun
from ddeq.view.watch import watch

KERNELS: dict[str, Radial] = {
    "Riesz, r = 1 (the paper's)": Riesz(),
    "Riesz, r = 0.5": Riesz(0.5),
    "Riesz, r = 1.5": Riesz(1.5),
    "Riesz, r = 1, smoothed over 3": Riesz(1.0, 3.0),
    "Gaussian, bandwidth 3": Gaussian(3.0),
    "Gaussian, bandwidth 10": Gaussian(10.0),
}


def forms(bench: Bench) -> RunSettings:
    """Settings of the run."""
    with st.expander("Solver settings", icon=":material/tune:"):
        return bench.form("w-")


def show(bench: Bench, settings: RunSettings) -> None:
    """The heat map above the player."""
    view = bench.view(settings)
    live = remembered(
        "witness",
        (bench.key, settings),
        lambda: bench.live(bench.run(settings), bench.cloud.name, view),
    )
    say(
        "Where the [[witness]] is high, particles are too many; where it is low, too few. They "
        "flow from red to blue, and at an equilibrium it is flat."
    )
    _stepping(live, view)
    name, fitted = st.session_state["witness-kernel"], st.session_state["witness-fitted"]
    take_home(
        bench,
        {
            "ddeq-run.csv": lambda: metrics_csv(live.frames, live.run.labels),
            "ddeq-run.npz": lambda: trajectory_npz(live.frames, bench.points, settings),
        },
        lambda: [figure_at(live, view, name, k, fitted) for k in _shown_steps(live)],
        "witness",
        snippet.witness(bench.family, bench.cloud, settings, KERNELS[name]),
    )


@st.fragment
def _stepping(live: LiveRun[LabRun], view: Projection) -> None:
    """The heat map of the step that the player below it shows; playing leaves the rest alone."""
    above = st.container()
    shown = watch([live], "witness", lambda: None, steps=True).step
    left, right = above.columns([2, 3], gap="medium")
    name = left.selectbox("Kernel", list(KERNELS), key="witness-kernel", bind="query-params")
    fitted = left.toggle(
        "Fit colours to the step",
        help="Else they are those of the first step, and the function is seen to fade.",
        key="witness-fitted",
        bind="query-params",
    )
    left.caption(
        "It steps with the player's timeline. The plane is that of the player's first two axes, "
        "through the middle of the particles and their image; all of them are projected onto it."
    )
    last = len(live.frames) - 1
    place = last if shown is None else live.frame_at(shown)
    with right:
        draw(figure_at(live, view, name, place, fitted), "witness")


def figure_at(
    live: LiveRun[LabRun], view: Projection, name: str, step: int, fitted: bool
) -> go.Figure:
    """The witness function of a frame, with the kernel of this name.

    Its colours mean the same as at the first frame, unless they are ``fitted`` to this one.
    """
    frames = live.frames
    clouds = np.concatenate([[f.particles, f.image] for f in frames])
    window = window_of(clouds, view)

    def seen(k: int) -> Plane:
        return on_plane(frames[k].particles, frames[k].image, KERNELS[name], view, window)

    here = seen(step)
    scale = here if fitted else seen(0)
    return witness(here, frames[step].step, float(np.abs(scale.values).max()) or 1.0)


def _shown_steps(live: LiveRun[LabRun]) -> list[int]:
    """A few steps from the first to the last."""
    return sorted({round(k) for k in np.linspace(0, len(live.frames) - 1, 5)})
