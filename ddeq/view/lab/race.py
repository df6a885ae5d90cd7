"""Section *Race*: up to four settings on one input, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ddeq.input.families import DIGITS, OBJECTS
from ddeq.lab import snippet
from ddeq.lab.race import Lane, Result, curves_csv, judge, lanes_npz, standings_csv
from ddeq.lab.runs import LabRun
from ddeq.run.projection import Projection
from ddeq.run.settings import RunSettings
from ddeq.view.glossary import explain, say
from ddeq.view.lab.bench import Bench, remembered
from ddeq.view.lab.charts import curves, draw
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import race_sentence, standing_row
from ddeq.view.live import LiveRun
from ddeq.view.watch import watch

LETTERS = "abcd"  # at most so many as the player takes
SOLVERS = {"b": "euler", "c": "anderson", "d": "momentum"}  # of a new lane; the first is the card's
TARGETS = (0.1, 0.03, 0.01, 0.003, 0.001)


def lanes() -> str:
    """The letters of the lanes, as the link says."""
    asked = "".join(dict.fromkeys(c for c in st.query_params.get("lanes", "ab") if c in LETTERS))
    return asked or "ab"


def forms(bench: Bench) -> dict[str, RunSettings]:
    """A form a lane; settings by the lane's name."""
    present = lanes()
    chosen: dict[str, RunSettings] = {}
    for letter, tab in zip(present, st.tabs([c.upper() for c in present]), strict=True):
        with tab:
            first = {"solver": SOLVERS[letter]} if letter in SOLVERS else {}
            settings = bench.form(f"{letter}-", **first)
            chosen[f"{letter.upper()} \u00b7 {settings.to_dict()['solver']}"] = settings
            with st.container(horizontal=True):
                full, alone = len(present) == len(LETTERS), len(present) == 1
                button = partial(st.button, type="tertiary", on_click=_change)
                button(
                    f"Duplicate {letter.upper()}",
                    icon=":material/content_copy:",
                    disabled=full,
                    args=("duplicate", letter),
                )
                button(
                    f"Remove {letter.upper()}",
                    icon=":material/delete:",
                    disabled=alone,
                    args=("remove", letter),
                )
    st.button(
        "Add a lane",
        icon=":material/add:",
        disabled=len(present) == len(LETTERS),
        on_click=_change,
        args=("add",),
    )
    return chosen


def _change(what: str, letter: str = "") -> None:
    present = lanes()
    if what == "remove":
        present = present.replace(letter, "")
    else:
        new = next(c for c in LETTERS if c not in present)
        for prefix in (family.prefix for family in (DIGITS, OBJECTS)):
            for name in _settings_of(prefix + new):
                del st.session_state[f"{prefix}{new}-{name}"]  # of a lane that was removed
            for name in _settings_of(prefix + letter) if what == "duplicate" else []:
                value = st.session_state[f"{prefix}{letter}-{name}"]
                st.session_state[f"{prefix}{new}-{name}"] = value
        present = "".join(sorted(present + new))
    st.query_params["lanes"] = present


def _settings_of(lane: str) -> list[str]:
    """Names of the fields of a lane that have been shown."""
    keys = [str(key) for key in st.session_state]
    return [key.removeprefix(f"{lane}-") for key in keys if key.startswith(f"{lane}-")]


def show(bench: Bench, settings: dict[str, RunSettings]) -> None:
    """The player with all lanes, who won, and what each needed."""
    view = bench.view(next(iter(settings.values())))
    lives = [
        remembered(
            "lanes",
            (bench.key, name, each, view.axes.tobytes()),
            partial(_live, bench, each, name, view),
            at_most=2 * len(LETTERS),
        )
        for name, each in settings.items()
    ]
    headline = st.container()
    watch(lives, "race", lambda: None)
    target = choose_target()
    raced = [as_lane(name, live) for name, live in zip(settings, lives, strict=True)]
    result = judge(raced, target)
    say(race_sentence(result), headline.markdown)
    show_standings(raced, result, "race")
    take_home(
        bench,
        {
            "ddeq-race.csv": partial(curves_csv, raced),
            "ddeq-standings.csv": partial(standings_csv, result),
            "ddeq-race.npz": partial(lanes_npz, raced, bench.points),
        },
        lambda: both_curves(raced, target),
        "race",
        snippet.race(bench.family, bench.cloud, settings, target),
    )


def _live(bench: Bench, settings: RunSettings, name: str, view: Projection) -> LiveRun[LabRun]:
    return bench.live(bench.run(settings), name, view)


def choose_target() -> float:
    """To what share of the start the objective has to fall."""
    return st.select_slider(
        "Target: the objective, relative to the start",
        TARGETS,
        value=TARGETS[1],
        format_func=lambda share: f"{share:.1%}",
        key="target",
        bind="query-params",
    )


def as_lane(name: str, live: LiveRun[LabRun]) -> Lane:
    return Lane(name, live.run.labels, live.frames)


def both_curves(raced: Sequence[Lane], target: float) -> list:
    return [curves(raced, by, target) for by in ("evaluations", "seconds")]


def show_standings(raced: Sequence[Lane], result: Result, name: str) -> None:
    """The table and the curves."""
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        [standing_row(standing) for standing in result.standings],
        hide_index=True,
        column_config={
            "seconds": st.column_config.NumberColumn(format="%.3f"),
            "s to target": st.column_config.NumberColumn(
                format="%.3f", help="Seconds until the target was first reached."
            ),
            "to target": st.column_config.NumberColumn(
                help="Network evaluations until the target was first reached."
            ),
            "objective": st.column_config.NumberColumn(
                format="%.2e",
                help="With the paper's kernel, whatever the lane's own, over that of the start.",
            ),
            "spread": st.column_config.NumberColumn(format="%.2f", help=explain("spread")),
            "spread kept": percent,
            "distinct": st.column_config.NumberColumn(help=explain("distinct particles")),
            "sure": percent,
            "W2": st.column_config.NumberColumn(
                format="%.2f", help="Wasserstein-2 distance to where the first ranked lane ends."
            ),
        },
    )
    for place, by in zip(st.columns(2), ("evaluations", "seconds"), strict=True):
        with place:
            draw(curves(raced, by, result.target), f"{name}-{by}")
