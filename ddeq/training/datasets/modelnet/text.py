"""Points with normals, a text file each: ``modelnet40_normal_resampled``.

``modelnet40_train.txt`` and ``modelnet40_test.txt`` list names such as ``airplane_0001``, whose
points are in ``airplane/airplane_0001.txt``, one a line: ``x,y,z`` and the normal; y is up.

Source: Qi et al. 2017, https://github.com/charlesq34/pointnet2.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.training.datasets.modelnet.shapes import Shapes, cached, y_up_to_z_up

RESERVOIR = 4_096  # points a shape, of 10,000 in no order
_SETS = ("modelnet40", "modelnet10")


def has(folder: Path) -> bool:
    """Whether a folder is of this form."""
    return any((folder / f"{name}_train.txt").is_file() for name in _SETS)


def read(folder: Path) -> Shapes:
    """All shapes of the lists, after minutes the first time.

    Raises:
        UserError: a list or a file is missing, broken or cut off.
    """
    which = next(name for name in _SETS if (folder / f"{name}_train.txt").is_file())
    splits: dict[str, str] = {}
    for split in ("train", "test"):  # what both name is for testing
        splits |= dict.fromkeys(_listed(folder / f"{which}_{split}.txt"), split)
    paths = {name: folder / _class_of(name) / f"{name}.txt" for name in splits}
    for path in paths.values():
        if not path.is_file():
            raise UserError(
                f"'{path}' is missing though a list of shapes names it, so extract the data again."
            )
    return cached(folder, [*paths.values()], lambda: _read(paths, splits))


def _read(paths: dict[str, Path], splits: dict[str, str]) -> Shapes:
    classes = sorted({_class_of(name) for name in paths})
    clouds: list[np.ndarray] = []
    for path in tqdm(paths.values(), desc="shapes"):
        clouds.append(_points(path))
        if len(clouds[-1]) != len(clouds[0]):
            raise UserError(
                f"'{path}' has {len(clouds[-1]):,} points where others have more or fewer, so "
                "extract the data again."
            )
    labels = [classes.index(_class_of(name)) for name in paths]
    points = y_up_to_z_up(np.stack(clouds))
    return Shapes.of_clouds(points, labels, classes, paths, splits.values())


def _listed(path: Path) -> list[str]:
    """The names in a list, one a line."""
    try:
        names = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"'{path}', which names the shapes of a split, cannot be read, so extract the data "
            "again."
        ) from error
    return [name for name in names if name]


def _class_of(name: str) -> str:
    return name.rpartition("_")[0]


def _points(path: Path) -> np.ndarray:
    """The first points of a file, ``(P, 3)``."""
    try:
        with warnings.catch_warnings(action="error"):  # of an empty file
            found = np.loadtxt(
                path, np.float32, delimiter=",", usecols=(0, 1, 2), max_rows=RESERVOIR, ndmin=2
            )
        if not np.isfinite(found).all():
            raise ValueError("not numbers")
    except (OSError, ValueError, UserWarning) as error:
        raise UserError(
            f"'{path}' does not hold a point a line, as x,y,z and more, so extract the data again."
        ) from error
    return found
