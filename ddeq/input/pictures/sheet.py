"""The sheet of paper in a picture: on a table, in a frame, or the whole picture."""

from __future__ import annotations

from typing import Any

import numpy as np

_SMALLEST = 0.06  # of the picture
_WHOLE = 0.985  # of the picture: then there is nothing around the sheet
_RECTANGULAR = 0.85  # of the smallest rectangle around it is filled, seen from somewhat aside
_INK = (0.002, 0.35)  # of the sheet, at least and at most
_SOLID = 0.85  # of its convex hull: ink like that is the hole of a zero,
_MUCH = 0.12  # where it takes more than this of what may be a sheet
_WRITTEN = 0.12  # of the sheet's shorter side: so large is at least one thing written on it
_EDGE = 0.015  # of the sheet's sides is blurred, bent or in shadow
_ANGLES = np.radians(np.arange(0, 90, 3))


def cut_out_sheet(levels: np.ndarray) -> np.ndarray:
    """The sheet of paper with a digit on it, cut out of a picture of grey levels (H, W).

    A sheet is a rectangle of one side of a threshold, with holes that are ink. What lies outside it
    within the cut gets the level of the paper. The picture itself where no sheet is found.
    """
    sheets = [region for region in _regions(levels) if _is_sheet(region, levels.size)]
    if not sheets:
        return levels
    from scipy import ndimage

    sheet = min(sheets, key=lambda region: region.area_filled)
    cut = levels[sheet.slice]
    edge = 1 + round(_EDGE * min(cut.shape))
    inside = ndimage.binary_erosion(sheet.image_filled, iterations=edge)
    paper = np.median(cut[sheet.image & inside]) if (sheet.image & inside).any() else 0.0
    return np.where(inside, cut, paper)[edge:-edge, edge:-edge]


def _regions(levels: np.ndarray) -> list[Any]:
    """Connected parts above and below thresholds between two and three classes of levels."""
    from skimage.filters import threshold_multiotsu, threshold_otsu
    from skimage.measure import label, regionprops

    rounded = levels.round()
    if len(np.unique(rounded)) < 4:
        thresholds = {float(rounded.mean())}
    else:
        thresholds = {float(threshold_otsu(rounded)), *map(float, threshold_multiotsu(rounded))}
    found = []
    for threshold in thresholds:
        for half in (levels > threshold, levels <= threshold):
            parts = label(half, connectivity=1)
            large = np.bincount(parts.ravel()) >= _SMALLEST * (1 - _INK[1]) * levels.size
            found += regionprops(parts * large[parts])
    return found


def _is_sheet(region: Any, pixels: int) -> bool:
    """Whether a part of a picture of so many pixels is a rectangle with something written on it."""
    from skimage.measure import label, regionprops

    filled = region.area_filled
    if not _SMALLEST * pixels <= filled <= _WHOLE * pixels:
        return False
    ink = region.image_filled & ~region.image
    share = ink.sum() / filled
    if not _INK[0] <= share <= _INK[1] or filled < _RECTANGULAR * _rectangle(region.image_filled):
        return False
    if share > _MUCH and regionprops(ink.astype(np.uint8))[0].solidity > _SOLID:
        return False
    largest = max(max(part.image.shape) for part in regionprops(label(ink)))
    return largest >= _WRITTEN * min(region.image.shape)


def _rectangle(mask: np.ndarray) -> float:
    """The area of the smallest rectangle around a part, upright or not."""
    rows, columns = np.nonzero(mask)
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])  # (2,A)
    outline = np.flatnonzero(np.r_[True, np.diff(rows) > 0] | np.r_[np.diff(rows) > 0, True])
    corners = np.stack([columns[outline], rows[outline]], axis=1)  # the ends of each row
    along = np.ptp(corners @ directions, axis=0) + 1
    across = np.ptp(corners @ np.stack([-directions[1], directions[0]]), axis=0) + 1
    return float((along * across).min())
