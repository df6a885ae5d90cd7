"""The engine within this process: jobs take turns with all its other work."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ddeq.engine.job import Job
from ddeq.engine.request import Request
from ddeq.engine.stream import StreamedRun
from ddeq.engine.turns import TURNS, Ticket, Turns
from ddeq.engine.work import Work
from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, validate
from ddeq.input.hollow import hollow, without_truth
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.base import Run
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults
from ddeq.run.trajectory import of_classifier
from ddeq.shipped import ASSETS

if TYPE_CHECKING:
    from ddeq.run.completion import CompleterRun

MOST_WORK = 1_000_000_000
"""Particles times steps times points of one solve."""
_NAME = "cloud"  # what a request's cloud is called: nobody's file


class LocalJob(Job):
    """A solve in this process.

    Args:
        request: what is asked for.
        device: where to solve.
        turns: in which it is done; those of the process.

    Raises:
        UserError: there is no such model.
    """

    def __init__(
        self, request: Request, device: torch.device | str = "cpu", turns: Turns = TURNS
    ) -> None:
        self._request, self._device, self._turns = request, str(device), turns
        self._file = ASSETS / f"{request.model}.safetensors"
        if not self._file.is_file():
            raise UserError(
                f"There is no model '{request.model}': ddeq info tells which there are."
            )
        self._ticket = Ticket(later=False)
        self._live: StreamedRun[Run[Any]] | None = None
        self._sent = 0
        self._cancelled = False

    def __next__(self) -> bytes:
        live = self._live
        if live is None:
            return self._begin()
        if live.done and self._sent == len(live.pieces):
            raise StopIteration
        live.round()
        self.place = live.place
        if live.done:
            self.outcome = _plain(live.run)
        new = live.pieces[self._sent :]
        self._sent += len(new)
        return b"".join(new)

    def _begin(self) -> bytes:
        """Make the run, which takes a turn as well."""
        if self._cancelled:
            raise StopIteration
        with self._turns.turn(self._ticket, Work.PATIENCE) as came:
            self.place = None if came else self._turns.place(self._ticket)
            if came:
                self._live = streamed(self._request, self._device, self._turns)
                if self._cancelled:
                    self._live.stop()
        return b""

    def cancel(self) -> None:
        self._cancelled = True
        if self._live is not None:
            self._live.stop()


def streamed(
    request: Request, device: str = "cpu", turns: Turns = TURNS
) -> StreamedRun[ClassifierRun] | StreamedRun[CompleterRun]:
    """The run that a request asks for.

    Raises:
        UserError: the model, the settings or the cloud do not go together, or it is too much work.
    """
    checkpoint = _model(request.model, device)
    kind = checkpoint.card.get("kind", "classifier")
    if kind not in ("classifier", "completer"):
        raise UserError(f"'{request.model}' is a {kind}, so give a classifier or a completer.")
    cloud = PointCloud(request.array, _NAME)
    validate(cloud)
    settings = with_defaults(checkpoint.card, request.settings)
    limits, seen = settings.limits, min(len(cloud.points), checkpoint.card["points"])
    if kind == "classifier":
        if request.cut:
            raise UserError("A classifier completes nothing, so cut nothing away or complete it.")
        _check_work(limits.particles, limits.steps, seen)
        points = prepare(cloud, checkpoint.card)
        reading = ClassifierRun(checkpoint, points, settings, device)
        shown = of_classifier(reading, _NAME, points, None)
        return StreamedRun(reading, shown, turns=turns, after=request.after)
    from ddeq.run.completion import CompleterRun  # what it measures by is slow to import
    from ddeq.run.filling import of_completer

    keep = np.ones(len(cloud.points), bool)
    keep[list(request.cut)] = False
    partial = hollow(cloud, keep) if request.cut else without_truth(cloud)
    filling = CompleterRun(checkpoint, partial, settings, device, free=request.free)
    _check_work(filling.free, limits.steps, seen)
    return StreamedRun(filling, of_completer(filling, _NAME), turns=turns, after=request.after)


@cache
def _model(name: str, device: str) -> Checkpoint[Any]:
    """Once in a process, whatever the number of jobs."""
    return load(name, device)


def _check_work(particles: int, steps: int, points: int) -> None:
    work = particles * max(1, steps) * points
    if work > MOST_WORK:
        fewer = max(1, MOST_WORK // (particles * points))
        raise UserError(
            f"{particles:,} particles for {steps:,} steps beside {points:,} points are more work "
            f"than an engine takes, so ask for at most {fewer:,} steps or for fewer particles."
        )


def _plain(run: Run[Any]) -> dict[str, Any]:
    """A run's outcome as JSON takes it."""
    from ddeq.run.completion import CompleterRun  # as above

    told = run.outcome.to_dict()
    if isinstance(run, CompleterRun):
        told["filled"] = run.in_own_units(run.last.points).tolist()
    return told
