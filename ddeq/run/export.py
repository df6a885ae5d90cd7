"""Recorded runs as tables and archives."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ddeq.input.formats.axes import turn_back
from ddeq.run.classification import Frame
from ddeq.run.completion import CompleterRun, CompletionFrame
from ddeq.run.frames import CSV_COLUMNS
from ddeq.run.settings import RunSettings
from ddeq.run.truth import TRUTH_COLUMNS


def metrics_csv(
    frames: Sequence[Any], labels: Sequence[str], columns: Sequence[str] = CSV_COLUMNS
) -> str:
    """One line a step: the numbers of ``columns``, then each class's probability.

    Numbers that nobody knows, None, are left empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *(f"probability_{label}" for label in labels)])
    for frame in frames:
        probabilities = frame.probabilities.tolist() if labels else []
        writer.writerow([*(getattr(frame, name) for name in columns), *probabilities])
    return out.getvalue()


def trajectory_npz(frames: Sequence[Frame], points: np.ndarray, settings: RunSettings) -> bytes:
    """The run as a compressed ``.npz``.

    Holds ``particles`` and ``image`` ``(T, N, d)``, ``probabilities`` ``(T, classes)``, the numbers
    of :data:`CSV_COLUMNS` ``(T,)``, the model's ``input`` ``(M, d_x)`` and ``settings`` as JSON.
    """
    names = ("particles", "image", "probabilities", *CSV_COLUMNS)
    return frames_npz(frames, names, settings, input=points)


def frames_npz(
    frames: Sequence[Any], names: Sequence[str], settings: RunSettings, **more: np.ndarray
) -> bytes:
    """A compressed ``.npz`` of frames' attributes ``(T, ...)``, ``settings`` as JSON, and more."""
    out = io.BytesIO()
    arrays: dict[str, Any] = {
        name: np.stack([getattr(frame, name) for frame in frames]) for name in names
    }
    arrays |= {**more, "settings": json.dumps(settings.to_dict())}
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def completion_csv(frames: Sequence[CompletionFrame], run: CompleterRun) -> str:
    """One line a step, see :func:`metrics_csv`: of judged frames with probabilities."""
    return metrics_csv(frames, run.labels, (*CSV_COLUMNS, *TRUTH_COLUMNS))


def completion_npz(frames: Sequence[CompletionFrame], run: CompleterRun, up: str = "z") -> bytes:
    """The run as a compressed ``.npz``, all points in the cloud's own units.

    Holds free ``points`` and ``image`` ``(T, N, d)``, ``known (K, d)``, the ``removed`` points if
    known, the numbers of each frame ``(T,)``, ``probabilities (T, classes)`` of judged frames, and
    ``settings`` as JSON.

    Args:
        frames: of the run.
        run: of a cloud turned up or not.
        up: as of :func:`in_file_axes`.
    """
    names = list(CSV_COLUMNS)
    more = {
        name: np.stack([in_file_axes(run.in_own_units(getattr(f, name)), up) for f in frames])
        for name in ("points", "image")
    }
    more["known"] = in_file_axes(run.hollow.known, up)
    if run.hollow.removed is not None:
        names += TRUTH_COLUMNS
        more["removed"] = in_file_axes(run.hollow.removed, up)
    if run.labels:
        names.append("probabilities")
    return frames_npz(frames, names, run.settings, **more)


def in_file_axes(points: np.ndarray, up: str) -> np.ndarray:
    """Points ``(P, d)`` of a cloud in the axes of the file that it comes from, to the last bit.

    Args:
        points: of a run.
        up: the axis of the file that was turned to +z, of ``formats.axes.UP_AXES``; "z" is no turn.
    """
    return points if up == "z" else turn_back(points, up)
