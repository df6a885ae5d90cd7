"""The bytes of a picture to grey levels, of no more pixels than a digit needs."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from ddeq.errors import UserError

MAX_PIXELS = 64_000_000
FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
}
"""What Pillow calls the kinds of pictures that are read, and how their names end."""

_WORKING_SIDE = 512  # pictures are reduced to this: enough for a small digit on a page
_LUMA = np.array([0.299, 0.587, 0.114])
_OPAQUE = 0.98
_CARD = 0.85  # of its convex hull is filled; less is ink
_CARD_CONTRAST = 40  # levels, of what is written on a card


def decode(data: bytes, shown: str) -> list[np.ndarray]:
    """Ways to see a picture as one channel, the usual one first: its grey levels, then its colours.

    Args:
        data: a file of one of `FORMATS`; of several pictures in it the first counts.
        shown: what messages call it.

    Returns:
        float64 (H, W) each, 0 to 255 or, for colours, a little more.

    Raises:
        UserError: the file is broken or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.draft(None, (2 * _WORKING_SIDE, 2 * _WORKING_SIDE))  # large JPEGs faster
            small = _reduced(_in_eight_bits(image))
    except Image.DecompressionBombError:
        raise UserError(
            f"'{shown}' has more than {MAX_PIXELS // 10**6} million pixels, "
            "so make the picture smaller."
        ) from None
    except MemoryError:
        raise
    except Exception:  # broken files make Pillow raise a dozen kinds of errors
        raise UserError(
            f"'{shown}' cannot be read as a picture, so save it again as .png or .jpg."
        ) from None
    if small.mode == "L":
        return [np.asarray(small, float)]
    pixels = np.asarray(small, float)
    colours = pixels[..., :3]
    if small.mode == "RGBA":
        colours = _laid_down(colours, pixels[..., 3] / 255)
    return [colours @ _LUMA, _along_the_colours(colours)]


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel in 8, whether it uses all 16 or, as some do, fewer.

    Likewise one of fractions, which mostly go up to 1.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    levels = np.nan_to_num(np.asarray(image, float), posinf=0, neginf=0)
    most = float(levels.max(initial=0))
    if image.mode == "F" and most <= 1:
        full = 1
    else:
        full = next((2**bits - 1 for bits in (8, 10, 12, 14) if most < 2**bits), 2**16 - 1)
    return Image.fromarray((255 / full * levels).clip(0, 255).astype(np.uint8))


def _reduced(image: Image.Image) -> Image.Image:
    """Upright, in mode L, RGB or RGBA, and at most `_WORKING_SIDE` large."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode in ("1", "LA") else "RGB")
    image.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    return ImageOps.exif_transpose(image)


def _laid_down(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A picture with transparent parts (H, W, 3), laid on a ground (H, W: its opacity).

    A card, which has something written on it, lies on a ground of its own colour; ink alone on one
    that is as different from it as possible.
    """
    opaque = alpha >= _OPAQUE
    if opaque.all():
        return colours
    if _is_card(opaque, colours @ _LUMA):
        ground = np.median(colours[opaque], axis=0)
    else:
        mean = (colours @ _LUMA * alpha).sum() / max(alpha.sum(), 1e-9)
        ground = np.full(3, 0.0 if mean > 127 else 255.0)
    return ground + alpha[..., None] * (colours - ground)


def _is_card(opaque: np.ndarray, levels: np.ndarray) -> bool:
    """Whether what is opaque is a card with something on it, rather than ink."""
    from skimage.measure import regionprops  # slow to import, and few pictures need it

    if opaque.sum() < 3:
        return False
    low, high = np.percentile(levels[opaque], (1, 99))
    return (
        high - low >= _CARD_CONTRAST and regionprops(opaque.astype(np.uint8))[0].solidity >= _CARD
    )


def _along_the_colours(colours: np.ndarray) -> np.ndarray:
    """How far each colour (H, W, 3) lies along the direction in which the colours differ most."""
    centred = colours - colours.mean(axis=(0, 1))
    _, axes = np.linalg.eigh(np.einsum("ijk,ijl->kl", centred, centred))
    along = centred @ axes[:, -1]
    return along - along.min()
