"""Section *Is there one equilibrium?*: many starts, and how far apart they end."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ddeq.lab import snippet
from ddeq.lab.equilibria import Ends, Search, ends_csv, ends_npz
from ddeq.lab.measures import SAME
from ddeq.run.settings import RunSettings
from ddeq.view.glossary import explain, say
from ddeq.view.lab.bench import Bench
from ddeq.view.lab.charts import distances, draw, landscape
from ddeq.view.lab.job import Experiment, Job
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import equilibria_sentence
from ddeq.view.session import Name
from ddeq.view.words import class_name

COUNTS = (5, 10, 20, 40, 80)
Asked = tuple[RunSettings, int, tuple[int, ...]]
SEARCH = Experiment(
    Name.SEARCH,
    "Look for equilibria",
    ":material/travel_explore:",
    "looked for",
    "Solving from many starts",
)


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
    st.markdown(
        f"{runs} runs: {seeds} seeds with {_listed(counts)} particles each, and as controls with "
        f"the input's points shuffled, and padded with points that a mask hides."
    )

    def begin() -> Search:
        return Search(bench.checkpoint, bench.points, settings, seeds, counts, bench.device)

    job = SEARCH.ask((bench.key, *asked), (bench, asked), begin)
    if job is not None:
        SEARCH.show(job, _show)


def _show(job: Job) -> None:
    found: Ends = job.latest
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
    _show_table(found, same)
    bench, (settings, seeds, counts) = job.request
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


def _show_table(found: Ends, same: float) -> None:
    """One row a run, with the number of its equilibrium."""
    rows = [
        {
            "run": end.name,
            "class": class_name(end.label),
            "sure": end.confidence,
            "spread": end.spread,
            "distinct": end.distinct,
            "objective": end.relative_objective,
            "arrived": end.arrived,
            "steps": end.steps,
            "equilibrium": int(label) + 1 if label >= 0 else None,
        }
        for end, label in zip(found.ends, found.groups(same).labels, strict=True)
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        height=240,
        column_config={
            "sure": number(format="percent"),
            "spread": number(format="%.2f"),
            "distinct": number(help=explain("distinct particles")),
            "objective": number(format="%.1e"),
        },
    )


def _listed(counts: tuple[int, ...]) -> str:
    *others, last = map(str, counts)
    return f"{', '.join(others)} and {last}" if others else last
