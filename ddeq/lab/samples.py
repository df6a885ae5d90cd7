"""The shipped test clouds of a family, as a person picks them and as Python finds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ddeq.input.answers import Answer
from ddeq.input.clouds import PointCloud
from ddeq.input.families import Family
from ddeq.input.gallery import USED_POINTS, load_gallery, load_objects


@dataclass(frozen=True, eq=False)
class Samples:
    """A gallery's clouds.

    Attributes:
        clouds, answers: of the K clouds, and what each is.
        loader: the function of :mod:`ddeq.input.gallery` they come from.
        arguments: of its result's ``cloud``, after the number.
    """

    clouds: tuple[PointCloud, ...]
    answers: tuple[Answer, ...]
    loader: str
    arguments: str

    def index(self, cloud: PointCloud) -> int | None:
        """Which of them a cloud is, if it is one."""
        same = (
            k
            for k, known in enumerate(self.clouds)
            if known.name == cloud.name and np.array_equal(known.points, cloud.points)
        )
        return next(same, None)

    def expression(self, index: int) -> str:
        """Python for one of them, where ``loader`` is imported."""
        return f"{self.loader}().cloud({index}{self.arguments})"


@cache
def samples(family: Family) -> Samples:
    """Digits in the plane, or objects in space with as many points as are given to a model."""
    if family.flat:
        digits = load_gallery()
        clouds = tuple(digits.cloud(k) for k in range(len(digits.labels)))
        answers = tuple(map(digits.answer, range(len(clouds))))
        return Samples(clouds, answers, load_gallery.__name__, "")
    objects = load_objects()
    clouds = tuple(objects.cloud(k, USED_POINTS) for k in range(len(objects)))
    answers = tuple(map(objects.answer, range(len(clouds))))
    return Samples(clouds, answers, load_objects.__name__, f", {USED_POINTS}")
