"""What came of a completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from ddeq.input.formats.writers import WRITERS
from ddeq.lab import command, snippet
from ddeq.metrics.agreement import compare
from ddeq.run.completion import CompleterRun
from ddeq.run.export import completion_csv, completion_npz
from ddeq.run.filling import completed_file
from ddeq.solve.flow import Stopped
from ddeq.view.as_code import as_code
from ddeq.view.complete.request import Completion
from ddeq.view.glossary import say
from ddeq.view.page import load_model
from ddeq.view.player import export_html
from ddeq.view.watch import watch
from ddeq.view.words import (
    Change,
    agreement_sentence,
    change_sentence,
    completion_sentence,
)


def show_completion(completion: Completion, key: str, height: int) -> None:
    """The outcome, the player and the downloads; solves what is left to solve.

    Args:
        completion: done or not.
        key, height: of the player.
    """
    watch(completion.runs, key, partial(_conclude, completion), height=height)
    _say_more(completion)
    _take_home(completion)


def _conclude(completion: Completion) -> None:
    """Whether the first run made it better, in a line or two above the player."""
    say(change_sentence(_change(completion)))


def _change(completion: Completion) -> Change:
    """What the first run has changed."""
    live, before = completion.runs[0], completion.before
    first, last = live.frames[0], live.frames[-1]
    answer = completion.request.chosen.answer
    right = [before.label] if answer is None else [r for r in answer.right if r in live.run.labels]
    sure = None
    if right:
        after = dict(zip(live.run.labels, last.probabilities.tolist(), strict=True))
        sure = _total(before.probabilities, right), _total(after, right)
    covered = None if last.coverage is None else (first.coverage, last.coverage)
    return Change(right[0] if right else "", sure, covered)


def _total(probabilities: Mapping[str, float], labels: Sequence[str]) -> float:
    return sum(probabilities[label] for label in labels)


def _say_more(completion: Completion) -> None:
    """All else that came of it, below the player."""
    runs = [live.run for live in completion.runs]
    answer = completion.request.chosen.answer
    say(completion_sentence(runs[0].outcome, completion.before, answer))
    if completion.going_on:
        st.caption(
            "It began where other particles had ended, which is not in the link of this page: that "
            "leads to the same cut and settings from noise."
        )
    ended = [run for run in runs if run.outcome.stopped is not Stopped.DIVERGED]
    if len(ended) > 1:
        say(agreement_sentence(compare(runs[0].standard.points, [r.last.points for r in ended])))


def _take_home(completion: Completion) -> None:
    """Downloads; files are made when asked for."""
    live = completion.runs[0]
    if len(completion.runs) > 1:
        names = [f"seed {each.run.settings.limits.seed}" for each in completion.runs]
        chosen = st.selectbox("Download", range(len(names)), format_func=names.__getitem__)
        live = completion.runs[chosen]
    up, title = completion.request.up, completion.request.chosen.cloud.name
    pages = [b"".join(each.pieces) for each in completion.runs]
    files: dict[str, tuple[str, Callable[[], str | bytes]]] = {
        f"Cloud ({suffix})": (name, partial(completed_file, live.run, name, up))
        for suffix in WRITERS
        for name in [f"completed{suffix}"]
    } | {
        "Run (.npz)": ("completion.npz", lambda: completion_npz(live.frames, live.run, up)),
        "Metrics (.csv)": ("completion.csv", lambda: completion_csv(live.frames, live.run)),
        "Interactive page (.html)": ("completion.html", lambda: export_html(pages, title)),
    }
    with st.container(horizontal=True):
        for label, (name, content) in files.items():
            st.download_button(label, content, name, on_click="ignore")
        _offer_code(completion, live.run)


def _offer_code(completion: Completion, run: CompleterRun) -> None:
    """A run as Python and as a command, from noise."""
    family = completion.request.chosen.family
    as_code(
        snippet.completion(family, run.hollow, run.settings, run.free),
        command.completion(family, load_model(family.completer).card, run.settings, run.free),
        snippet.PARTIAL_FILE,
        lambda: snippet.partial_npz(run.hollow),
        note="This begins with noise, not where other particles had ended."
        if completion.going_on
        else "",
    )
