"""Is there one equilibrium? Many seeds and particle counts, and inputs that mean the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddeq.lab.measures import SAME, Groups, grouped
from ddeq.metrics.particles import distinct_particles, spread
from ddeq.metrics.transport import between
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow

PADDING = 40  # points added to the padded input

AS_IT_IS, SHUFFLED, PADDED = "as it is", "shuffled", "padded"


@dataclass(frozen=True)
class End:
    """Where one run ended.

    Attributes:
        seed, particles: of the run.
        variant: of the input: as it is, its points shuffled, or padded with masked points.
        measure: the final particles ``(N, d)``.
        spread, start_spread: at the end and at the start.
        relative_objective: at the end.
        arrived: whether it met the tolerance.
        steps, evaluations: used.
        label, confidence: most probable class and its probability.
    """

    seed: int
    particles: int
    variant: str
    measure: np.ndarray
    spread: float
    start_spread: float
    relative_objective: float
    arrived: bool
    steps: int
    evaluations: int
    label: str
    confidence: float

    @property
    def name(self) -> str:
        changed = "" if self.variant == AS_IT_IS else f", {self.variant}"
        return f"seed {self.seed}, {self.particles} particles{changed}"

    @property
    def distinct(self) -> int:
        """How many different particles there are at the end."""
        return int(distinct_particles(torch.from_numpy(self.measure)[None]))


@dataclass(frozen=True)
class Ends:
    """What a search has found so far.

    Attributes:
        progress: 0 to 1.
        ends: of the runs that have ended.
        distances: ``(R, R)``, W2 between them; empty before all have ended.
    """

    progress: float
    ends: tuple[End, ...] = ()
    distances: np.ndarray | None = None

    def groups(self, same: float = SAME) -> Groups:
        """Which runs end at the same equilibrium, see :func:`ddeq.lab.measures.grouped`."""
        spreads, starts = (
            np.array([getattr(end, name) for end in self.ends])
            for name in ("spread", "start_spread")
        )
        return grouped(self.apart, spreads, starts, same)

    @property
    def apart(self) -> np.ndarray:
        """The distances of a search that has ended.

        Raises:
            RuntimeError: it has not.
        """
        if self.distances is None:
            raise RuntimeError("The search has not ended: iterate over it first.")
        return self.distances

    def control_distances(self) -> dict[str, float]:
        """For each changed input the largest W2 from the runs on the input as it is."""
        key = {
            (end.seed, end.particles): k
            for k, end in enumerate(self.ends)
            if end.variant == AS_IT_IS
        }
        found: dict[str, float] = {}
        for k, end in enumerate(self.ends):
            if end.variant != AS_IT_IS:
                apart = float(self.apart[k, key[end.seed, end.particles]])
                found[end.variant] = max(apart, found.get(end.variant, 0.0))
        return found


class Search:
    """Solves one input from many starts in batches; an iterator of :class:`Ends`, one a step.

    The first particle count is also solved with the input shuffled and with the input padded,
    neither of which may change a thing.

    Args:
        checkpoint, points, device: as for :class:`ddeq.run.classification.ClassifierRun`.
        settings: of all runs; the seeds begin with theirs.
        seeds: how many.
        counts: of particles.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        settings: RunSettings,
        seeds: int,
        counts: Sequence[int],
        device: torch.device | str = "cpu",
    ) -> None:
        self.model, self.labels = checkpoint.model, checkpoint.card["labels"]
        self.points, self.settings, self.device = points, settings, torch.device(device)
        self.seeds = [settings.limits.seed + k for k in range(seeds)]
        plain = [(count, AS_IT_IS) for count in counts]
        self.batches = [*plain, (counts[0], SHUFFLED), (counts[0], PADDED)]

    def __iter__(self) -> Iterator[Ends]:
        found = Ends(0.0)
        for done, (count, variant) in enumerate(self.batches):
            flow = self._flow(count, variant)
            for step in flow:
                part = step.step / max(1, flow.stop.max_steps)
                # The last share is for the distances.
                found = replace(found, progress=0.95 * (done + part) / len(self.batches))
                yield found
            found = replace(found, ends=(*found.ends, *self._ended(flow, count, variant)))
            yield found
        distances = between([end.measure for end in found.ends])
        yield replace(found, progress=1.0, distances=distances)

    def _flow(self, count: int, variant: str) -> Flow:
        x, mask = varied(self.points, variant)
        with torch.no_grad():
            encoded = self.model.encode(
                x.expand(len(self.seeds), -1, -1).to(self.device),
                None if mask is None else mask.expand(len(self.seeds), -1).to(self.device),
            )
            z0 = self.model.start(self.seeds, count)
        return flow_of(encoded, z0, self.settings, self.seeds, velocity=False)

    @torch.no_grad()
    def _ended(self, flow: Flow, count: int, variant: str) -> Iterator[End]:
        end = flow.solution
        confidence, best = self.model.probabilities(end.particles).max(1)
        numbers = zip(
            self.seeds,
            end.particles.cpu().numpy(),
            spread(end.particles).tolist(),
            spread(flow.z0).tolist(),
            end.relative_objective.tolist(),
            end.steps.tolist(),
            end.evaluations.tolist(),
            best.tolist(),
            confidence.tolist(),
            strict=True,
        )
        for seed, measure, at_end, at_start, relative, steps, asked, label, sure in numbers:
            yield End(
                seed=seed,
                particles=count,
                variant=variant,
                measure=measure,
                spread=at_end,
                start_spread=at_start,
                relative_objective=relative,
                arrived=relative <= self.settings.limits.tolerance,
                steps=steps,
                evaluations=asked,
                label=self.labels[label],
                confidence=sure,
            )


def varied(points: np.ndarray, variant: str) -> tuple[Tensor, Tensor | None]:
    """An input ``(M, d_x)`` as a batch of one, and its mask: see :class:`End`."""
    rng = np.random.default_rng(0)
    if variant == SHUFFLED:
        points = points[rng.permutation(len(points))]
    if variant != PADDED:
        return torch.from_numpy(points)[None], None
    junk = 10 * rng.normal(size=(PADDING, points.shape[1])).astype(points.dtype)
    mask = torch.arange(len(points) + PADDING) < len(points)
    return torch.from_numpy(np.concatenate([points, junk]))[None], mask[None]


COLUMNS = (
    "seed",
    "particles",
    "variant",
    "label",
    "confidence",
    "spread",
    "start_spread",
    "distinct",
    "relative_objective",
    "arrived",
    "steps",
    "evaluations",
)


def ends_csv(found: Ends, same: float = SAME) -> str:
    """One line a run, with the number of the equilibrium it ends at."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, "equilibrium"])
    for end, group in zip(found.ends, found.groups(same).labels, strict=True):
        writer.writerow([*(getattr(end, name) for name in COLUMNS), group])
    return out.getvalue()


def ends_npz(found: Ends) -> bytes:
    """Compressed: ``measure_k (N, d)`` of run ``k`` from 0, ``distances``, ``names``."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {f"measure_{k}": end.measure for k, end in enumerate(found.ends)}
    arrays |= {"distances": found.distances, "names": [end.name for end in found.ends]}
    np.savez_compressed(out, **arrays)
    return out.getvalue()
