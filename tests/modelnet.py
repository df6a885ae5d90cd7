"""Tiny folders in the forms in which ModelNet is handed round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests import solids

KINDS = dict(zip(solids.CLASSES, (solids.box, solids.ball, solids.stick), strict=True))


@dataclass(frozen=True)
class Shape:
    """One shape of a folder to be written: its class, number, split and points ``(P, 3)``, z up."""

    kind: str
    number: int
    split: str
    points: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.number:04}"


def shapes(train: int = 8, test: int = 3, points: int = 60) -> list[Shape]:
    """So many boxes, balls and sticks in either split, inside the unit ball."""
    made = []
    for label, (kind, draw) in enumerate(KINDS.items()):
        for number in range(1, train + test + 1):
            x = draw(np.random.default_rng((label, number)))[:points]
            x = x - x.mean(axis=0)
            x = x / np.linalg.norm(x, axis=1).max()
            made.append(Shape(kind, number, "train" if number <= train else "test", x))
    return made


def write_npz(folder: Path, chosen: list[Shape]) -> Path:
    """``train.npz`` and ``test.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = sorted({shape.kind for shape in chosen})
    for split in ("train", "test"):
        own = [shape for shape in chosen if shape.split == split]
        np.savez(
            folder / f"{split}.npz",
            points=np.round(32767 * np.array([shape.points for shape in own])).astype(np.int16),
            label=np.array([classes.index(shape.kind) for shape in own], np.uint8),
            name=np.array([shape.name for shape in own]),
            classes=np.array(classes),
        )
    return folder
