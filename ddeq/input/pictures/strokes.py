"""The width of the pen: what is written with a thick one is written again with the usual one."""

from __future__ import annotations

import numpy as np
from PIL import Image

_BOX = 20  # pixels of a digit's largest side in MNIST
_PEN = 2.8  # width of MNIST's usual pen, in those pixels
_THICKEST = 4.2  # that few digits of MNIST are written with
_DRAWN = 200  # pixels of the largest side of what is written again


def with_usual_pen(ink: np.ndarray) -> np.ndarray:
    """A digit (H, W), uint8, 0 where there is no ink, as a pen of MNIST's width would write it.

    Only strokes that are thicker than MNIST's are changed: their middle line is written again.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = _DRAWN / max(digit.size)
    size = [max(1, round(scale * side)) for side in digit.size]
    large = np.pad(np.asarray(digit.resize(size, Image.Resampling.BICUBIC)), _DRAWN // 10)
    mask = large > 127
    middle = skeletonize(mask)
    if not middle.any():
        return ink
    pixel = _DRAWN / _BOX
    width = 2 * float(np.median(ndimage.distance_transform_edt(mask)[middle]))
    if width <= _THICKEST * pixel:
        return ink
    written = ndimage.distance_transform_edt(~middle) <= _PEN * pixel / 2
    return np.where(written, 255, 0).astype(np.uint8)
