"""From a run's frames to what the player shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from ddeq.input.answers import Answer, class_name, right_names
from ddeq.metrics.particles import distinct_particles
from ddeq.model.looking import Looking
from ddeq.run.classification import ClassifierRun, Frame
from ddeq.run.format import Curve, Looked, Trajectory
from ddeq.run.frames import as_array
from ddeq.run.projection import Projection

MOST_COUNTED = 100
MOST_LOOKING = 100  # particles of whose attention is told: that of more fills a page's memory
CURVES = {
    "objective": ("objective G", "residual", True),
    "relative_objective": ("G / G\u2080", "residual", True),
    "gradient_norm": ("gradient norm", "residual", True),
    "spread": ("spread", "spread of the particles", False),
}


@dataclass(frozen=True, eq=False)
class Shown:
    """What the player shows beside the frames of a classification.

    Attributes:
        label: names the run.
        projection: of the latent space, the same for all frames of a run.
        labels: the model's classes.
        points: the model's input ``(M, 2 or 3)``.
        answer: what it is, if known.
        moved_by_gradient: whether the solver steps along the velocity, so that its parts explain
            the step.
        looking: what of the input particles look at; None where that is not shown.
    """

    label: str
    projection: Projection
    labels: Sequence[str]
    points: np.ndarray
    answer: Answer | None = None
    moved_by_gradient: bool = True
    looking: Looking | None = None


def of_classifier(
    run: ClassifierRun,
    name: str,
    points: np.ndarray,
    answer: Answer | None,
    projection: Projection | None = None,
) -> Callable[[Sequence[Frame]], Trajectory]:
    """What turns this run's frames into what the player shows: see :func:`trajectory`.

    The projection is the run's own unless another's is given.
    """
    by_gradient = run.settings.solver.needs_velocity
    few = run.flow.z0.shape[1] <= MOST_LOOKING
    looking = run.looking() if few else None
    shown = Shown(
        name, projection or run.projection(), run.labels, points, answer, by_gradient, looking
    )
    return partial(trajectory, shown)


def trajectory(shown: Shown, frames: Sequence[Frame]) -> Trajectory:
    """T consecutive frames, projected, for :func:`ddeq.run.format.encode_chunk`."""
    projection = shown.projection
    shares = projection.explained
    moves = steps_of(frames) if shown.moved_by_gradient else None  # (T, 3, N, d)
    return Trajectory(
        label=shown.label,
        steps=np.array([frame.step for frame in frames], np.int32),
        particles=projection(np.stack([f.particles for f in frames])).astype(np.float32),
        ghost=projection(np.stack([f.image for f in frames])).astype(np.float32),
        terms=None if moves is None else projection.directions(moves).astype(np.float32),
        bars=np.stack([f.probabilities for f in frames]).astype(np.float32),
        classes=tuple(map(class_name, shown.labels)),
        curves=tuple(
            Curve(name, np.array([getattr(f, field) for f in frames], np.float32), group, log)
            for field, (name, group, log) in CURVES.items()
        )
        + _distinct(frames),
        input=shown.points,
        axes=tuple(f"PC {i + 1} ({share:.0%})" for i, share in enumerate(shares)),
        note=(
            f"{len(shares)} fixed principal axes of the {len(projection.centre)}-d latent space, "
            f"{shares.sum():.0%} of the variance"
        ),
        right=right_names(shown.answer, shown.labels),
        **_looks(shown.looking, frames),
    )


def _looks(looking: Looking | None, frames: Sequence[Frame]) -> dict[str, Any]:
    """With what the particles of T frames look at the input, and at what of it, by name."""
    if looking is None or not looking.keys.shape[1]:
        return {}
    particles = torch.from_numpy(np.stack([f.particles for f in frames]))  # (T, N, d)
    return {
        "looked": Looked(
            as_array(looking.keys), None if looking.shares is None else as_array(looking.shares)
        ),
        "queries": looking.queries(particles.to(looking.keys.device)).cpu().numpy(),
    }


def _distinct(frames: Sequence[Frame]) -> tuple[Curve, ...]:
    """How many different particles there are: a spread alone does not tell two heaps from many.

    None of many particles, for which it costs more than a step.
    """
    particles = np.stack([f.particles for f in frames])  # (T, N, d)
    if particles.shape[1] > MOST_COUNTED:
        return ()
    counts = distinct_particles(torch.from_numpy(particles)).numpy().astype(np.float32)
    return (Curve("distinct particles", counts, "distinct particles", False),)


def steps_of(frames: Sequence[Any]) -> np.ndarray:
    """The exact parts ``(T, 3, N, d)`` of the step that each of T frames is followed by."""
    sizes = np.array([frame.step_size for frame in frames])[:, None, None, None]
    return sizes * np.stack([[f.attraction, f.repulsion, f.through_operator] for f in frames])
