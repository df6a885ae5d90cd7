"""Points of all shapes in two files: ``train.npz`` and ``test.npz``, z up.

Arrays: ``points`` int16 (n, P, 3), 32,767 for a coordinate of 1; ``label`` (n,) into ``classes``;
``name`` (n,).
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.training.datasets.modelnet.shapes import Shapes

_UNIT = 32_767


def has(folder: Path) -> bool:
    """Whether a folder is of this form."""
    return any((folder / f"{split}.npz").is_file() for split in ("train", "test"))


def read(folder: Path) -> Shapes:
    """All shapes of both files, or of the one there is.

    Raises:
        UserError: a file is something else, or is cut off.
    """
    points: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    names: list[str] = []
    splits: list[str] = []
    classes: tuple[str, ...] = ()
    for split in ("train", "test"):
        path = folder / f"{split}.npz"
        if not path.is_file():
            continue
        data, label, own, listed = _arrays(path)
        if classes not in ((), listed):
            raise UserError(f"'{path}' has other classes than the other file, so fetch both again.")
        points.append(data)
        labels.append(label)
        names += own
        splits += [split] * len(own)
        classes = listed
    return Shapes.of_clouds(np.concatenate(points), np.concatenate(labels), classes, names, splits)


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray, list[str], tuple[str, ...]]:
    """Points ``(n, P, 3)``, labels ``(n,)``, names and classes of a file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            points = arrays["points"].astype(np.float32) / _UNIT
            labels = arrays["label"].astype(np.int64)
            names, classes = arrays["name"].tolist(), tuple(arrays["classes"].tolist())
        if points.shape != (len(labels), points.shape[1], 3) or len(names) != len(labels):
            raise ValueError("arrays of different lengths")
        if not ((labels >= 0) & (labels < len(classes))).all():
            raise ValueError("labels without a class")
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"'{path}' cannot be read, so fetch it again.") from error
    return points, labels, names, classes
