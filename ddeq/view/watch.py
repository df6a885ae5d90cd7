"""Watching runs: the player, with progress and Stop while they are solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from ddeq.engine.work import advance
from ddeq.view.live import LiveRun
from ddeq.view.player.component import PlayerState, player
from ddeq.view.progress import stop_button
from ddeq.view.words import in_line

HEIGHT = 440


def watch(
    runs: Sequence[LiveRun],
    key: str,
    conclude: Callable[[], None],
    steps: bool = False,
    height: int = HEIGHT,
    touch: bool = False,
) -> PlayerState:
    """Show runs side by side and solve what is left to solve.

    Args:
        runs: up to four.
        key: of the player.
        conclude: writes what came out, above the player, once all are done.
        steps: whether the result is to say which step the player shows, and to be asked for again
            when that changes.
        height: of the particles' view, in pixels.
        touch: whether particles can be touched once all are done, which the result then tells.
    """
    progress, headline, stage = st.empty(), st.empty(), st.empty()

    def show() -> PlayerState:
        with stage:
            return _show(runs, key, steps, height, touch)

    if not _done(runs):
        with progress.container(horizontal=True, vertical_alignment="center"):
            stop_button(runs, key)
            bar = st.empty()

        def show_progress() -> None:
            bar.progress(*_progress(runs))
            if any(run.frames for run in runs):
                show()

        advance(runs, show_progress)
        progress.empty()
    moment = show()
    with headline.container():
        conclude()
    return moment


def _show(runs: Sequence[LiveRun], key: str, steps: bool, height: int, touch: bool) -> PlayerState:
    """The player with what there is of the runs."""
    done = _done(runs)
    moment = player(
        [run.pieces for run in runs],
        key=key,
        height=height if len(runs) < 4 else height + 200,
        live=not done,
        follow=True,
        links=done,
        steps=steps,
        touch=touch and done,
        state={k: st.query_params[k] for k in ("step", "camera") if k in st.query_params},
    )
    if moment.link:
        st.query_params.update(moment.link)
    return moment


def _progress(runs: Sequence[LiveRun]) -> tuple[float, str]:
    """How far the slowest run is, as a share and in words."""
    slowest = min((run for run in runs if not run.done), key=_step, default=runs[-1])
    if not slowest.frames:
        return 0.0, in_line(slowest.place)
    last, limit = slowest.frames[-1], slowest.run.settings.limits.steps
    return min(1.0, last.step / max(1, limit)), (
        f"{in_line(slowest.place)}Step {last.step} of at most {limit}: objective at "
        f"{last.relative_objective:.2%} of where it began"
    )


def _done(runs: Sequence[LiveRun]) -> bool:
    return all(run.done for run in runs)


def _step(live: LiveRun) -> int:
    return live.frames[-1].step if live.frames else 0
