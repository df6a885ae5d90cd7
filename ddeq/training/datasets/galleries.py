"""The galleries that ship, chosen from the whole data sets."""

from pathlib import Path

import numpy as np

from ddeq.input.formats.surface import sample_uniform
from ddeq.input.gallery import OBJECT_POINTS, PER_CLASS, STEPS, Gallery, ObjectGallery
from ddeq.training.datasets.furniture import CLASSES, Piece, labels, surfaces
from ddeq.training.datasets.mnist import MnistSplit


def choose(test: MnistSplit) -> Gallery:
    """The gallery of a whole MNIST test set."""
    of_class = [np.flatnonzero(test.labels == digit)[:PER_CLASS] for digit in range(10)]
    indices = np.concatenate(of_class).astype(np.int64)  # (K,)
    return Gallery(test.images[indices], test.labels[indices], indices)


def choose_objects(folder: str | Path) -> ObjectGallery:
    """The gallery of a furniture package; see `furniture.surfaces` for the folder."""
    known = labels()
    chosen: list[tuple[int, Piece, np.ndarray]] = []
    for piece, mesh in surfaces(folder, ["BlendSwap-CC-0"]):
        label = known.get(piece.id)
        if label and label.split == "test" and piece.licence == "CC0":
            rng = np.random.default_rng((0, len(chosen)))
            points = sample_uniform(mesh.points, mesh.corners, OBJECT_POINTS, rng)
            chosen.append((label.label, piece, points))
    chosen.sort(key=lambda entry: entry[0])  # stable: within a class in the package's order
    points = np.stack([entry[2] for entry in chosen])  # (K, M, 3)
    boxes = np.stack([points.min(axis=1), points.max(axis=1)], axis=1)  # (K, 2, 3)
    low, high = boxes[:, :1], boxes[:, 1:]
    extent = np.where(high > low, high - low, 1.0)
    return ObjectGallery(
        np.rint((points - low) / extent * STEPS).astype(np.uint16),
        boxes,
        tuple(piece.id for _, piece, _ in chosen),
        tuple(piece.name for _, piece, _ in chosen),
        tuple(CLASSES[label] for label, _, _ in chosen),
        tuple(piece.creator for _, piece, _ in chosen),
    )
