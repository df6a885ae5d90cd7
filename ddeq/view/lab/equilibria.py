"""Section *Is there one equilibrium?*: many starts, and how far apart they end."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ddeq.lab import snippet
from ddeq.lab.equilibria import Search, ends_csv, ends_npz
from ddeq.lab.measures import SAME
from ddeq.run.settings import RunSettings
from ddeq.view.glossary import say
from ddeq.view.lab.bench import Bench
from ddeq.view.lab.charts import distances, draw, landscape
from ddeq.view.lab.job import Job, work_through
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import equilibria_sentence

COUNTS = (5, 10, 20, 40, 80)
Asked = tuple[RunSettings, int, tuple[int, ...]]


def forms(bench: Bench) -> Asked:
    """Settings of every run, how many seeds, and which particle counts."""
    seeds = st.slider("Seeds", 2, 16, 8, key="seeds-of-search", bind="query-params")
    counts = st.multiselect("Particle counts", COUNTS, [10, 20], key="counts", bind="query-params")
    with st.expander("Solver settings", icon=":material/tune:"):
        settings = bench.form("e-", without=("particles",), steps=200, tolerance=1e-4)
    return settings, seeds, tuple(sorted(counts or [10]))


def show(bench: Bench, asked: Asked) -> None:
    """A button, then what the last search found."""
    settings, seeds, counts = asked
    runs = seeds * (len(counts) + 2)
    request = (bench.key, *asked)
    st.markdown(
        f"{runs} runs: {seeds} seeds with {_listed(counts)} particles each, and as controls with "
        f"the input's points shuffled, and padded with points that a mask hides."
    )
    if st.button("Look for equilibria", type="primary", icon=":material/travel_explore:"):
        search = Search(bench.checkpoint, bench.points, settings, seeds, counts, bench.device)
        st.session_state.search = Job((request, bench, asked), search)
    job = st.session_state.get("search")
    if job is None:
        return
    if job.request[0] != request:
        st.info("Below is what you looked for last. Press the button for what is chosen now.")
    work_through(job, "search", "Solving from many starts", _show)


def _show(job: Job) -> None:
    found = job.latest
    if not job.done:
        return
    if found.distances is None:
        st.info("You stopped before all runs had ended: press the button to begin again.")
        return
    same = st.slider(
        "Call two ends the same up to this share of their spread apart",
        0.05,
        1.0,
        SAME,
        0.05,
        key="same",
        bind="query-params",
        help="W2 over the spread. Equilibria of inputs of different classes are about 2 apart.",
    )
    say(equilibria_sentence(found, same))
    left, right = st.columns(2)
    with left:
        draw(distances(found), "distances")
    with right:
        draw(landscape(found), "map")
    st.caption(
        "The matrix has the runs in the order of the table. On the map, dots are runs on the input "
        "as it is, rings on the shuffled and squares on the padded one."
    )
    labels = found.groups(same).labels
    st.dataframe(
        [
            {
                "run": end.name,
                "class": end.label,
                "sure": end.confidence,
                "spread": end.spread,
                "objective": end.relative_objective,
                "arrived": end.arrived,
                "steps": end.steps,
                "equilibrium": int(label) + 1 if label >= 0 else None,
            }
            for end, label in zip(found.ends, labels, strict=True)
        ],
        hide_index=True,
        height=240,
        column_config={
            "sure": st.column_config.NumberColumn(format="percent"),
            "spread": st.column_config.NumberColumn(format="%.2f"),
            "objective": st.column_config.NumberColumn(format="%.1e"),
        },
    )
    _, bench, (settings, seeds, counts) = job.request
    take_home(
        bench,
        {
            "ddeq-equilibria.csv": partial(ends_csv, found, same),
            "ddeq-equilibria.npz": partial(ends_npz, found),
        },
        lambda: [distances(found), landscape(found)],
        "equilibria",
        snippet.search(bench.family, bench.cloud, settings, seeds, counts, same),
    )


def _listed(counts: tuple[int, ...]) -> str:
    *others, last = map(str, counts)
    return f"{', '.join(others)} and {last}" if others else last
