"""What a completion is asked for, and the runs that do it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from ddeq.input.hollow import Hollow
from ddeq.run.classification import Outcome
from ddeq.run.completion import CompleterRun
from ddeq.run.device import pick_device
from ddeq.run.filling import of_completer
from ddeq.run.settings import RunSettings
from ddeq.view.inputs import Chosen
from ddeq.view.live import LiveRun
from ddeq.view.page import load_model
from ddeq.view.session import Kept, Name


@dataclass(frozen=True, eq=False)
class Request:
    """What a completion is asked for.

    Attributes:
        chosen: the whole input, and the models for it.
        hollow: what is left of it.
        settings: of the run.
        free: particles, None as many as is usual.
        seeds: runs side by side, each with the seed after the last one's.
    """

    chosen: Chosen
    hollow: Hollow
    settings: RunSettings
    free: int | None
    seeds: int

    @property
    def identity(self) -> Hashable:
        """Equal to that of another request for the same."""
        return self.cut_identity, self.settings, self.free, self.seeds

    @property
    def cut_identity(self) -> Hashable:
        """The same of the input and of what is cut from it."""
        known, whole = self.hollow.known.tobytes(), self.hollow.truth is not None
        return self.cloud_identity, known, whole, self.chosen.family.classifier

    @property
    def cloud_identity(self) -> bytes:
        """The same of the whole input alone."""
        return self.chosen.cloud.points.tobytes()

    @property
    def up(self) -> str:
        """The axis of the file that was turned to +z."""
        reading = self.chosen.reading
        return "z" if reading is None or self.chosen.family.flat else reading.up_axis


@dataclass(frozen=True)
class Completion:
    """Runs of one request.

    Attributes:
        request, runs: what was asked for, and what does it.
        before: what the classifier makes of what was left.
        going_on: whether they began where those of another completion had ended.
    """

    request: Request
    runs: tuple[LiveRun[CompleterRun], ...]
    before: Outcome
    going_on: bool


shown: Kept[Completion] = Kept(Name.COMPLETION)


def begin(request: Request, before: Outcome, present: Completion | None = None) -> Completion:
    """The request's runs, from the particles of the present ones if these are given.

    Args:
        request: what is asked for.
        before: what the classifier makes of what is left.
        present: the last completion of the same cloud.

    Raises:
        UserError: see :class:`ddeq.run.completion.CompleterRun`.
    """
    family, cloud = request.chosen.family, request.chosen.cloud
    model, classifier = load_model(family.completer), load_model(family.classifier)
    starts = _ends(present) if present is not None else []
    seeds = range(request.settings.limits.seed, request.settings.limits.seed + request.seeds)
    lives = []
    for k, seed in enumerate(seeds):
        start = starts[k % len(starts)] if starts else None
        run = CompleterRun(
            model,
            request.hollow,
            replace(request.settings, limits=replace(request.settings.limits, seed=seed)),
            pick_device(),
            free=request.free if start is None else None,
            start=start,
            classifier=classifier,
        )
        name = f"seed {seed}" if request.seeds > 1 else cloud.name
        shown_as = of_completer(run, name, request.chosen.answer)
        lives.append(LiveRun(run, shown_as, run.judge))
    return Completion(request, tuple(lives), before, bool(starts))


def _ends(present: Completion) -> list[np.ndarray]:
    """Where the free particles of each run that has begun are, ``(N, d)``."""
    runs = [live.run for live in present.runs if live.frames]
    return [run.completed[len(run.hollow.known) :] for run in runs]
