"""Points of many shapes a file: ``modelnet40_ply_hdf5_2048``.

``train_files.txt`` and ``test_files.txt`` list files ``ply_data_train0.h5`` with ``data`` (n, P, 3)
and ``label`` (n, 1) into ``shape_names.txt``; y is up. ``ply_data_train_0_id2file.json``, where it
is there, names the shapes.

Source: Qi et al. 2017, https://github.com/charlesq34/pointnet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.training.datasets.modelnet.official import COUNTS
from ddeq.training.datasets.modelnet.shapes import Shapes, y_up_to_z_up


def has(folder: Path) -> bool:
    """Whether a folder is of this form."""
    return (folder / "train_files.txt").is_file() or any(folder.glob("ply_data_*.h5"))


def read(folder: Path) -> Shapes:
    """All shapes of all files.

    Raises:
        UserError: a file is missing, is something else, or is cut off.
    """
    classes = _classes(folder / "shape_names.txt")
    points, labels, names, splits = [], [], [], []
    for split in ("train", "test"):
        for path in _files(folder, split):
            data, label = _arrays(path, len(classes))
            points.append(data)
            labels.append(label)
            names.append(_names(path, [classes[k] for k in label]))
            splits += [split] * len(label)
    if not points:
        raise UserError(f"'{folder}' lists no files of shapes, so extract the data again.")
    known = [own for own in names if own is not None]
    named = len(known) == len(names)
    by_place = [f"{split}/{k}" for k, split in enumerate(splits)]
    found = [name for own in known for name in own] if named else by_place
    return Shapes.of_clouds(
        y_up_to_z_up(np.concatenate(points)), np.concatenate(labels), classes, found, splits, named
    )


def _classes(path: Path) -> tuple[str, ...]:
    """In the order of the labels."""
    if not path.is_file():
        return tuple(COUNTS)
    return tuple(line.strip() for line in path.read_text().splitlines() if line.strip())


def _files(folder: Path, split: str) -> list[Path]:
    """Those of a split that are listed, or else that are there."""
    listed = folder / f"{split}_files.txt"
    if not listed.is_file():
        return sorted(folder.glob(f"ply_data_{split}*.h5"))
    # Lists name files as they lay on the machine where they were made.
    names = [re.split(r"[/\\\\]", line.strip())[-1] for line in listed.read_text().splitlines()]
    for name in filter(None, names):
        if not (folder / name).is_file():
            raise UserError(
                f"'{folder / name}' is missing though {listed.name} names it, so extract the data "
                "again."
            )
    return [folder / name for name in names if name]


def _arrays(path: Path, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Points ``(n, P, 3)`` and labels ``(n,)`` of a file."""
    import h5py  # slow to import, and few need it

    try:
        with h5py.File(path) as file:
            data = np.asarray(file["data"], np.float32)
            label = np.asarray(file["label"], np.int64).ravel()
        if data.shape != (len(label), data.shape[1], 3) or not np.isfinite(data).all():
            raise ValueError("no points of shapes")
        if not ((label >= 0) & (label < classes)).all():
            raise ValueError("labels without a class")
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"'{path}' is cut off or holds no shapes with labels, so fetch it again."
        ) from error
    return data, label


def _names(path: Path, kinds: Sequence[str]) -> list[str] | None:
    """Of the shapes of a file, whose classes are ``kinds``; None if nothing tells them."""
    listed = path.with_name(re.sub(r"_?(\d+)$", r"_\1_id2file.json", path.stem))
    try:
        names = [Path(str(entry)).stem for entry in json.loads(listed.read_text())]
    except (OSError, ValueError, TypeError):
        return None
    fits = len(names) == len(kinds) and all(
        re.fullmatch(rf"{re.escape(kind)}_\d+", name)
        for kind, name in zip(kinds, names, strict=True)
    )
    return names if fits else None
