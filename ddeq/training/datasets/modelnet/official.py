"""The official split of ModelNet40 and ModelNet10, by the names of the shapes.

In every class the shapes are numbered from 1, first those to train on, then those to test on.

Source: Wu et al. 2015, https://modelnet.cs.princeton.edu.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np

COUNTS = {
    "airplane": (626, 100),
    "bathtub": (106, 50),
    "bed": (515, 100),
    "bench": (173, 20),
    "bookshelf": (572, 100),
    "bottle": (335, 100),
    "bowl": (64, 20),
    "car": (197, 100),
    "chair": (889, 100),
    "cone": (167, 20),
    "cup": (79, 20),
    "curtain": (138, 20),
    "desk": (200, 86),
    "door": (109, 20),
    "dresser": (200, 86),
    "flower_pot": (149, 20),
    "glass_box": (171, 100),
    "guitar": (155, 100),
    "keyboard": (145, 20),
    "lamp": (124, 20),
    "laptop": (149, 20),
    "mantel": (284, 100),
    "monitor": (465, 100),
    "night_stand": (200, 86),
    "person": (88, 20),
    "piano": (231, 100),
    "plant": (240, 100),
    "radio": (104, 20),
    "range_hood": (115, 100),
    "sink": (128, 20),
    "sofa": (680, 100),
    "stairs": (124, 20),
    "stool": (90, 20),
    "table": (392, 100),
    "tent": (163, 20),
    "toilet": (344, 100),
    "tv_stand": (267, 100),
    "vase": (475, 100),
    "wardrobe": (87, 20),
    "xbox": (103, 20),
}
"""Shapes to train on and to test on, by class."""

TRAIN, TEST = (sum(counts) for counts in zip(*COUNTS.values(), strict=True))
VALIDATION = 1_000  # shapes of the training split


def split_of(name: str) -> str | None:
    """``train`` or ``test``, of a shape such as ``airplane_0001``; None if there is no such one."""
    parts = re.fullmatch(r"(.+)_(\d+)", name)
    train, test = COUNTS.get(parts[1], (0, 0)) if parts else (0, 0)
    number = int(parts[2]) if parts else 0
    if not 1 <= number <= train + test:
        return None
    return "train" if number <= train else "test"


@cache
def held_out() -> frozenset[str]:
    """Names of the 1,000 shapes of the official training split that are for validation."""
    names = [f"{kind}_{k + 1:04}" for kind, (train, _) in COUNTS.items() for k in range(train)]
    return frozenset(drawn(names, VALIDATION))


def drawn(names: list[str], count: int) -> list[str]:
    """So many of the names, by their order in the alphabet alone; at most a fifth of them."""
    order = sorted(names)
    size = min(count, len(order) // 5)
    chosen = np.random.default_rng(0).choice(len(order), size, replace=False)
    return [order[k] for k in np.sort(chosen)]
