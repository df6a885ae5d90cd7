"""From a run's frames to what the player shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ddeq.run.classification import ClassifierRun, Frame
from ddeq.run.projection import Projection
from ddeq.view.player import Curve, Trajectory

CURVES = {
    "objective": ("objective G", "residual", True),
    "relative_objective": ("G / G\u2080", "residual", True),
    "gradient_norm": ("gradient norm", "residual", True),
    "spread": ("spread", "spread of the particles", False),
}


def of_classifier(
    run: ClassifierRun, name: str, points: np.ndarray, true_label: str | None
) -> Callable[[Sequence[Frame]], Trajectory]:
    """What turns this run's frames into what the player shows: see :func:`trajectory`."""
    return partial(
        trajectory,
        label=name,
        projection=run.projection(),
        labels=run.labels,
        points=points,
        true_label=true_label,
        moved_by_gradient=run.settings.solver.needs_velocity,
    )


def trajectory(
    frames: Sequence[Frame],
    *,
    label: str,
    projection: Projection,
    labels: Sequence[str],
    points: np.ndarray,
    true_label: str | None = None,
    moved_by_gradient: bool = True,
) -> Trajectory:
    """Frames of one run, projected, for :func:`ddeq.view.player.encode_chunk`.

    Args:
        frames: T consecutive frames.
        label: names the run.
        projection: of the latent space, the same for all frames of a run.
        labels: class names.
        points: the model's input ``(M, 2 or 3)``.
        true_label: the right class, if known.
        moved_by_gradient: whether the solver steps along the velocity, so that its parts explain
            the step.
    """
    step_sizes = np.array([frame.step_size for frame in frames])[:, None, None, None]
    parts = np.stack(
        [[f.attraction, f.repulsion, f.through_operator] for f in frames]
    )  # (T, 3, N, d)
    shares = projection.explained
    return Trajectory(
        label=label,
        steps=np.array([frame.step for frame in frames], np.int32),
        particles=projection(np.stack([f.particles for f in frames])).astype(np.float32),
        ghost=projection(np.stack([f.image for f in frames])).astype(np.float32),
        terms=(
            projection.directions(step_sizes * parts).astype(np.float32)
            if moved_by_gradient
            else None
        ),
        bars=np.stack([f.probabilities for f in frames]).astype(np.float32),
        classes=tuple(labels),
        curves=tuple(
            Curve(name, np.array([getattr(f, field) for f in frames], np.float32), group, log)
            for field, (name, group, log) in CURVES.items()
        ),
        input=points,
        axes=tuple(f"PC {i + 1} ({share:.0%})" for i, share in enumerate(shares)),
        note=(
            f"{len(shares)} fixed principal axes of the {len(projection.centre)}-d latent space, "
            f"{shares.sum():.0%} of the variance"
        ),
        true_label=true_label,
    )
