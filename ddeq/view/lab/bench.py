"""What the sections of page *Solver lab* work on, and how they make runs of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
import torch

from ddeq.errors import UserError
from ddeq.input.answers import Answer
from ddeq.input.clouds import PointCloud
from ddeq.input.families import Family
from ddeq.input.prepare import prepare
from ddeq.lab.runs import LabRun
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.device import pick_device
from ddeq.run.projection import Projection
from ddeq.run.settings import RunSettings
from ddeq.run.trajectory import Shown, trajectory
from ddeq.view.forms import settings_form
from ddeq.view.inputs import Chosen
from ddeq.view.live import LiveRun
from ddeq.view.page import load_model
from ddeq.view.session import Kept, Name
from ddeq.view.words import verbatim

_made: Kept[dict[str, dict[Hashable, Any]]] = Kept(Name.MADE)


@dataclass(frozen=True)
class Bench:
    """One input and the models.

    Attributes:
        family: whose models these are.
        checkpoint: the classifier.
        control: the same network trained without a flow; None where none ships.
        cloud: the input; ``answer`` is what it is, if known.
        points: of the cloud, as the model takes them.
        device: where to solve.
    """

    family: Family
    checkpoint: Checkpoint
    control: Checkpoint | None
    cloud: PointCloud
    answer: Answer | None
    points: np.ndarray
    device: torch.device

    @property
    def card(self) -> dict[str, Any]:
        return self.checkpoint.card

    @property
    def key(self) -> bytes:
        """Tells this input from others."""
        return self.points.tobytes()

    def form(self, prefix: str, without: Collection[str] = (), **changes: object) -> RunSettings:
        """Fields for a run's settings, see :func:`ddeq.view.forms.settings_form`.

        Args:
            prefix: of the fields' names among those of this family.
            without: settings that mean nothing here.
            **changes: to the model's default settings.
        """
        card = with_settings(self.card, **changes)
        return settings_form(card, self.family.prefix + prefix, without)

    def run(self, settings: RunSettings) -> LabRun:
        return LabRun(self.checkpoint, self.points, settings, self.device)

    def view(self, settings: RunSettings) -> Projection:
        """Three axes of the latent space for runs of this input that begin like this one."""
        limits = settings.limits
        request = (self.key, limits.particles, limits.seed)
        return remembered("view", request, lambda: self.run(settings).projection())

    def live(self, run: LabRun, name: str, view: Projection) -> LiveRun[LabRun]:
        """A run that streams into the player, in a view that other runs may share."""
        by_gradient = run.settings.solver.needs_velocity
        shown = Shown(name, view, run.labels, self.points, self.answer, by_gradient)
        return LiveRun(run, partial(trajectory, shown))


_bench: Kept[Bench] = Kept(Name.BENCH)


def lay_on_bench(chosen: Chosen | None) -> Bench | None:
    """The input and the models for it; the last usable input while there is none.

    One that cannot be used is explained.
    """
    if chosen is not None:
        family = chosen.family
        model = load_model(family.classifier)
        control = load_model(family.control) if family.control else None
        try:
            points = prepare(chosen.cloud, model.card)
            device = pick_device()
            _bench.put(Bench(family, model, control, chosen.cloud, chosen.answer, points, device))
        except UserError as error:
            st.error(verbatim(str(error)))
    return _bench.get()


def with_settings(card: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A model card with other default settings; another solver's step limit is not the card's."""
    settings = dict(card["settings"])
    if changes.get("solver", settings["solver"]) != settings["solver"]:
        settings.pop("steps", None)
    return {**card, "settings": {**settings, **changes}}


def remembered(name: str, request: Hashable, make: Callable[[], Any], at_most: int = 1) -> Any:
    """What was last made under this name for this request, or what ``make`` makes now.

    The session keeps the ``at_most`` last ones of a name.
    """
    kept = (_made.get() or _made.put({})).setdefault(name, {})
    if request not in kept:
        kept[request] = make()
    kept[request] = kept.pop(request)  # the last one asked for
    while len(kept) > at_most:
        kept.pop(next(iter(kept)))
    return kept[request]
