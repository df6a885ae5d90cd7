"""What happens to objects on their way into a file: turned, noisy, thin, in part, on a floor.

Each is a function of a cloud ``(M, 3)``, z up, and a generator of random numbers to the disturbed
cloud. Sizes are shares of the longest side of the cloud's box.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.spatial.transform import Rotation

from ddeq.input.formats.axes import UP_AXES, turn_back

Disturbance = Callable[[np.ndarray, np.random.Generator], np.ndarray]

NEAR, FAR = 1.5, 10.0  # boxes, in sides of the cloud's, that outliers lie in
OUTLIERS = 0.01  # of the points
REPEATED = 3  # times, the points on one side
FLOOR = 0.5  # points of a floor for each of the object, on a square of twice its width


def as_it_is(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Undisturbed."""
    return points


def turned(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """About z, by any angle."""
    return points @ Rotation.from_euler("z", rng.uniform(0, 2 * np.pi)).as_matrix().T


def any_axis_up(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a file of which one of the six axes points up."""
    return turn_back(points, str(rng.choice(UP_AXES)))


def leaning(points: np.ndarray, rng: np.random.Generator, degrees: float) -> np.ndarray:
    """By so much, to any side."""
    side = rng.uniform(0, 2 * np.pi)
    lean = np.radians(degrees) * np.array([np.cos(side), np.sin(side), 0])
    return points @ Rotation.from_rotvec(lean).as_matrix().T


def rescaled(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """By anything between a thousandth and a thousand."""
    return points * 10 ** rng.uniform(-3, 3)


def shifted(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to a thousand sides away."""
    return points + 1000 * side_of(points) * rng.uniform(-1, 1, 3)


def repeated(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The half of the points on one side several times."""
    along = points @ _direction(rng)
    return np.concatenate([points, *[points[along > np.median(along)]] * (REPEATED - 1)])


def outlying(points: np.ndarray, rng: np.random.Generator, boxes: float) -> np.ndarray:
    """A hundredth of the points anywhere in a box so much larger."""
    count = max(1, round(OUTLIERS * len(points)))
    low, high = points.min(0), points.max(0)
    anywhere = rng.uniform(-0.5, 0.5, (count, 3)) * boxes * side_of(points)
    out = points.copy()
    out[rng.choice(len(points), count, replace=False)] = (low + high) / 2 + anywhere
    return out


def noisy(points: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Each coordinate off by a normal error of this standard deviation."""
    return points + share * side_of(points) * rng.normal(size=points.shape)


def thinned(points: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """So many of the points."""
    return points[rng.permutation(len(points))[:count]]


def occluded(points: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Without this share of the points, those on one side."""
    along = points @ _direction(rng)
    return points[along <= np.quantile(along, 1 - share)]


def on_a_floor(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With a square of the floor that it stands on."""
    low, high = points.min(0), points.max(0)
    count = round(FLOOR * len(points))
    floor = np.zeros((count, 3))
    floor[:, :2] = (low + high)[:2] / 2 + rng.uniform(-1, 1, (count, 2)) * (high - low)[:2].max()
    floor[:, 2] = low[2]
    return np.concatenate([points, floor])


def side_of(points: np.ndarray) -> float:
    """The longest side of a cloud's box."""
    return float(np.ptp(points, axis=0).max())


def _direction(rng: np.random.Generator) -> np.ndarray:
    x = rng.normal(size=3)
    return x / np.linalg.norm(x)


CLEAN = "as it is"
DISTURBANCES: dict[str, Disturbance] = {
    CLEAN: as_it_is,
    "turned about z": turned,
    "any of six axes up": any_axis_up,
    "leaning 15 degrees": partial(leaning, degrees=15),
    "leaning 30 degrees": partial(leaning, degrees=30),
    "rescaled": rescaled,
    "shifted": shifted,
    "one side three times": repeated,
    "1 % near outliers": partial(outlying, boxes=NEAR),
    "1 % far outliers": partial(outlying, boxes=FAR),
    "noise of 1 %": partial(noisy, share=0.01),
    "noise of 2 %": partial(noisy, share=0.02),
    "noise of 5 %": partial(noisy, share=0.05),
    "300 points": partial(thinned, count=300),
    "100 points": partial(thinned, count=100),
    "30 points": partial(thinned, count=30),
    "a quarter missing": partial(occluded, share=0.25),
    "half missing": partial(occluded, share=0.5),
    "on a floor": on_a_floor,
}
