"""Digits with two holes, by the paper's rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ddeq.evaluation.cases import LEAST_KNOWN, Case, usable
from ddeq.evaluation.neighbours import Neighbours
from ddeq.input.images import pixel_cloud
from ddeq.input.partial import DIGIT_HOLE_RADIUS, DIGIT_HOLES, random_holes
from ddeq.input.preprocess import Standardised, standardise
from ddeq.model.completer import free_count


@dataclass(frozen=True, eq=False)
class DigitCase(Case):
    """A digit with holes.

    Attributes:
        ink: known pixels of its image, bool ``(28, 28)``.
        pixels: how pixel coordinates become units of the standardised whole digit.
    """

    ink: np.ndarray
    pixels: Standardised


def cut_digits(images: np.ndarray, total: float = 1.275) -> tuple[list[DigitCase], int]:
    """Cut two holes of radius 0.6 into each digit; also how many could not be used.

    Those keep fewer than 3 points, or all of them.

    Args:
        images: ``(K, 28, 28)``, ink is non-zero.
        total: completed points for each known one.
    """
    cases = []
    for number, image in enumerate(images):
        points = pixel_cloud(image).astype(np.float64)
        if len(points) <= LEAST_KNOWN:
            continue
        pixels = standardise(points)
        points = pixels.apply(points)
        rng = np.random.default_rng(number)
        keep = random_holes(points, DIGIT_HOLES, DIGIT_HOLE_RADIUS, rng)
        if not usable(keep):
            continue
        ink = image > 0
        ink[ink] = keep  # pixels of an image and points of its cloud are in the same order
        cases.append(
            DigitCase(
                number=number,
                group=number,
                cut="holes",
                known=points[keep],
                removed=points[~keep],
                standard=standardise(points[keep]),
                free=free_count(int(keep.sum()), total),
                ink=ink,
                pixels=pixels,
            )
        )
    return cases, len(images) - len(cases)


def copy_neighbour(case: DigitCase, neighbours: Neighbours) -> np.ndarray:
    """Complete a digit by what its nearest neighbour has and it has not: ``(N, 2)``."""
    rng = np.random.default_rng(case.number)
    return case.pixels.apply(neighbours.missing(case.ink, case.free, rng))
