"""ModelNet40 as points: 1,024 of each shape's surface, the official split.

Folder of ``train.npz`` and ``test.npz``: ``points`` int16 (n, 1024, 3), ``label`` (n,) into
``classes`` (40,), ``name`` (n,). Shapes are aligned, z up.

Source: Wu et al. 2015, https://modelnet.cs.princeton.edu.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch

from ddeq.errors import UserError
from ddeq.training.datasets.objects import ObjectClouds

VALIDATION = 1_000  # shapes of the training split
_UNIT = 32_767  # int16 for a coordinate of 1


def load_modelnet40(folder: str | Path, split: str) -> ObjectClouds:
    """The ``train`` or the ``test`` split; of the first, 1,000 shapes are for validation.

    Which ones depends on the names alone, so any form of the data set has the same.

    Raises:
        UserError: the file is missing or is something else.
    """
    path = Path(folder) / f"{split}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            points = arrays["points"].astype(np.float32) / _UNIT
            labels, names = arrays["label"].astype(np.int64), arrays["name"].tolist()
            classes = tuple(arrays["classes"].tolist())
    except FileNotFoundError as error:
        raise UserError(
            f"'{folder}' has no {split}.npz, so give the folder that holds ModelNet40."
        ) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"'{path}' cannot be read, so fetch it again.") from error
    parts = np.full(len(names), split, dtype=object)
    if split == "train":
        parts[validation_shapes(names)] = "validation"
    return ObjectClouds(
        torch.from_numpy(points),
        torch.ones(len(points), dtype=torch.float64),
        torch.from_numpy(labels),
        tuple(names),
        torch.arange(len(points)),
        tuple(parts.tolist()),
        classes,
    )


def validation_shapes(names: list[str], count: int = VALIDATION) -> np.ndarray:
    """Indices of the shapes that are held out, by their names in the order of the alphabet."""
    order = np.argsort(np.array(names))
    drawn = np.random.default_rng(0).choice(len(names), min(count, len(names) // 5), replace=False)
    return order[np.sort(drawn)]
