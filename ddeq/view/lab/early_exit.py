"""Section *Does the flow matter?*: accuracy against steps, and how many to take elsewhere."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ddeq.input.families import Family
from ddeq.lab import snippet
from ddeq.lab.early_exit import Measurement, anytime_csv, shipped
from ddeq.lab.samples import samples
from ddeq.run.settings import RunSettings
from ddeq.view.glossary import say
from ddeq.view.lab.bench import Bench
from ddeq.view.lab.charts import accuracy, draw
from ddeq.view.lab.job import Experiment, Job
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import anytime_sentence
from ddeq.view.session import Kept, Name

OTHER_PAGES = {"Classify": "", "Complete": "fill-"}  # prefixes of a family's settings
MEASURE = Experiment(
    Name.MEASUREMENT, "Measure", ":material/speed:", "measured", "Classifying the gallery"
)

_exit_used: Kept[tuple[Family, str, int]] = Kept(Name.EXIT_USED)  # whose, solver and steps


def forms(bench: Bench) -> RunSettings:
    """Settings of the solver; every cloud takes all steps."""
    with st.expander("Solver settings", icon=":material/tune:"):
        return bench.form("x-", without=("tolerance",), steps=20)


def show(bench: Bench, settings: RunSettings) -> None:
    """A button, then the last measurement and the dial."""
    family = bench.family
    count = len(samples(family).answers)
    control = (
        "the *[[zero-step control|control]]* is the same network, trained to be read out after one "
        "application of $F$."
        if bench.control is not None
        else f"no [[control]] of the {family.noun}s' model ships."
    )
    say(
        f"All {count} {family.noun}s of the gallery, read out after every step. 0 steps reads the "
        f"random start; {control}"
    )

    def begin() -> Measurement:
        data = shipped(family, bench.card)
        return Measurement(bench.checkpoint, bench.control, data, settings, bench.device)

    asked = family, settings
    job = MEASURE.ask(asked, asked, begin)
    if job is not None:
        MEASURE.show(job, _show)


def _show(job: Job) -> None:
    found, (family, settings) = job.latest, job.request
    if not found.scores[0].total:
        return
    chosen, first = 0, 1
    if job.done:
        say(anytime_sentence(found, family))
        chosen = _dial(family, settings, len(found.scores) - 1, found.enough())
        random = st.toggle("Show 0 steps, the random start", key="random", bind="query-params")
        first = 0 if random else min(1, len(found.scores) - 1)
    charts = [
        (by, accuracy(found, by, chosen, first, family.noun)) for by in ("steps", "milliseconds")
    ]
    for place, (by, chart) in zip(st.columns(2), charts, strict=True):
        with place:
            draw(chart, f"accuracy-{by}", passing=not job.done)
    if job.done:
        take_home(
            None,
            {"ddeq-accuracy.csv": partial(anytime_csv, found)},
            lambda: [chart for _, chart in charts],
            "accuracy",
            snippet.anytime(family, settings),
        )


def _dial(family: Family, settings: RunSettings, most: int, enough: int) -> int:
    """How many steps to take, and a way to take as many on the other pages."""
    solver = str(settings.to_dict()["solver"])
    chosen = st.slider(
        "Leave early, after so many steps", 0, most, enough, key="exit", bind="query-params"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use it on the other pages", icon=":material/send:"):
            for page in OTHER_PAGES.values():
                prefix = family.prefix + page
                st.session_state[f"{prefix}solver"] = solver
                st.session_state[f"{prefix}{solver}-steps"] = chosen
            _exit_used.put((family, solver, chosen))
        if (used := _exit_used.get()) is not None:
            where, name, steps = used
            st.markdown(
                f"Classify and Complete now take at most {steps} step{'' if steps == 1 else 's'} "
                f"of `{name}` for {where.noun}s."
            )
    return chosen
