"""Section *Fork*: a run that is left at one of its steps with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from ddeq.lab import snippet
from ddeq.lab.fork import Fork
from ddeq.lab.race import curves_csv, judge, lanes_npz
from ddeq.lab.runs import LabRun
from ddeq.run.settings import RunSettings
from ddeq.view.glossary import say
from ddeq.view.lab.bench import Bench, remembered
from ddeq.view.lab.race import as_lane, both_curves, choose_target, show_standings
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import race_sentence
from ddeq.view.live import LiveRun
from ddeq.view.watch import watch


def forms(bench: Bench) -> tuple[RunSettings, RunSettings]:
    """Settings of the trunk, and of the branch that leaves it."""
    trunk, branch = st.tabs(["Trunk", "Branch"])
    with trunk:
        before = bench.form("t-", solver="euler")
    with branch:
        say("From the fork on. Particles and seed are the [[trunk]]'s.", st.caption)
        after = bench.form("f-", without=("particles", "seed"))
    return before, after


def show(bench: Bench, settings: tuple[RunSettings, RunSettings]) -> None:
    """Both runs in the player: one until the fork."""
    before, after = settings
    view = bench.view(before)
    trunk = remembered(
        "trunk", (bench.key, before), lambda: bench.live(bench.run(before), "trunk", view)
    )
    if not trunk.done:
        watch([trunk], "fork", lambda: None)
        st.rerun()  # the player goes on with two runs where it had one
    last = trunk.frames[-1].step
    if not last:
        st.info("The trunk has no step to be left at: allow it more steps.")
        return
    asked = st.slider("Fork at step", 0, last, min(10, last // 2), key="at", bind="query-params")
    at = trunk.frames[trunk.frame_at(asked)].step

    def branched() -> LiveRun[LabRun]:
        model, points, device = bench.checkpoint, bench.points, bench.device
        run = Fork(model, points, trunk.run, trunk.frames, at, after, device)
        return bench.live(run, f"branch from step {at}", view)

    branch = remembered("branch", (bench.key, before, after, at, last), branched)
    code = snippet.fork(bench.family, bench.cloud, before, after, at)
    _show_race(bench, {"trunk": trunk, "branch": branch}, code)


def _show_race(bench: Bench, lives: Mapping[str, LiveRun[LabRun]], code: str) -> None:
    """Both runs, which of them did better, and all of it to take home."""
    headline = st.container()
    watch(list(lives.values()), "fork", lambda: None)
    raced = [as_lane(name, live) for name, live in lives.items()]
    result = judge(raced, choose_target())
    say(race_sentence(result), headline.markdown)
    show_standings(raced, result, "fork")
    take_home(
        bench,
        {
            "ddeq-fork.csv": partial(curves_csv, raced),
            "ddeq-fork.npz": partial(lanes_npz, raced, bench.points),
        },
        lambda: both_curves(raced, result.target),
        "fork",
        code,
    )
