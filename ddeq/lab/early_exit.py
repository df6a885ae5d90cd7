"""Does the flow matter? Accuracy against the number of steps, and what a step costs."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ddeq.input.answers import right_among
from ddeq.input.families import Family
from ddeq.input.prepare import prepare
from ddeq.lab.samples import samples
from ddeq.metrics.intervals import wilson_interval
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.flows import after, flow_of_clouds
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.seeds import seed_of
from ddeq.solve.flow import Flow

BATCH = 60
TIMED = 12  # clouds, solved one at a time for their milliseconds


@dataclass(frozen=True, eq=False)
class Exam:
    """Prepared clouds, and what is right about them.

    Attributes:
        clouds: ``K`` arrays ``(M_k, d_x)``, see :func:`ddeq.input.prepare.prepare`.
        right: which of the model's ``C`` classes are right about each, bool ``(K, C)``.
    """

    clouds: Sequence[np.ndarray]
    right: np.ndarray


def shipped(family: Family, card: dict) -> Exam:
    """All of a family's gallery, for the model of this card."""
    known = samples(family)
    clouds = [prepare(cloud, card) for cloud in known.clouds]
    return Exam(clouds, right_among(card["labels"], known.answers))


@dataclass(frozen=True)
class Score:
    """So many right of so many."""

    correct: int
    total: int

    @property
    def accuracy(self) -> float:
        return self.correct / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, see :func:`ddeq.metrics.intervals.wilson_interval`."""
        return wilson_interval(self.correct, self.total) if self.total else (0.0, 1.0)


@dataclass(frozen=True)
class Anytime:
    """What is known so far of reading the class out after 0, 1, ..., K steps.

    Attributes:
        progress: 0 to 1.
        scores: ``K + 1`` of them.
        control: the score of the same network trained without a flow; None without one.
        milliseconds: ``(K + 1,)``, median over clouds solved one at a time, from the input to the
            class; nan before it is measured.
        control_milliseconds: likewise, a number.
    """

    progress: float
    scores: tuple[Score, ...]
    control: Score | None
    milliseconds: np.ndarray
    control_milliseconds: float

    def enough(self) -> int:
        """The fewest steps whose accuracy is within the interval of the last."""
        low, _ = self.scores[-1].interval
        return next(k for k, score in enumerate(self.scores) if score.accuracy >= low)


class Measurement:
    """Reads out after every step for many clouds; an iterator of :class:`Anytime`.

    Args:
        checkpoint: the model.
        control: the same network trained without a flow, if there is one.
        data: what to classify.
        settings: of the solver, every cloud taking all steps; the control takes its card's.
        device: where to solve.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        control: Checkpoint | None,
        data: Exam,
        settings: RunSettings,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model, self.control, self.data = checkpoint.model, control, data
        self.settings, self.device = settings, torch.device(device)

    def __iter__(self) -> Iterator[Anytime]:
        steps = self.settings.limits.steps
        unknown = np.full(steps + 1, np.nan)
        none = Score(0, 0)
        control = None if self.control is None else none
        found = Anytime(0.0, (none,) * (steps + 1), control, unknown, np.nan)
        total = len(self.data.clouds)
        for begin in range(0, total, BATCH):
            index = range(begin, min(begin + BATCH, total))
            for step in self._scored(found, index):
                found = step
                yield found
        yield from self._timed(found)

    def _scored(self, before: Anytime, index: range) -> Iterator[Anytime]:
        """What was known, and these clouds too."""
        share = len(index) / len(self.data.clouds)
        if self.control is not None and before.control is not None:
            model, settings = self.control.model, with_defaults(self.control.card, {})
            end = self._flow(model, settings, index).run()
            right = self._right(model, end.particles, index)
            before = replace(before, control=_more(before.control, right, len(index)))
        scores = list(before.scores)
        flow = self._flow(self.model, self.settings, index)
        for k, step in after(flow, range(len(scores))):
            right = self._right(self.model, step.particles, index)
            scores[k] = _more(scores[k], right, len(index))
            part = (k + 1) / len(scores) * share
            # The last tenth is for the clock.
            yield replace(before, progress=min(0.9, before.progress + 0.9 * part))
        yield replace(
            before, scores=tuple(scores), progress=min(0.9, before.progress + 0.9 * share)
        )

    def _timed(self, found: Anytime) -> Iterator[Anytime]:
        """The same again for a few clouds one at a time, by the clock."""
        clouds = range(min(TIMED, len(self.data.clouds)))
        times = np.full((len(clouds), len(found.scores)), np.nan)
        controls = np.full(len(clouds), np.nan)
        for k in clouds:
            if self.control is not None:
                settings = with_defaults(self.control.card, {})
                controls[k] = self._seconds(self.control.model, settings, k)[-1]
            seconds = self._seconds(self.model, self.settings, k)
            # A solve may end early where the cloud stands still.
            times[k] = np.pad(seconds, (0, times.shape[1] - len(seconds)), "edge")
            if k == 0 and len(clouds) > 1:
                continue  # the first also warms the machine up
            done = slice(min(1, len(clouds) - 1), k + 1)
            yield replace(
                found,
                progress=0.9 + 0.1 * (k + 1) / len(clouds),
                milliseconds=1000 * np.median(times[done], axis=0),
                control_milliseconds=float(1000 * np.median(controls[done])),
            )

    def _seconds(self, model: Classifier, settings: RunSettings, k: int) -> np.ndarray:
        """From the input to the class after every step, for cloud ``k``: ``(K + 1,)``.

        All are read out equally fast; what one read-out was held up by says nothing of its step.
        """
        begin = time.perf_counter()
        flow = self._flow(model, settings, range(k, k + 1))
        encoded = time.perf_counter() - begin
        solved, read = [], []
        for step in flow:
            begin = time.perf_counter()
            with torch.no_grad():
                model.logits(step.particles).argmax(1).cpu()
            read.append(time.perf_counter() - begin)
            solved.append(step.seconds)
        return encoded + np.array(solved) + np.median(read)

    @torch.no_grad()
    def _flow(self, model: Classifier, settings: RunSettings, index: range) -> Flow:
        clouds = [self.data.clouds[k] for k in index]
        seeds = [seed_of(settings.limits.seed, k) for k in index]
        settings = settings.taking(settings.limits.steps)
        return flow_of_clouds(model, clouds, settings, seeds, self.device)

    @torch.no_grad()
    def _right(self, model: Classifier, particles: Tensor, index: range) -> int:
        predicted = model.logits(particles).argmax(1).cpu().numpy()
        return int(self.data.right[list(index), predicted].sum())


def _more(score: Score, correct: int, total: int) -> Score:
    return Score(score.correct + correct, score.total + total)


def anytime_csv(found: Anytime) -> str:
    """One line a number of steps, and one for the control if there is one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["steps", "correct", "total", "accuracy", "low", "high", "milliseconds"])
    rows: list[tuple[int | str, Score, float]] = [
        *zip(range(len(found.scores)), found.scores, found.milliseconds.tolist(), strict=True)
    ]
    if found.control is not None:
        rows.append(("control", found.control, found.control_milliseconds))
    for steps, score, milliseconds in rows:
        numbers = (score.correct, score.total, score.accuracy, *score.interval, milliseconds)
        writer.writerow([steps, *numbers])
    return out.getvalue()
