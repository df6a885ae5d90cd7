"""ModelNet10 and ModelNet40: folders `class/{train,test}/*.off`, z up.

Source: https://modelnet.cs.princeton.edu
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.input.formats.meshes import parse_off
from ddeq.input.formats.surface import areas, sample_uniform
from ddeq.training.datasets.objects import ObjectClouds, read, save
from ddeq.training.datasets.parts import draw_validation

RESERVOIR = 4_096  # points an object: ModelNet40 has 12,311 of them


def load_modelnet(folder: str | Path, cache: str | Path) -> ObjectClouds:
    """A ModelNet folder as sampled surfaces, from the cache.

    Coordinates and areas are in the units of the files. The labels are the class folders in the
    order of the alphabet; a fifth of each class's training side is for validation.

    Args:
        folder: holds a folder for each class; it is read only when there is no cache yet.
        cache: a `.npz` file, written after minutes of reading and sampling when it is not there.

    Raises:
        UserError: the folder has no such files, one of them is broken, or the cache is not one.
    """
    cache = Path(cache)
    if not cache.exists():
        save(sample_modelnet(folder), cache)
    return read(cache)


def sample_modelnet(folder: str | Path, seed: int = 0, count: int = RESERVOIR) -> ObjectClouds:
    """Read and sample a whole folder; a progress bar shows how far it is."""
    folder = Path(folder)
    paths = sorted(
        path for split in ("train", "test") for path in folder.glob(f"*/{split}/*.[oO][fF][fF]")
    )
    if not paths:
        raise UserError(
            f"'{folder}' has no files class/train/NAME.off, so give the folder to which ModelNet "
            "was extracted."
        )
    classes = tuple(sorted({path.parts[-3] for path in paths}))
    labels = np.array([classes.index(path.parts[-3]) for path in paths], np.int64)
    test = np.array([path.parts[-2] == "test" for path in paths])
    clouds, sizes = [], []
    for k, path in enumerate(tqdm(paths, desc="objects")):
        mesh = parse_off(path.read_bytes(), path.name)
        size = areas(mesh.points, mesh.triangles).sum()
        if not size > 0:
            raise UserError(f"'{path}' has no surface, so remove it or extract ModelNet again.")
        rng = np.random.default_rng((seed, k))
        clouds.append(sample_uniform(mesh.points, mesh.triangles, count, rng).astype(np.float32))
        sizes.append(size)
    groups = np.arange(len(paths))  # what belongs together is not known
    validation = draw_validation(np.where(test, -1, labels), groups)
    parts = np.where(test, "test", np.where(validation, "validation", "train"))
    return ObjectClouds(
        torch.from_numpy(np.stack(clouds)),
        torch.tensor(sizes, dtype=torch.float64),
        torch.from_numpy(labels),
        tuple("/".join(path.parts[-3:]) for path in paths),
        torch.from_numpy(groups),
        tuple(parts.tolist()),
        classes,
    )
