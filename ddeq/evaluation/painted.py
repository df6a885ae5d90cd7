"""Pictures of digits as people take them: on a table, framed, on ruled paper, by a thick marker.

Each function takes a digit of MNIST ``(28, 28)`` and gives a file, as a phone or a program would
save it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

WHITE, BLACK = 245, 20
_NOISE = 3.0  # grey levels, standard deviation


def encode(picture: np.ndarray | Image.Image, kind: str = "PNG") -> bytes:
    """A file of Pillow's format of this name."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def written(
    image: np.ndarray, side: int, size: tuple[int, int], at: tuple[int, int] | None = None
) -> np.ndarray:
    """Ink ``(H, W)``, 0 to 1, of a digit of that side on a sheet of that size, in its middle."""
    ink = np.zeros(size)
    top, left = at or ((size[0] - side) // 2, (size[1] - side) // 2)
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink[top : top + side, left : left + side] = np.asarray(large) / 255
    return ink


def in_grey(ink: np.ndarray, paper: int = WHITE, pen: int = BLACK) -> np.ndarray:
    """Grey levels of ink on paper, uint8."""
    return (paper + (pen - paper) * ink).astype(np.uint8)


def in_colours(ink: np.ndarray, paper: Colour, pen: Colour) -> np.ndarray:
    """Colours of ink on paper, uint8 ``(H, W, 3)``."""
    return (np.array(paper) + (np.array(pen) - paper) * ink[..., None]).astype(np.uint8)


def noisy(levels: np.ndarray, deviation: float = _NOISE) -> np.ndarray:
    """With the noise of a camera, the same for the same picture."""
    grain = np.random.default_rng(int(levels.sum())).normal(0, deviation, levels.shape[:2])
    return (levels + grain).clip(0, 255).astype(np.uint8)


def on_paper(image: np.ndarray) -> bytes:
    """Dark on bright, nothing around it."""
    return encode(in_grey(written(image, 280, (280, 280))))


def on_a_table(image: np.ndarray, table: int = 40, lean: float = 0) -> bytes:
    """On a card on a darker table, leaning by so many degrees."""
    card = Image.fromarray(in_grey(written(image, 200, (330, 420)), 225, 30))
    picture = Image.new("L", (800, 600), table)
    picture.paste(card.rotate(lean, Image.Resampling.BICUBIC, expand=True, fillcolor=table), (9, 9))
    return encode(noisy(np.asarray(picture)), "JPEG")


def framed(
    image: np.ndarray,
    side: int = 240,
    at: tuple[int, int] | None = None,
    box: tuple[int, int, int, int] = (10, 10, 389, 389),
    shape: str = "rectangle",
) -> bytes:
    """With a box or an ellipse drawn around it."""
    picture = Image.fromarray(in_grey(written(image, side, (400, 400), at)))
    getattr(ImageDraw.Draw(picture), shape)(box, outline=BLACK, width=4)
    return encode(picture)


def on_a_card(image: np.ndarray, paper: Colour = (255, 255, 255), pen: Colour = (0, 0, 0)) -> bytes:
    """On an opaque card with a transparent margin."""
    levels = np.zeros((400, 400, 4), np.uint8)
    levels[60:340, 60:340, :3] = in_colours(written(image, 240, (280, 280)), paper, pen)
    levels[60:340, 60:340, 3] = 255
    return encode(levels)


def ruled(
    image: np.ndarray,
    line: Colour = (150, 170, 230),
    step: int = 32,
    lean: float = 0.0,
    squared: bool = False,
) -> bytes:
    """On ruled or squared paper."""
    picture = Image.new("RGB", (700, 700), (250, 250, 245))
    for at in range(-300, 1000, step):
        ImageDraw.Draw(picture).line((-100, at, 800, at), fill=line, width=2)
        if squared:
            ImageDraw.Draw(picture).line((at, -100, at, 800), fill=line, width=2)
    picture = picture.rotate(lean, Image.Resampling.BICUBIC).crop((80, 80, 620, 620))
    ink = written(image, 280, (540, 540))[..., None]
    return encode((np.asarray(picture) * (1 - ink) + 40 * ink).astype(np.uint8), "JPEG")


def with_a_marker(image: np.ndarray) -> bytes:
    """By a pen several times as thick."""
    thick = Image.fromarray(np.pad(image, 4)).filter(ImageFilter.MaxFilter(5))
    return encode(in_grey(written(np.asarray(thick), 280, (280, 280))))


def in_few_bits(image: np.ndarray, factor: int = 1) -> bytes:
    """In 16 bits a pixel, of which only the lowest ones are used."""
    levels = in_grey(written(image, 280, (280, 280)), 255, 0)
    return encode(levels.astype(np.uint16) * factor)


def equally_bright(
    image: np.ndarray, paper: Colour = (200, 0, 0), pen: Colour = (0, 102, 0)
) -> bytes:
    """In ink of another colour than the paper's, but as bright."""
    return encode(in_colours(written(image, 280, (280, 280)), paper, pen))


PICTURES: dict[str, Callable[[np.ndarray], bytes]] = {
    "dark on bright": on_paper,
    "on a dark table": on_a_table,
    "on a table, leaning": partial(on_a_table, lean=10),
    "in a frame": framed,
    "on a card with a transparent margin": on_a_card,
    "on ruled paper": ruled,
    "on squared paper": partial(ruled, step=26, squared=True),
    "by a thick marker": with_a_marker,
    "8 bits in 16": in_few_bits,
    "ink as bright as its paper": equally_bright,
}
