"""Inputs that no classifier of ours has a class for, or that lie the wrong way: what is unlike.

Each kind is a function from a generator of random numbers to points ``(M, d)``, of objects in space
or as the pixels of a picture of a digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ddeq.input.formats.axes import UP_AXES, turn_back
from ddeq.input.images import pixel_cloud, strokes_to_cloud, to_mnist

Draw = Callable[[np.random.Generator], np.ndarray]

POINTS = 1024  # of an object

LETTERS = "ACDEFGHJKLMNPQRTUVWXYabcdefhjkmnprtuvwxy"
"""That are not written as any digit is."""

_LEAN = 12.0  # degrees, at most, of a letter
_STRETCH = 0.15  # standard deviation of the logarithm of a drawing's sides
_TURN = 0.15  # radians, standard deviation


def sphere(rng: np.random.Generator) -> np.ndarray:
    """Points of the unit sphere."""
    x = rng.normal(size=(POINTS, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def cube(rng: np.random.Generator) -> np.ndarray:
    """Points of the surface of a cube."""
    x = rng.uniform(-1, 1, (POINTS, 3))
    x[np.arange(POINTS), rng.integers(3, size=POINTS)] = rng.choice([-1.0, 1.0], POINTS)
    return x


def plane(rng: np.random.Generator) -> np.ndarray:
    """Points of a square sheet in any direction, a hundredth as thick as wide."""
    x = rng.uniform(-1, 1, (POINTS, 3)) * [1, 1, 0.01]
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return x @ turn


def noise(rng: np.random.Generator) -> np.ndarray:
    """Points in no shape: in a cube, or about one place."""
    if rng.random() < 0.5:
        return rng.uniform(-1, 1, (POINTS, 3))
    return rng.normal(size=(POINTS, 3))


def lying(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An upright object ``(M, 3)`` with another of its six axes up."""
    return turn_back(points, str(rng.choice([axis for axis in UP_AXES if axis != "z"])))


def letter(rng: np.random.Generator) -> np.ndarray:
    """A printed letter that leans a little."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (300, 300))
    font = ImageFont.load_default(size=160)
    drawn = str(rng.choice(list(LETTERS)))
    ImageDraw.Draw(picture).text((150, 150), drawn, fill=255, font=font, anchor="mm")
    leaning = picture.rotate(float(rng.uniform(-_LEAN, _LEAN)), Image.Resampling.BICUBIC)
    return pixel_cloud(to_mnist(np.asarray(leaning)))


def drawing(rng: np.random.Generator) -> np.ndarray:
    """A drawing of something else than a digit, turned and stretched a little."""
    strokes = DRAWINGS[str(rng.choice(list(DRAWINGS)))](rng)
    cos, sin = np.cos(angle := rng.normal(0, _TURN)), np.sin(angle)
    stretch = np.exp(rng.normal(0, _STRETCH, 2))
    strokes = [stroke @ [[cos, sin], [-sin, cos]] * stretch for stroke in strokes]
    low = np.min([stroke.min(0) for stroke in strokes], axis=0)
    side = max(float((stroke - low).max()) for stroke in strokes)
    return strokes_to_cloud([((stroke - low) / side).tolist() for stroke in strokes]).points


def _star(rng: np.random.Generator) -> list[np.ndarray]:
    angles = np.arange(6) * 4 * np.pi / 5
    return [np.stack([np.sin(angles), -np.cos(angles)], axis=1)]


def _heart(rng: np.random.Generator) -> list[np.ndarray]:
    t = np.linspace(0, 2 * np.pi, 60)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([16 * np.sin(t) ** 3, -y], axis=1)]


def _spiral(rng: np.random.Generator) -> list[np.ndarray]:
    t = np.linspace(0, 6 * np.pi, 120)
    return [np.stack([t * np.cos(t), t * np.sin(t)], axis=1)]


def _scribble(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.uniform(-1, 1, (12, 2))]


def _lines(*strokes: Sequence[tuple[float, float]]) -> Callable[..., list[np.ndarray]]:
    return lambda rng: [np.array(stroke, float) for stroke in strokes]


DRAWINGS: dict[str, Callable[[np.random.Generator], list[np.ndarray]]] = {
    "star": _star,
    "heart": _heart,
    "spiral": _spiral,
    "scribble": _scribble,
    "house": _lines([(0, 1), (0, 0.4), (0.5, 0), (1, 0.4), (1, 1), (0, 1)]),
    "grid": _lines(
        *([(k / 3, 0), (k / 3, 1)] for k in range(4)), *([(0, k / 3), (1, k / 3)] for k in range(4))
    ),
    "cross": _lines([(0, 0), (1, 1)], [(0, 1), (1, 0)]),
    "arrow": _lines([(0, 0.5), (1, 0.5)], [(0.7, 0.2), (1, 0.5), (0.7, 0.8)]),
}
"""Strokes ``(n, 2)``, y down."""

IN_SPACE: dict[str, Draw] = {"sphere": sphere, "cube": cube, "plane": plane, "noise": noise}
IN_THE_PLANE: dict[str, Draw] = {"letter": letter, "drawing": drawing}
