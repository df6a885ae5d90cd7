"""From a completion's frames to what the player shows: known and free points in data space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ddeq.input.answers import Answer, class_name, right_names
from ddeq.input.formats.writers import write_cloud
from ddeq.run.classification import Outcome
from ddeq.run.completion import CompleterRun, CompletionFrame
from ddeq.run.export import in_file_axes
from ddeq.run.format import Curve, Trajectory
from ddeq.run.trajectory import steps_of

AXES = ("x", "y", "z")
NOTE = "Data space, in standard deviations of the known points."
MOST_KNOWN = 2000  # points drawn; of more, those that the model sees
TRUTH_CURVES = ("mmd2", "emd", "chamfer", "coverage", "f_score")  # known only where the truth is
COMPLETION_CURVES = {
    "emd": ("EMD", "EMD to the truth", False),
    "coverage": ("coverage", "removed points covered", False),
    "objective": ("objective G", "residual", True),
    "relative_objective": ("G / G\u2080", "residual", True),
    "mmd2": ("MMD\u00b2", "MMD\u00b2 to the truth", False),
    "chamfer": ("Chamfer distance", "Chamfer distance to the truth", False),
    "f_score": ("F-score", "F-score at 1 %", False),
    "spread": ("spread", "spread of the free particles", False),
}


@dataclass(frozen=True, eq=False)
class Shown:
    """What the player shows beside the frames of a completion.

    Attributes:
        label: names the run.
        known: points ``(K, d)`` in the player's units.
        removed: the points that a perfect completion would put back ``(M, d)``, if known.
        scale: ``(d,)``, of the frames' units in the player's. Frames have every coordinate
            standardised, the player one unit for all, so that a digit keeps its shape.
        labels: classes of the classifier that judges; () without one.
        answer, moved_by_gradient: as in :class:`ddeq.run.trajectory.Shown`.
    """

    label: str
    known: np.ndarray
    removed: np.ndarray | None
    scale: np.ndarray
    labels: Sequence[str]
    answer: Answer | None = None
    moved_by_gradient: bool = True

    def beside(self, fixed: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Known particles' and free particles' values together, ``(..., K + N, d)``."""
        fixed = np.broadcast_to(fixed, (*free.shape[:-2], *self.known.shape))
        return np.concatenate([fixed, self.scale * free], axis=-2).astype(np.float32)


def shown_beside(run: CompleterRun, name: str, answer: Answer | None = None) -> Shown:
    """What the player shows of a run before it has begun."""
    scale = in_player(run)
    known, removed = run.standard.points, run.hollow.removed
    if len(known) > MOST_KNOWN:
        known = run.seen
    if removed is not None:
        removed = scale * run.in_frame_units(removed[:: -(-len(removed) // MOST_KNOWN)])
    by_gradient = run.settings.solver.needs_velocity
    return Shown(name, scale * known, removed, scale, run.labels, answer, by_gradient)


def in_player(run: CompleterRun) -> np.ndarray:
    """``(d,)``, of a run's frames' units in the player's."""
    return run.standard.scale / run.standard.scale.max()


def of_completer(
    run: CompleterRun, name: str, answer: Answer | None = None
) -> Callable[[Sequence[CompletionFrame]], Trajectory]:
    """What turns this run's frames into what the player shows: see :func:`completion`."""
    return partial(completion, shown_beside(run, name, answer))


def cut_cloud(shown: Shown, before: Outcome) -> Trajectory:
    """A cloud of which a part is cut away, as it stands before anything is filled in.

    Args:
        shown: of a run that is to complete it.
        before: what the classifier makes of what is left.
    """
    known = shown.known.astype(np.float32)
    return Trajectory(
        label=shown.label,
        steps=np.zeros(1, np.int32),
        particles=known[None],
        bars=np.array([list(before.probabilities.values())], np.float32),
        classes=tuple(map(class_name, before.probabilities)),
        kept=np.ones(len(known), bool),
        truth=None if shown.removed is None else shown.removed.astype(np.float32),
        axes=AXES[: known.shape[1]],
        note=NOTE,
        right=right_names(shown.answer, list(before.probabilities)),
    )


def completion(shown: Shown, frames: Sequence[CompletionFrame]) -> Trajectory:
    """T consecutive frames of one completion in data space, the known points first."""
    known, removed = shown.known, shown.removed
    points = np.stack([f.points for f in frames])  # (T, N, d)
    images = np.stack([f.image for f in frames])  # (T, N, d)
    moves = steps_of(frames) if shown.moved_by_gradient else None  # (T, 3, N, d)
    judged = [f.probabilities for f in frames if f.probabilities is not None]
    bars = np.stack(judged).astype(np.float32) if shown.labels else None
    return Trajectory(
        label=shown.label,
        steps=np.array([frame.step for frame in frames], np.int32),
        particles=shown.beside(known, points),
        ghost=shown.beside(np.full(known.shape, np.nan), images),
        terms=None if moves is None else shown.beside(np.zeros(known.shape), moves),
        bars=bars,
        classes=tuple(map(class_name, shown.labels)),
        curves=_curves(frames, removed is not None),
        kept=np.arange(len(known) + points.shape[1]) < len(known),
        truth=None if removed is None else removed.astype(np.float32),
        axes=AXES[: known.shape[1]],
        note=NOTE,
        right=right_names(shown.answer, shown.labels),
    )


def _curves(frames: Sequence[CompletionFrame], with_truth: bool) -> tuple[Curve, ...]:
    """What is followed over the steps."""

    def values(field: str) -> np.ndarray:
        numbers = [getattr(frame, field) for frame in frames]
        return np.array([np.nan if n is None else n for n in numbers], np.float32)

    return tuple(
        Curve(name, values(field), group, log)
        for field, (name, group, log) in COMPLETION_CURVES.items()
        if with_truth or field not in TRUTH_CURVES
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
