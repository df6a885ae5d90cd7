"""Meshes, a file each: folders ``class/{train,test}/*.off``, z up.

Source: https://modelnet.cs.princeton.edu
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.input.formats.off import parse_off
from ddeq.input.formats.surface import areas, sample_uniform
from ddeq.training.datasets.modelnet.shapes import Shapes, cached, digest

RESERVOIR = 4_096  # points a shape: ModelNet40 has 12,311 of them
_FILES = "[oO][fF][fF]"


def has(folder: Path) -> bool:
    """Whether a folder is of this form."""
    return any(any(folder.glob(f"*/{split}/*.{_FILES}")) for split in ("train", "test"))


def read(folder: Path) -> Shapes:
    """Samples of all surfaces, after minutes the first time.

    Raises:
        UserError: a file is broken, or has no surface.
    """
    paths = sorted(
        path for split in ("train", "test") for path in folder.glob(f"*/{split}/*.{_FILES}")
    )
    return cached(folder, paths, lambda: sample(paths))


def sample(paths: Sequence[Path], seed: int = 0, count: int = RESERVOIR) -> Shapes:
    """``count`` points of each surface; a progress bar shows how far it is."""
    classes = sorted({path.parts[-3] for path in paths})
    clouds, sizes, contents = [], [], []
    for k, path in enumerate(tqdm(paths, desc="shapes")):
        content = path.read_bytes()
        mesh = parse_off(content, path.name)
        triangles = mesh.triangles
        sizes.append(0.0 if triangles is None else areas(mesh.points, triangles).sum())
        if not sizes[-1] > 0:
            raise UserError(f"'{path}' has no surface, so remove it or extract ModelNet again.")
        # Each shape draws from its own stream: another one more or less changes nothing.
        rng = np.random.default_rng((seed, k))
        clouds.append(sample_uniform(mesh.points, mesh.corners, count, rng).astype(np.float32))
        contents.append(digest(content))
    return Shapes(
        np.stack(clouds),
        np.array(sizes),
        np.array([classes.index(path.parts[-3]) for path in paths], np.int64),
        tuple(classes),
        tuple(path.stem for path in paths),
        tuple(path.parts[-2] for path in paths),
        tuple(contents),
    )
