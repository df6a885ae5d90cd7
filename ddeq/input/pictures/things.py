"""One digit or several: which parts of the ink belong together, and which are a frame or dirt."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddeq.input.pictures.ink import Ink

_SMALLEST_PART = 0.05  # of the largest connected part's pixels; smaller is dirt
_ENCLOSED = 0.2  # of a part's sides: what is so large and inside of it makes it a frame
_AS_TALL = 0.5  # of the tallest: less is part of another thing
_BESIDE, _BELOW = 0.07, 0.2  # of the tallest: gaps between two things, across and down


def tell_apart(ink: Ink) -> list[np.ndarray]:
    """The things written with this ink, in the order one reads them: lines, then columns.

    Returns:
        uint8 (H, W) each, 0 where there is none of it and 255 on full ink; at least one.
    """
    from skimage.measure import label, regionprops

    parts = label(ink.amount > 0, connectivity=2)
    sizes = np.bincount(parts[ink.core], minlength=parts.max() + 1)
    sizes[0] = 0
    regions = [r for r in regionprops(parts) if sizes[r.label]]
    regions = [r for r in regions if not _is_frame(r, regions)] or regions
    largest = max(sizes[r.label] for r in regions)
    regions = [r for r in regions if sizes[r.label] >= _SMALLEST_PART * largest]
    amount = np.rint(255 * ink.amount).astype(np.uint8)
    return [amount * np.isin(parts, [r.label for r in group]) for group in _in_groups(regions)]


def _is_frame(part: Any, parts: list[Any]) -> bool:
    """Whether another part lies inside this one, and is too large to be dirt."""
    if part.area_filled == part.area:
        return False
    top, left, _, _ = part.bbox
    for other in parts:
        if other.label == part.label or max(other.image.shape) < _ENCLOSED * max(part.image.shape):
            continue
        row, column = other.coords[0] - (top, left)
        inside = 0 <= row < part.image.shape[0] and 0 <= column < part.image.shape[1]
        if inside and part.image_filled[row, column]:
            return True
    return False


def _in_groups(parts: list[Any]) -> list[list[Any]]:
    """Parts that are one thing together, each thing a list."""
    from scipy.sparse.csgraph import connected_components

    tallest = max(_height(part) for part in parts)
    tall = [part for part in parts if _height(part) >= _AS_TALL * tallest]
    together = [[not _apart(part, other, tallest) for other in tall] for part in tall]
    count, group = connected_components(np.array(together))
    groups = [[tall[i] for i in np.flatnonzero(group == k)] for k in range(count)]
    heads = [list(group) for group in groups]
    for part in parts:
        if _height(part) < _AS_TALL * tallest:
            away = [min(_distance(part, other) for other in head) for head in heads]
            groups[int(np.argmin(away))].append(part)
    return sorted(groups, key=lambda group: _place(group, tallest))


def _place(group: list[Any], tallest: float) -> tuple[float, float]:
    """Where one reads a thing: the number of its line, then its column."""
    row, column = np.mean([part.centroid for part in group], axis=0)
    return row // (2 * tallest), column


def _apart(first: Any, second: Any, tallest: float) -> bool:
    """Whether two parts stand beside or below each other as two things do."""
    down, across = _gaps(first, second)
    return across > _BESIDE * tallest or down > _BELOW * tallest


def _distance(first: Any, second: Any) -> float:
    return float(np.hypot(*np.maximum(_gaps(first, second), 0)))


def _gaps(first: Any, second: Any) -> tuple[float, float]:
    """Between two boxes, down and across; below 0 where they overlap."""
    a, b = first.bbox, second.bbox
    return max(a[0], b[0]) - min(a[2], b[2]), max(a[1], b[1]) - min(a[3], b[3])


def _height(part: Any) -> int:
    return part.image.shape[0]
