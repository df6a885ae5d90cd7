"""Runs of several settings on one input: what each needs, and whether they end at the same place.

A solver can win the objective by losing the equilibrium: particles that collapse to one point are
a fixed point of many networks. So lanes are ranked by what they need to reach a common target, and
only among those that end at the same equilibrium.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import torch

from ddeq.lab.measures import SAME, Groups, grouped
from ddeq.lab.runs import LabFrame
from ddeq.metrics.particles import distinct_particles
from ddeq.metrics.transport import between
from ddeq.run.frames import CSV_COLUMNS


@dataclass(frozen=True)
class Lane:
    """One run of a race: its name, its class names, and all its frames from step 0."""

    name: str
    labels: tuple[str, ...]
    frames: Sequence[LabFrame]


@dataclass(frozen=True)
class Standing:
    """What one lane came to.

    Attributes:
        name: of the lane.
        steps, evaluations, seconds: of the whole run.
        to_target, seconds_to_target: network evaluations and seconds until the target was first
            reached; None if it never was.
        common: the objective with the paper's kernel, over that of the start.
        relative_objective: likewise with the lane's own kernel.
        spread, spread_kept: at the end, and over that of the start.
        label, confidence: most probable class and its probability.
        equilibrium: number of the group it ends in, see :class:`ddeq.lab.measures.Groups`; -1 for
            a lane that never reached the target, and so is on its way.
        collapsed: whether all its particles ended at one point.
        distance: W2 to where the first lane of equilibrium 0 ends, nan if there is none.
        distinct: how many different particles there are at the end.
    """

    name: str
    steps: int
    evaluations: int
    seconds: float
    to_target: int | None
    seconds_to_target: float | None
    common: float
    relative_objective: float
    spread: float
    spread_kept: float
    label: str
    confidence: float
    equilibrium: int
    collapsed: bool
    distance: float
    distinct: int


@dataclass(frozen=True)
class Result:
    """What a race came to.

    Attributes:
        standings: of the lanes, in their order.
        distances: ``(L, L)``, W2 between the lanes' final particles.
        target: of the relative common objective.
        fewest, fastest: names of the winners by evaluations and by seconds to the target; None if
            there is nothing to compare: fewer than two lanes reached the target and end at the
            first equilibrium.
    """

    standings: tuple[Standing, ...]
    distances: np.ndarray
    target: float
    fewest: str | None
    fastest: str | None

    @property
    def comparable(self) -> list[Standing]:
        """Lanes that reached the target and end at the first equilibrium, whole."""
        return [s for s in self.standings if s.equilibrium == 0 and not s.collapsed]


def judge(lanes: Sequence[Lane], target: float, same: float = SAME) -> Result:
    """Rank lanes that ended, each of one frame at least.

    Args:
        lanes: of one input.
        target: of the objective with the paper's kernel, relative to the start.
        same: see :func:`ddeq.lab.measures.grouped`.
    """
    ends = [lane.frames[-1] for lane in lanes]
    distances = between([end.particles for end in ends])
    arrived = np.array([min(frame.common for frame in lane.frames) <= target for lane in lanes])
    spreads = np.array([end.spread for end in ends])
    starts = np.array([lane.frames[0].spread for lane in lanes])
    both = arrived[:, None] & arrived
    groups = grouped(np.where(both, distances, np.nan), spreads, starts, same)
    standings = tuple(_standing(lane, k, groups, distances, target) for k, lane in enumerate(lanes))
    found = Result(standings, distances, target, None, None)
    if len(found.comparable) < 2:
        return found

    def least(cost: str) -> str:
        return min(found.comparable, key=attrgetter(cost)).name

    fewest, fastest = least("to_target"), least("seconds_to_target")
    return Result(standings, distances, target, fewest, fastest)


def _standing(lane: Lane, k: int, groups: Groups, distances: np.ndarray, target: float) -> Standing:
    first, last = lane.frames[0], lane.frames[-1]
    there = next((frame for frame in lane.frames if frame.common <= target), None)
    best = int(last.probabilities.argmax())
    reference = np.flatnonzero(groups.labels == 0)
    return Standing(
        name=lane.name,
        steps=last.step,
        evaluations=last.evaluations,
        seconds=last.seconds,
        to_target=None if there is None else there.evaluations,
        seconds_to_target=None if there is None else there.seconds,
        common=last.common,
        relative_objective=last.relative_objective,
        spread=last.spread,
        spread_kept=last.spread / first.spread if first.spread else float("nan"),
        label=lane.labels[best],
        confidence=float(last.probabilities[best]),
        equilibrium=int(groups.labels[k]),
        collapsed=bool(groups.collapsed[k]),
        distance=float(distances[k, reference[0]]) if len(reference) else float("nan"),
        distinct=int(distinct_particles(torch.from_numpy(last.particles)[None])),
    )


def standings_csv(result: Result) -> str:
    """One line a lane: its :class:`Standing`."""
    out = io.StringIO()
    rows = [asdict(standing) for standing in result.standings]
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def curves_csv(lanes: Sequence[Lane]) -> str:
    """One line a lane and step: the numbers of ``CSV_COLUMNS``, the common objective, the class."""
    columns = (*CSV_COLUMNS, "common")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["lane", *columns, "label"])
    for lane in lanes:
        for frame in lane.frames:
            label = lane.labels[int(frame.probabilities.argmax())]
            writer.writerow([lane.name, *(getattr(frame, name) for name in columns), label])
    return out.getvalue()


def lanes_npz(lanes: Sequence[Lane], points: np.ndarray) -> bytes:
    """All lanes as a compressed ``.npz``: the model's ``input``, and for lane ``k`` from 0
    ``k_particles`` and ``k_image`` ``(T, N, d)``, ``k_probabilities`` ``(T, classes)`` and the
    numbers of the frames ``(T,)``; ``names`` are the lanes'.
    """
    names = ("particles", "image", "probabilities", *CSV_COLUMNS, "common")
    arrays: dict[str, Any] = {
        f"{k}_{name}": np.stack([getattr(frame, name) for frame in lane.frames])
        for k, lane in enumerate(lanes)
        for name in names
    }
    out = io.BytesIO()
    arrays |= {"input": points, "names": [lane.name for lane in lanes]}
    np.savez_compressed(out, **arrays)
    return out.getvalue()
