"""The run of page *Classify*, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from ddeq.input.answers import Answer
from ddeq.input.clouds import PointCloud
from ddeq.input.families import Family
from ddeq.input.prepare import prepare
from ddeq.lab import command, snippet
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.classification import ClassifierRun
from ddeq.run.device import pick_device
from ddeq.run.export import metrics_csv, trajectory_npz
from ddeq.run.projection import Projection
from ddeq.run.settings import RunSettings
from ddeq.run.touch import Touch, TouchedRun, touched
from ddeq.run.trajectory import of_classifier
from ddeq.view.as_code import as_code
from ddeq.view.glossary import say
from ddeq.view.inputs import Chosen
from ddeq.view.live import LiveRun
from ddeq.view.page import load_model
from ddeq.view.player import export_html
from ddeq.view.session import Kept, Name
from ddeq.view.watch import watch
from ddeq.view.ways import costs
from ddeq.view.words import outcome_sentence, verbatim

PLAYER = "classify"  # key of the page's player


@dataclass(frozen=True)
class Classified:
    """What the page shows.

    Attributes:
        request: equal to that of another run of the same input and settings.
        live: the run.
        cloud: the input.
        family: the models for it.
        points: of it, as the model takes them.
        answer: what it is, if known.
        checkpoint: the model.
        projection: of the run, and of those that leave it.
        branch: the run that was touched last, and what came of it; None before.
    """

    request: Hashable
    live: LiveRun[ClassifierRun]
    cloud: PointCloud
    family: Family
    points: np.ndarray
    answer: Answer | None
    checkpoint: Checkpoint
    projection: Projection
    branch: tuple[LiveRun[ClassifierRun], LiveRun[ClassifierRun]] | None = None

    @property
    def lives(self) -> tuple[LiveRun[ClassifierRun], ...]:
        """The runs that are shown."""
        return self.branch or (self.live,)


shown: Kept[Classified] = Kept(Name.CLASSIFIED)
_costs: Kept[tuple[Hashable, str]] = Kept(Name.COSTS)  # of which points and seed


def classify(chosen: Chosen, settings: RunSettings) -> None:
    """Make the run of this input and these settings the page's run, unless it is already.

    Raises:
        UserError: see :func:`ddeq.input.prepare.prepare`.
    """
    checkpoint = load_model(chosen.family.classifier)
    cloud, answer = chosen.cloud, chosen.answer
    points = prepare(cloud, checkpoint.card)
    request = points.tobytes(), cloud.name, settings  # the same points may come by another name
    present = shown.get()
    if present is None or present.request != request:
        run = ClassifierRun(checkpoint, points, settings, pick_device())
        projection = run.projection()
        live = LiveRun(run, of_classifier(run, cloud.name, points, answer, projection))
        shown.put(
            Classified(request, live, cloud, chosen.family, points, answer, checkpoint, projection)
        )


def say_whose(chosen: Chosen | None, present: Classified) -> None:
    """That the run is still that of a former input, where there is none, or none of use."""
    if chosen is None or chosen.cloud.name != present.cloud.name:
        st.info(f"Below is the last result, of {verbatim(present.cloud.name)}.")


def show_run(present: Classified) -> None:
    """The outcome, the player and the downloads; solves what is left to solve."""
    live = present.lives[-1]
    moment = watch(
        present.lives,
        PLAYER,
        lambda: say(outcome_sentence(live.run.outcome, present.answer)),
        touch=True,
    )
    if moment.touched and _take_up(present, moment.touched):
        st.rerun()
    if present.branch:
        st.button("Back to the run nobody touched", on_click=_drop_branch, args=(present,))
    else:
        _say_costs(present)
    files: dict[str, tuple[str, Callable[[], str | bytes]]] = {  # made when asked for
        "Trajectory (.npz)": (
            "ddeq-run.npz",
            lambda: trajectory_npz(live.frames, present.points, live.run.settings),
        ),
        "Metrics (.csv)": ("ddeq-run.csv", lambda: metrics_csv(live.frames, live.run.labels)),
        "Interactive page (.html)": (
            "ddeq-run.html",
            lambda: export_html([b"".join(live.pieces)], present.cloud.name),
        ),
    }
    with st.container(horizontal=True, key="take-home"):
        for label, (file, content) in files.items():
            st.download_button(label, content, file, on_click="ignore")
        _offer_code(present)


def _offer_code(present: Classified) -> None:
    """The run as Python and as a command, without what was done to its particles."""
    settings, family = present.live.run.settings, present.family
    as_code(
        snippet.classification(family, present.cloud, settings),
        command.classification(family, present.checkpoint.card, settings),
        snippet.INPUT_FILE,
        lambda: snippet.input_npz(present.cloud, present.points),
        note="This is the run nobody touched." if present.branch else "",
    )


def _take_up(present: Classified, touch: Touch) -> bool:
    """Have a run go on from particles as they were touched, beside that run; whether it can."""
    if touch.run >= len(present.lives):
        return False
    trunk = present.lives[touch.run]
    here = trunk.frames[trunk.frame_at(max(touch.step, trunk.frames[0].step))]
    particles = touched(touch, here.particles, present.projection)
    if particles is None:
        return False
    settings = trunk.run.settings
    run = TouchedRun(
        present.checkpoint, present.points, settings, here, particles, trunk.run.device
    )
    told = of_classifier(run, str(touch), present.points, present.answer, present.projection)
    shown.put(replace(present, branch=(trunk, LiveRun(run, told))))
    return True


def _drop_branch(present: Classified) -> None:
    shown.put(replace(present, branch=None))


def _say_costs(present: Classified) -> None:
    """What other ways would have cost, found once the run is shown."""
    seed = present.live.run.settings.limits.seed
    request = present.points.tobytes(), seed
    known = _costs.get()
    if known is None or known[0] != request:
        known = _costs.put((request, costs(present.checkpoint, present.points, seed)))
    say(known[1], st.caption)
