"""From a completion's frames to what the player shows: known and free points in data space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ddeq.input.formats.writers import write_cloud
from ddeq.run.completion import CompleterRun, CompletionFrame
from ddeq.run.export import in_file_axes
from ddeq.view.player import Curve, Trajectory

MOST_KNOWN = 2000  # points drawn; of more, those that the model sees
TRUTH_CURVES = ("mmd2", "emd", "chamfer", "coverage", "f_score")  # known only where the truth is
COMPLETION_CURVES = {
    "mmd2": ("MMD\u00b2", "MMD\u00b2 to the truth", False),
    "emd": ("EMD", "EMD to the truth", False),
    "chamfer": ("Chamfer distance", "Chamfer distance to the truth", False),
    "coverage": ("coverage", "removed points covered", False),
    "f_score": ("F-score", "F-score at 1 %", False),
    "objective": ("objective G", "residual", True),
    "relative_objective": ("G / G\u2080", "residual", True),
    "spread": ("spread", "spread of the free particles", False),
}


def of_completer(
    run: CompleterRun, name: str, true_label: str | None = None
) -> Callable[[Sequence[CompletionFrame]], Trajectory]:
    """What turns this run's frames into what the player shows: see :func:`completion`."""
    scale = run.standard.scale / run.standard.scale.max()  # (d,)
    known, removed = run.standard.points, run.hollow.removed
    if len(known) > MOST_KNOWN:
        known = run.seen
    if removed is not None:
        removed = run.in_frame_units(removed[:: -(-len(removed) // MOST_KNOWN)])
    return partial(
        completion,
        label=name,
        known=scale * known,
        removed=None if removed is None else scale * removed,
        scale=scale,
        labels=run.labels,
        true_label=true_label,
        moved_by_gradient=run.settings.solver.needs_velocity,
    )


def completion(
    frames: Sequence[CompletionFrame],
    *,
    label: str,
    known: np.ndarray,
    removed: np.ndarray | None,
    scale: np.ndarray,
    labels: Sequence[str],
    true_label: str | None = None,
    moved_by_gradient: bool = True,
) -> Trajectory:
    """Frames of one completion in data space, the known points first.

    Args:
        frames: T consecutive frames.
        label: names the run.
        known: points ``(K, d)`` in the player's units.
        removed: the points that a perfect completion would put back ``(M, d)``, if known.
        scale: ``(d,)``, of the frames' units in the player's. Frames have every coordinate
            standardised, the player one unit for all, so that a digit keeps its shape.
        labels: class names of the classifier that judges; () without one.
        true_label: the right class, if known.
        moved_by_gradient: as in :func:`trajectory`.
    """

    def beside(fixed: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Known particles' and free particles' values together, ``(..., K + N, d)``."""
        fixed = np.broadcast_to(fixed, (*free.shape[:-2], *known.shape))
        return np.concatenate([fixed, scale * free], axis=-2).astype(np.float32)

    points = np.stack([f.points for f in frames])  # (T, N, d)
    step_sizes = np.array([frame.step_size for frame in frames])[:, None, None, None]
    parts = np.stack(
        [[f.attraction, f.repulsion, f.through_operator] for f in frames]
    )  # (T, 3, N, d)
    curves = {
        field: np.array([np.nan if (v := getattr(f, field)) is None else v for f in frames])
        for field in COMPLETION_CURVES
    }
    return Trajectory(
        label=label,
        steps=np.array([frame.step for frame in frames], np.int32),
        particles=beside(known, points),
        ghost=beside(np.full(known.shape, np.nan), np.stack([f.image for f in frames])),
        terms=beside(np.zeros(known.shape), step_sizes * parts) if moved_by_gradient else None,
        bars=np.stack([f.probabilities for f in frames]).astype(np.float32) if labels else None,
        classes=tuple(labels),
        curves=tuple(
            Curve(name, curves[field].astype(np.float32), group, log)
            for field, (name, group, log) in COMPLETION_CURVES.items()
            if removed is not None or field not in TRUTH_CURVES
        ),
        kept=np.arange(len(known) + points.shape[1]) < len(known),
        truth=None if removed is None else removed.astype(np.float32),
        axes=("x", "y", "z")[: known.shape[1]],
        note="Data space, in standard deviations of the known points.",
        true_label=true_label,
    )


def completed_file(run: CompleterRun, name: str, up: str = "z") -> bytes:
    """The completed cloud as a file of this name, which tells known from free points.

    Args:
        run: that has begun.
        name: its suffix is the format.
        up: as of :func:`ddeq.run.export.in_file_axes`.
    """
    known = np.arange(len(run.completed)) < len(run.hollow.known)
    return write_cloud(in_file_axes(run.completed, up), known, name)
