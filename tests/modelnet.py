"""Tiny folders in the forms in which ModelNet is handed round."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tests import solids

KINDS = dict(zip(solids.CLASSES, (solids.box, solids.ball, solids.stick), strict=True))


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape of a folder to be written: its name, split and points ``(P, 3)``, z up."""

    name: str
    split: str
    points: np.ndarray

    @property
    def kind(self) -> str:
        return self.name.rpartition("_")[0]


def cloud(draw: Callable, seed: tuple[int, ...], points: int = 60) -> np.ndarray:
    """Points of a solid, inside the unit ball, as exact as int16 of it are."""
    x = draw(np.random.default_rng(seed))[:points]
    x = x - x.mean(axis=0)
    return np.round(32767 * x / np.linalg.norm(x, axis=1).max()) / 32767


def shapes(train: int = 8, test: int = 3, points: int = 60) -> list[Shape]:
    """So many boxes, balls and sticks in either split: classes that ModelNet does not have."""
    return [
        Shape(
            f"{kind}_{number:04}",
            "train" if number <= train else "test",
            cloud(draw, (label, number), points),
        )
        for label, (kind, draw) in enumerate(KINDS.items())
        for number in range(1, train + test + 1)
    ]


def write_npz(folder: Path, chosen: list[Shape]) -> Path:
    """``train.npz`` and ``test.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = sorted({shape.kind for shape in chosen})
    for split in ("train", "test"):
        if not (own := [shape for shape in chosen if shape.split == split]):
            continue
        np.savez(
            folder / f"{split}.npz",
            points=np.round(32767 * np.array([shape.points for shape in own])).astype(np.int16),
            label=np.array([classes.index(shape.kind) for shape in own], np.uint8),
            name=np.array([shape.name for shape in own]),
            classes=np.array(classes),
        )
    return folder


def y_up(points: np.ndarray) -> np.ndarray:
    """Points with z up as a file with y up has them."""
    x, y, z = points.T
    return np.stack([x, z, -y], axis=1)


def write_text(folder: Path, chosen: list[Shape]) -> Path:
    """``modelnet40_normal_resampled``."""
    for split in ("train", "test"):
        names = [shape.name for shape in chosen if shape.split == split]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"modelnet40_{split}.txt").write_text("\n".join(names) + "\n")
    for shape in chosen:
        (folder / shape.kind).mkdir(exist_ok=True)
        rows = np.concatenate([y_up(shape.points), 0 * shape.points], axis=1)
        np.savetxt(folder / shape.kind / f"{shape.name}.txt", rows, "%.6f", ",")
    return folder


def write_hdf5(folder: Path, chosen: list[Shape], names: bool = True, size: int = 10) -> Path:
    """``modelnet40_ply_hdf5_2048``, so many shapes a file, with the lists of names or without."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = sorted({shape.kind for shape in chosen})
    (folder / "shape_names.txt").write_text("\n".join(classes) + "\n")
    for split in ("train", "test"):
        own = [shape for shape in chosen if shape.split == split]
        files = [own[k : k + size] for k in range(0, len(own), size)]
        for number, inside in enumerate(files):
            with h5py.File(folder / f"ply_data_{split}{number}.h5", "w") as file:
                file["data"] = np.array([y_up(shape.points) for shape in inside], np.float32)
                file["label"] = np.array([[classes.index(s.kind)] for s in inside], np.uint8)
            if names:
                listed = [f"{shape.kind}/{shape.name}.ply" for shape in inside]
                path = folder / f"ply_data_{split}_{number}_id2file.json"
                path.write_text(json.dumps(listed))
        lines = [f"data/elsewhere/ply_data_{split}{number}.h5" for number in range(len(files))]
        (folder / f"{split}_files.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_off(folder: Path, chosen: list[Shape]) -> Path:
    """``class/{train,test}/NAME.off``: each shape a pyramid, as high as it has a first point."""
    for shape in chosen:
        place = folder / shape.kind / shape.split
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{shape.name}.off").write_text(pyramid(1 + float(shape.points[0, 0])))
    return folder


def pyramid(height: float = 1.0) -> str:
    """A pyramid on a square of side 2."""
    return (
        f"OFF\n5 5 0\n0 0 0\n2 0 0\n2 2 0\n0 2 0\n1 1 {height}\n"
        "4 0 3 2 1\n3 0 1 4\n3 1 2 4\n3 2 3 4\n3 3 0 4\n"
    )


WRITERS = {"npz": write_npz, "text": write_text, "hdf5": write_hdf5, "off": write_off}
