"""Surfaces of real objects as dense clouds: cached once, thinned afresh for every batch.

Coordinates are metres, z up, x to the right, y to the back.
"""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.input.formats.surface import areas, sample_uniform
from ddeq.input.partial import Orbit, seen_from
from ddeq.training.datasets.furniture import CLASSES, labels, surfaces
from ddeq.training.datasets.packed import Batch, standardised
from ddeq.training.datasets.parts import Part as Part
from ddeq.training.datasets.parts import assign_parts

UNLABELLED = -1
RESERVOIR = 16_384  # points an object
_VERSION = 1  # of the cache: raise it when the same package would give another one


@dataclass(frozen=True)
class ObjectAugmentation:
    """Random changes to a training cloud in space, before it is standardised.

    Attributes:
        yaw: the object turns about z by an angle drawn uniformly from -yaw to yaw degrees.
        tilt: standard deviation in degrees of the angle by which it leans, in any direction.
        scale: standard deviation of the logarithm of the factor that stretches each axis.
        jitter: standard deviation of the noise on every coordinate, relative to the root mean
            square distance of the points from their centre along an axis.
        partial: probability that only what a camera in a random direction sees is left.
        outliers: the largest share of points that lie anywhere in the object's bounding box, half
            as large again; the share of a cloud is drawn uniformly.
    """

    yaw: float = 0.0
    tilt: float = 0.0
    scale: float = 0.0
    jitter: float = 0.0
    partial: float = 0.0
    outliers: float = 0.0


@dataclass(frozen=True)
class ObjectClouds:
    """K objects, each with R points of its surface, uniform by area.

    Attributes:
        reservoir: float32 (K, R, 3).
        areas: float64 (K,), of the surfaces in square metres.
        labels: int64 (K,), `UNLABELLED` where there is none.
        ids: what each object is called, K of them, all different.
        groups: int64 (K,), the same for objects that belong together; at random, draw groups.
        parts: a `Part` for each object.
        classes: the names of labels 0, 1, ...
    """

    reservoir: Tensor
    areas: Tensor
    labels: Tensor
    ids: tuple[str, ...]
    groups: Tensor
    parts: tuple[Part, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, *names: Part) -> ObjectClouds:
        """The objects of these parts."""
        return self.at([k for k, part in enumerate(self.parts) if part in names])

    def at(self, index: Sequence[int]) -> ObjectClouds:
        """The objects of these numbers."""
        return ObjectClouds(
            self.reservoir[index],
            self.areas[index],
            self.labels[index],
            tuple(self.ids[k] for k in index),
            self.groups[index],
            tuple(self.parts[k] for k in index),
            self.classes,
        )

    def labelled_as(self, names: Sequence[str]) -> ObjectClouds:
        """The same objects, with labels as a model counts its classes ``names``.

        Raises:
            UserError: it has none for the class of an object.
        """
        labels = torch.from_numpy(labels_among(names, self.classes, self.labels.numpy()))
        return replace(self, labels=labels, classes=tuple(names))

    def counts(self) -> dict[str, dict[Part, int]]:
        """How many objects of each class are in each part that has labels."""
        found = Counter(zip(self.labels.tolist(), self.parts, strict=True))
        return {
            name: {part: found[label, part] for part in ("train", "validation", "test")}
            for label, name in enumerate(self.classes)
        }

    def batch(
        self,
        index: Tensor,
        limit: int,
        generator: torch.Generator,
        augmentation: ObjectAugmentation | None = None,
    ) -> Batch:
        """The objects ``index (B,)``, each by ``limit`` fresh points, standardised isotropically.

        A partial view of an object has fewer than ``limit`` points where the camera sees fewer.
        """
        share = 0.0 if augmentation is None else augmentation.partial
        # About half of the points are seen from anywhere, so twice as many are drawn.
        count = min(2 * limit if share else limit, self.reservoir.shape[1])
        x = _thin(self.reservoir, index, count, generator)
        mask = torch.zeros(x.shape[:2], dtype=torch.bool)
        mask[:, :limit] = True
        if augmentation is not None:
            x = augmented(x, augmentation, generator)
        if share:
            mask = _views(x, limit, share, generator)
            order = (~mask).int().argsort(dim=1, stable=True)[:, : min(limit, count)]
            x, mask = x.gather(1, order[..., None].expand(-1, -1, 3)), mask.gather(1, order)
        return Batch(standardised(x, mask, isotropic=True), mask, self.labels[index])


def labels_among(names: Sequence[str], classes: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Labels ``(K,)`` into ``classes`` as labels into ``names``; `UNLABELLED` stays what it is.

    Raises:
        UserError: a class that occurs is not among the names.
    """
    found = labels.copy()
    for label in np.unique(labels[labels != UNLABELLED]):
        if classes[label] not in names:
            raise UserError(
                f"The data have shapes of the class '{classes[label]}', which is not one of the "
                "model's, so take another model or other data."
            )
        found[labels == label] = names.index(classes[label])
    return found


def augmented(x: Tensor, how: ObjectAugmentation, generator: torch.Generator) -> Tensor:
    """Turn, lean, stretch and jitter clouds ``(B, M, 3)``, each by its own draw."""
    turn = turned(len(x), how, generator)  # (B, 3, 3)
    stretch = (how.scale * torch.randn(len(x), 1, 3, generator=generator)).exp()
    x = x @ turn.transpose(1, 2) * stretch
    size = x.var(dim=1, correction=0, keepdim=True).mean(dim=2, keepdim=True).sqrt()  # (B, 1, 1)
    x = x + how.jitter * size * torch.randn(x.shape, generator=generator)
    return with_outliers(x, how.outliers, generator) if how.outliers else x


def turned(count: int, how: ObjectAugmentation, generator: torch.Generator) -> Tensor:
    """``count`` rotations ``(B, 3, 3)``: about z, then by a small angle about a level axis."""
    yaw, *_ = 2 * torch.rand(1, count, generator=generator) - 1  # (B,)
    about_z = rotation(torch.deg2rad(how.yaw * yaw))
    if not how.tilt:
        return about_z
    lean = torch.deg2rad(how.tilt * torch.randn(count, generator=generator))
    axis = rotation(2 * math.pi * torch.rand(count, generator=generator))
    about_x = rotation(lean).roll((1, 1), (1, 2))  # z, x, y in the places of x, y, z
    return axis @ about_x @ axis.transpose(1, 2) @ about_z


def rotation(angle: Tensor) -> Tensor:
    """Rotations about z by angles ``(B,)`` in radians: ``(B, 3, 3)``."""
    cos, sin, zero, one = angle.cos(), angle.sin(), 0 * angle, 1 + 0 * angle
    return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).view(-1, 3, 3)


def with_outliers(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Clouds ``(B, M, 3)`` of which up to a ``share`` of the points lie anywhere near."""
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)  # (B, 1, 3)
    uniform = torch.rand(x.shape, generator=generator)
    anywhere = (low + high) / 2 + 1.5 * (uniform - 0.5) * (high - low)
    shares = share * torch.rand(len(x), 1, generator=generator)  # (B, 1)
    out = torch.rand(x.shape[:2], generator=generator) < shares  # (B, M)
    return torch.where(out[..., None], anywhere, x)


def load_furniture(folder: str | Path, cache: str | Path) -> ObjectClouds:
    """The furniture of Sweet Home 3D (see `ddeq.training.datasets.furniture`) from the cache.

    Args:
        folder: where the package was extracted to; it is read only when there is no cache yet.
        cache: a `.npz` file, written after minutes of reading and sampling when it is not there.

    Raises:
        UserError: the package is missing or broken, or the cache is not one.
    """
    cache = Path(cache)
    if not cache.exists():
        save(sample_furniture(folder), cache)
    return read(cache)


def sample_furniture(folder: str | Path, seed: int = 0, count: int = RESERVOIR) -> ObjectClouds:
    """Read and sample the whole package; a progress bar shows how far it is."""
    known = labels()
    pieces, clouds, sizes = [], [], []
    # Each object draws from its own stream: another one more or less changes nothing.
    for k, (piece, mesh) in enumerate(tqdm(surfaces(folder), desc="objects", total=820)):
        rng = np.random.default_rng((seed, k))
        pieces.append(piece)
        clouds.append(sample_uniform(mesh.points, mesh.corners, count, rng).astype(np.float32))
        sizes.append(areas(mesh.points, mesh.corners).sum())
    entries = [known.get(piece.id) for piece in pieces]
    classes = np.array([entry.label if entry else UNLABELLED for entry in entries], np.int64)
    parts, groups = assign_parts(
        [piece.name for piece in pieces],
        [piece.creator for piece in pieces],
        classes,
        np.array([entry is not None and entry.split == "test" for entry in entries]),
        clouds,
    )
    return ObjectClouds(
        torch.from_numpy(np.stack(clouds)),
        torch.tensor(sizes, dtype=torch.float64),
        torch.from_numpy(classes),
        tuple(piece.id for piece in pieces),
        torch.from_numpy(groups),
        parts,
        CLASSES,
    )


def save(clouds: ObjectClouds, path: Path) -> None:
    """Write a cache that `read` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    np.savez(
        unfinished,
        version=_VERSION,
        reservoir=clouds.reservoir.numpy(),
        areas=clouds.areas.numpy(),
        labels=clouds.labels.numpy(),
        ids=np.array(clouds.ids),
        groups=clouds.groups.numpy(),
        parts=np.array(clouds.parts),
        classes=np.array(clouds.classes),
    )
    unfinished.replace(path)  # so that an interrupted run leaves no half of a cache


def read(path: Path) -> ObjectClouds:
    """Read what `save` wrote.

    Raises:
        UserError: it is something else, or older than this version.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if int(arrays["version"]) != _VERSION:
                raise ValueError("another version")
            return ObjectClouds(
                torch.from_numpy(arrays["reservoir"]),
                torch.from_numpy(arrays["areas"]),
                torch.from_numpy(arrays["labels"]),
                tuple(arrays["ids"].tolist()),
                torch.from_numpy(arrays["groups"]),
                tuple(arrays["parts"].tolist()),
                tuple(arrays["classes"].tolist()),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"'{path}' is not a cache of objects of this version, so delete it to have it made "
            "again."
        ) from error


def _thin(reservoir: Tensor, index: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``(B, count, 3)``: each object's share of its reservoir, no point twice."""
    size = reservoir.shape[1]
    # Points are in no order: any that are chosen without a look at them are a fair draw. A stride
    # without a common divisor meets each of them once before it comes round.
    first = torch.randint(size, (len(index), 1), generator=generator)
    strides = torch.arange(1, size + 1)
    strides = strides[torch.gcd(strides, torch.tensor(size)) == 1]
    stride = strides[torch.randint(len(strides), (len(index), 1), generator=generator)]
    return reservoir[index[:, None], (first + stride * torch.arange(count)) % size]


def _views(x: Tensor, limit: int, probability: float, generator: torch.Generator) -> Tensor:
    """Which of the points ``(B, M, 3)`` are left, bool ``(B, M)``: at most ``limit`` of each."""
    kept = torch.zeros(x.shape[:2], dtype=torch.bool)
    kept[:, :limit] = True
    chosen = torch.rand(len(x), generator=generator) < probability
    seed = int(torch.randint(2**62, (), generator=generator))
    rng = np.random.default_rng(seed)
    for k in chosen.nonzero()[:, 0].tolist():
        points = x[k].numpy()
        seen = torch.from_numpy(seen_from(points, Orbit.random(rng).position(points)))
        kept[k] = seen & (seen.cumsum(0) <= limit)
    return kept
