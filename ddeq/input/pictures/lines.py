"""Ruled and squared paper: lines from one side to the other are no ink."""

from __future__ import annotations

import numpy as np

_FAINTEST = 0.15  # of the strongest ink
_SPAN = 0.8  # of the sheet, from side to side
_SHORTEST = 0.25  # of the sheet: lines that cut a corner off
_THICKEST = 0.025  # of the sheet's longer side
_MOST = 60  # lines along one side
_SMALLEST_SHEET = 40  # pixels: on less, lines are as thick as strokes
_MARGIN = 0.03  # of the sheet, on either side of what is written: a tight cut has none
_LEAN = np.radians(np.arange(-4, 4.01, 0.25))


def without_lines(raised: np.ndarray) -> np.ndarray:
    """What stands out of a sheet (H, W) without the thin straight lines that run all across it.

    The same array where there are none. Strokes that cross a line go on. Where nothing is left
    within margins, it was no line but part of a digit that fills its picture, and it stays.
    """
    strongest = np.percentile(raised, 99.5)
    rows = _without_level_lines(raised, _FAINTEST * strongest)
    turned = rows.T
    columns = _without_level_lines(turned, _FAINTEST * strongest)
    if rows is raised and columns is turned:
        return raised
    left = columns.T
    return left if _keeps_margins(left > 0.5 * strongest) else raised


def _without_level_lines(raised: np.ndarray, faintest: float) -> np.ndarray:
    """Without lines that lean by few degrees at most; the same array if there are none."""
    from skimage.transform import hough_line

    mask = raised > faintest
    height, width = mask.shape
    thickest = max(2, round(_THICKEST * max(mask.shape)))
    if min(mask.shape) < _SMALLEST_SHEET:
        return raised
    y, x = np.mgrid[:height, :width]
    room = np.array(width)  # of a first line; others may leave the sheet above or below
    for _ in range(_MOST):
        votes, angles, offsets = hough_line(mask, np.pi / 2 + _LEAN)
        of_lines = np.where((votes >= _SPAN * room) & (room >= _SHORTEST * width), votes, 0)
        row, column = np.unravel_index(of_lines.argmax(), votes.shape)
        low, high = _sides(votes[:, column], int(row))
        thick = high - low + 1
        if not of_lines.any() or thick > thickest:
            break
        if not room.ndim:
            room, _, _ = hough_line(np.ones_like(mask), np.pi / 2 + _LEAN)
        across = x * np.cos(angles[column]) + y * np.sin(angles[column])
        band = (across >= offsets[low] - 1.5) & (across <= offsets[high] + 1.5)
        raised = np.where(band, _bridged(raised, thick + 3), raised)
        mask = mask & ~band
    return raised


def _sides(votes: np.ndarray, row: int) -> tuple[int, int]:
    """The first and the last of the neighbouring rows that have half the votes of this one."""
    ends = np.flatnonzero(votes <= votes[row] / 2)
    low, high = ends[ends < row].max(initial=-1) + 1, ends[ends > row].min(initial=len(votes)) - 1
    return int(low), int(high)


def _bridged(raised: np.ndarray, reach: int) -> np.ndarray:
    """The ink that goes on from above to below, that many rows apart."""
    rows = np.arange(len(raised))
    above = raised[(rows - reach).clip(0)]
    below = raised[(rows + reach).clip(max=len(raised) - 1)]
    return np.minimum(above, below)


def _keeps_margins(ink: np.ndarray) -> bool:
    """Whether something is written, and not up to the sides."""
    for axis in (0, 1):
        used = np.flatnonzero(ink.any(axis=axis))
        margin = _MARGIN * ink.shape[1 - axis]
        if not len(used) or used[0] < margin or used[-1] >= ink.shape[1 - axis] - margin:
            return False
    return True
