"""What is trained on, chosen by and tested on. A folder's layout is not believed alone.

A shape is trained on if the folder has it in its training split, its name does not belong to the
official test split, and no shape to test on has the same content; it is tested on if folder and
name say so. What they disagree about is left out.
"""

from __future__ import annotations

import numpy as np
import torch

from ddeq.training.datasets.modelnet.official import (
    COUNTS,
    TEST,
    TRAIN,
    VALIDATION,
    drawn,
    held_out,
    split_of,
)
from ddeq.training.datasets.modelnet.shapes import Shapes
from ddeq.training.datasets.objects import ObjectClouds


def assign(shapes: Shapes) -> tuple[ObjectClouds, tuple[str, ...]]:
    """The shapes with their parts, and sentences about what is not as in ModelNet40."""
    said = np.array(shapes.splits)
    official = np.array([split_of(name) or "" for name in shapes.names])
    tested = (said == "test") | (official == "test")
    names, contents = (
        {all_of[k] for k in np.flatnonzero(tested)} for all_of in (shapes.names, shapes.contents)
    )
    known = np.array([name in names for name in shapes.names])
    same = np.array([content in contents for content in shapes.contents])
    named = (said == "train") & ~known
    train = named & ~same
    test = (said == "test") & (official != "train")
    validation = train & np.isin(shapes.names, [*_validation(shapes, named)])
    parts = np.select([validation, train, test], ["validation", "train", "test"], "")
    kept = np.flatnonzero(parts != "")
    clouds = ObjectClouds(
        torch.from_numpy(shapes.points[kept]),
        torch.from_numpy(shapes.areas[kept]),
        torch.from_numpy(shapes.labels[kept]),
        tuple(shapes.names[k] for k in kept),
        torch.arange(len(kept)),  # what belongs together is not known
        tuple(parts[kept].tolist()),
        shapes.classes,
    )
    left_out = int(((said == "train") & ~train).sum()), int(((said == "test") & ~test).sum())
    return clouds, _notes(shapes, left_out)


def _validation(shapes: Shapes, train: np.ndarray) -> frozenset[str]:
    """Names of the shapes held out: the same ones in every form, as far as names tell."""
    official = held_out()
    names = [shapes.names[k] for k in np.flatnonzero(train)]
    if official.intersection(names):
        return official
    return frozenset(drawn(names, VALIDATION))


def _notes(shapes: Shapes, left_out: tuple[int, int]) -> tuple[str, ...]:
    """Sentences for a person, none for ModelNet40 as it is."""
    found = []
    train, test = (shapes.splits.count(split) for split in ("train", "test"))
    if (train, test) != (TRAIN, TEST):
        few = sorted({*COUNTS}.intersection(shapes.classes))
        of = f" in {len(few)} of its classes" if len(few) < len(COUNTS) else ""
        found.append(
            f"The folder has {train:,} shapes to train on and {test:,} to test on{of}, where "
            f"ModelNet40 has {TRAIN:,} and {TEST:,}."
        )
    if left_out[0]:
        found.append(
            f"{left_out[0]:,} of its shapes to train on belong to the test split, so they are not "
            "trained on."
        )
    if left_out[1]:
        found.append(
            f"{left_out[1]:,} of its shapes to test on belong to the training split, so they are "
            "not tested on."
        )
    if not shapes.named:
        found.append(
            "Its shapes have no names, so those held out for validation are drawn by their place, "
            "others than in other forms of the data."
        )
    return tuple(found)
