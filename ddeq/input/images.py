"""A picture or a drawing of a digit to the cloud MNIST would have made of it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, read_bytes, shorten, validate

SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_PIXELS = 64_000_000

_SIDE = 28  # of an MNIST image
_BOX = 20  # the digit's largest side in it
_WORKING_SIDE = 512  # pictures are reduced to this: enough for a small digit on a page
_WIDEST_STROKE = 1 / 3  # of the picture's largest side; wider is paper
_LEAST_CONTRAST = 12  # grey levels of 255 between ink and paper
_SMALLEST_PART = 0.05  # of the largest connected part of the digit; smaller is dirt

_FAINTEST_PIXEL = 8  # of 255, in an MNIST image
_BLUR = 0.3  # of the contrast: fainter borders of a large digit are blur, not ink

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


def image_to_cloud(data: bytes | Path, name: str) -> PointCloud:
    """The cloud of a digit in a picture: dark on bright or bright on dark, drawn or photographed.

    Args:
        data: the content of a .png or .jpg file, or its path.
        name: what messages call the picture.

    Returns:
        The non-zero pixels (M, 2) of the picture brought to MNIST's conventions by `to_mnist`.

    Raises:
        UserError: the file is broken or too large, or the picture shows nothing.
    """
    shown = shorten(name)
    grey = _read_grey(read_bytes(data, shown), shown)
    return _cloud(_find_ink(grey, shown), name)


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


def _read_grey(data: bytes, shown: str) -> np.ndarray:
    """The picture in grey, at most `_WORKING_SIDE` large: float64 (H, W), 0 to 255."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.draft("L", (2 * _WORKING_SIDE, 2 * _WORKING_SIDE))  # decodes large JPEGs faster
            upright = ImageOps.exif_transpose(image)
            grey = _without_colour(upright)
    except Image.DecompressionBombError:
        raise UserError(
            f"'{shown}' has more than {MAX_PIXELS // 10**6} million pixels, "
            "so make the picture smaller."
        ) from None
    except Exception:  # broken files make Pillow raise a dozen kinds of errors
        raise UserError(
            f"'{shown}' cannot be read as a picture, so save it again as .png or .jpg."
        ) from None
    grey.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(grey, float)


def _without_colour(image: Image.Image) -> Image.Image:
    """Grey, with transparent parts laid on what differs most from the opaque ones."""
    if image.mode.startswith("I"):  # 16 bits a pixel
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("L")
    grey, alpha = image.convert("RGBA").convert("LA").split()
    weight = np.asarray(alpha, float)
    mean = (np.asarray(grey) * weight).sum() / max(weight.sum(), 1.0)
    paper = Image.new("L", image.size, 0 if mean > 127 else 255)
    return Image.composite(grey, paper, alpha)


def _find_ink(grey: np.ndarray, shown: str) -> np.ndarray:
    """What stands out from the paper: uint8 (H, W), 0 on the paper and 255 on full ink."""
    from scipy import ndimage  # slow to import, and only pictures need it

    raised = _raise_strokes(grey)
    core = raised > _split_in_two(raised)
    paper, noise = _paper_level(raised[~core])
    if not core.any() or raised[core].mean() - paper < max(_LEAST_CONTRAST, 6 * noise):
        raise UserError(f"'{shown}' shows nothing that stands out, so give a picture of a digit.")
    full = raised[core].mean()
    faintest = paper + 3 * noise + _blur(core) * (full - paper)
    ink = ((raised - faintest) / (full - faintest)).clip(0, 1)
    parts, _ = ndimage.label(ink > 0, structure=np.ones((3, 3)))
    sizes = np.bincount(parts[core], minlength=parts.max() + 1)
    sizes[0] = 0
    kept = sizes >= _SMALLEST_PART * sizes.max()
    kept[0] = False
    return np.rint(255 * ink * kept[parts]).astype(np.uint8)


def _blur(core: np.ndarray) -> float:
    """The fraction of the contrast below which a border is blur, for a digit with this core (H, W).

    None in a picture as small as MNIST's, whose grey borders are pixels covered in part.
    """
    extent = max(np.ptp(np.flatnonzero(core.any(axis=axis))) + 1 for axis in (0, 1))
    return _BLUR * max(0.0, 1 - _BOX / extent)


def _raise_strokes(grey: np.ndarray) -> np.ndarray:
    """How far each pixel (H, W) stands out from the paper around it, brighter or darker."""
    from scipy import ndimage  # slow to import, and only pictures need it

    bright_on_dark = grey if _is_bright_on_dark(grey) else 255 - grey
    element = max(3, round(_WIDEST_STROKE * max(grey.shape)))
    # Opening erases what is narrower than its element and keeps shadows and slopes of light.
    around = np.pad(bright_on_dark, element, mode="edge")
    paper = ndimage.grey_opening(around, size=element)[element:-element, element:-element]
    return bright_on_dark - paper


def _paper_level(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the paper's noise, supposed normal.

    From the lower quarter of the values, because the soft borders of strokes are in the upper ones.
    """
    low, quarter = np.percentile(values, (5, 25))
    deviation = (quarter - low) / (1.645 - 0.674)  # the normal distribution's quantiles
    return quarter + 0.674 * deviation, deviation


def _is_bright_on_dark(grey: np.ndarray) -> bool:
    """Whether the strokes are brighter than the paper: ink is the smaller part of a picture."""
    from scipy import ndimage  # slow to import, and only pictures need it

    thumbnail = Image.fromarray(grey.astype(np.uint8))
    thumbnail.thumbnail((64, 64), Image.Resampling.BOX)
    small = np.asarray(thumbnail, float)
    window = round(_WIDEST_STROKE * max(small.shape)) | 1
    around = np.pad(small, window, mode="edge")
    paper = ndimage.median_filter(around, window)[window:-window, window:-window]
    return float(((small - paper) ** 3).sum()) > 0


def _split_in_two(values: np.ndarray) -> float:
    """The threshold half-way between the means below and above it (Ridler and Calvard, 1978)."""
    threshold = (values.min() + values.max()) / 2
    for _ in range(100):
        above = values > threshold
        if above.all() or not above.any():
            return threshold
        moved = (values[above].mean() + values[~above].mean()) / 2
        if abs(moved - threshold) < 0.1:
            return moved
        threshold = moved
    return threshold
