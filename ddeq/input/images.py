"""MNIST's conventions: a digit in 28 x 28 pixels, its cloud, and that of a drawing."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, validate

_SIDE = 28  # of an MNIST image
_BOX = 20  # the digit's largest side in it

_FAINTEST_PIXEL = 8  # of 255, in an MNIST image

_PEN = 2.8  # width of a drawn stroke, in MNIST pixels
_CANVAS = 10  # canvas pixels per MNIST pixel
_DOT = 0.02  # a drawing smaller than this fraction of the square is no digit


def pixel_cloud(image: np.ndarray) -> np.ndarray:
    """The coordinates of an image's non-zero pixels, row by row.

    Args:
        image: (H, W), ink is non-zero.

    Returns:
        float32 (M, 2): x is the column, y minus the row, so the y axis points up.
    """
    row, column = np.nonzero(image)
    return np.stack([column, -row], axis=1).astype(np.float32)


def strokes_to_cloud(strokes: Sequence[Sequence[tuple[float, float]]]) -> PointCloud:
    """The cloud of a digit drawn with a pen.

    Args:
        strokes: each a list of points (x, y) of the unit square, x to the right, y down.

    Returns:
        The non-zero pixels (M, 2) of the drawing in MNIST's conventions. The pen is as wide as
        MNIST's, however large the drawing is.

    Raises:
        UserError: nothing is drawn, or only dots.
    """
    corners = [np.asarray(stroke, float).reshape(-1, 2) for stroke in strokes if len(stroke)]
    if not corners:
        raise UserError("The drawing is empty, so draw a digit first.")
    everything = np.concatenate(corners)  # (M,2)
    if not np.isfinite(everything).all():
        raise UserError("The drawing has points with NaN or infinite coordinates, so draw it anew.")
    low, extent = everything.min(axis=0), np.ptp(everything, axis=0).max()
    if extent < _DOT:
        raise UserError("The drawing is only a dot, so draw a whole digit.")
    width = round(_PEN * _CANVAS)
    side = _BOX * _CANVAS
    canvas = Image.new("L", (side + 2 * width, side + 2 * width))
    pen = ImageDraw.Draw(canvas)
    for stroke in corners:
        path = [(x, y) for x, y in (stroke - low) / extent * side + width]
        pen.line(path, fill=255, width=width, joint="curve")
        for corner in path:
            pen.circle(corner, width / 2, fill=255)
    return _cloud(np.asarray(canvas), "drawing")


def to_mnist(ink: np.ndarray) -> np.ndarray:
    """Size-normalise and centre a digit as MNIST does (http://yann.lecun.com/exdb/mnist/).

    The digit is cut out, fitted with its aspect ratio kept into a box of 20 x 20 pixels with grey
    borders, and placed so that its centre of mass is in the middle of 28 x 28 pixels.

    Args:
        ink: uint8 (H, W), 0 where there is none; not all 0.

    Returns:
        uint8 (28, 28).
    """
    from scipy import ndimage  # slow to import, and only pictures need it

    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = _BOX / max(digit.size)
    size = [max(1, round(scale * side)) for side in digit.size]
    # This filter and the cut leave as many non-zero pixels as MNIST has; the tests count them.
    small = np.asarray(digit.resize(size, Image.Resampling.BICUBIC))
    small = np.where(small < _FAINTEST_PIXEL, 0, small)
    centre = np.array(ndimage.center_of_mass(small))
    corner = np.rint(_SIDE / 2 - centre).astype(int).clip(0, _SIDE - np.array(small.shape))
    image = np.zeros((_SIDE, _SIDE), np.uint8)
    image[corner[0] : corner[0] + small.shape[0], corner[1] : corner[1] + small.shape[1]] = small
    return image


def _cloud(ink: np.ndarray, name: str) -> PointCloud:
    cloud = PointCloud(pixel_cloud(to_mnist(ink)).astype(np.float64), name)
    validate(cloud)
    return cloud
