"""Section *Does the flow matter?*: accuracy against steps, and how many to take elsewhere."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ddeq.lab import snippet
from ddeq.lab.early_exit import Measurement, anytime_csv, shipped_digits
from ddeq.run import RunSettings
from ddeq.view.forms import settings_form
from ddeq.view.lab.bench import Bench, with_settings
from ddeq.view.lab.charts import accuracy, draw
from ddeq.view.lab.job import Job, work_through
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import anytime_sentence

OTHER_PAGES = {"Classify": "", "Complete": "fill-"}  # prefixes of their settings


def forms(bench: Bench) -> RunSettings:
    """Settings of the solver; every digit takes all steps."""
    card = with_settings(bench.card, steps=20)
    with st.expander("Solver settings", icon=":material/tune:"):
        return settings_form(card, "x-", without=("tolerance",))


def show(bench: Bench, settings: RunSettings) -> None:
    """A button, then the last measurement and the dial."""
    st.markdown(
        "All 240 digits of the gallery, read out after every step. 0 steps reads the random start; "
        "the *zero-step control* is the same network, trained to be read out after one application "
        "of $F$."
    )
    if st.button("Measure", type="primary", icon=":material/speed:"):
        work = Measurement(
            bench.checkpoint, bench.control, shipped_digits(bench.card), settings, bench.device
        )
        st.session_state.anytime = Job(settings, work)
    job = st.session_state.get("anytime")
    if job is None:
        return
    if job.request != settings:
        st.info("Below is what you measured last. Press the button for what is chosen now.")
    work_through(job, "anytime", "Classifying 240 digits", _show)


def _show(job: Job) -> None:
    found = job.latest
    if not found.scores[0].total:
        return
    chosen, first = 0, 1
    if job.done:
        st.markdown(anytime_sentence(found))
        chosen = _dial(job.request, len(found.scores) - 1, found.enough())
        random = st.toggle("Show 0 steps, the random start", key="random", bind="query-params")
        first = 0 if random else min(1, len(found.scores) - 1)
    charts = [(by, accuracy(found, by, chosen, first)) for by in ("steps", "milliseconds")]
    for place, (by, chart) in zip(st.columns(2), charts, strict=True):
        with place:
            draw(chart, f"accuracy-{by}", passing=not job.done)
    if job.done:
        take_home(
            None,
            {"ddeq-accuracy.csv": partial(anytime_csv, found)},
            lambda: [chart for _, chart in charts],
            "accuracy",
            snippet.anytime(job.request),
        )


def _dial(settings: RunSettings, most: int, enough: int) -> int:
    """How many steps to take, and a way to take as many on the other pages."""
    solver = settings.to_dict()["solver"]
    chosen = st.slider(
        "Leave early, after so many steps", 0, most, enough, key="exit", bind="query-params"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use it on the other pages", icon=":material/send:"):
            for prefix in OTHER_PAGES.values():
                st.session_state[f"{prefix}solver"] = solver
                st.session_state[f"{prefix}{solver}-steps"] = chosen
            st.session_state.exit_used = (solver, chosen)
        if "exit_used" in st.session_state:
            used, steps = st.session_state.exit_used
            st.markdown(f"Classify and Complete now take at most {steps} steps of `{used}`.")
    return chosen
