"""The function that tells ``mu`` from ``F(mu)`` best: the witness of their MMD."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ddeq.run.projection import Projection
from ddeq.solve.kernels import Radial, squared_distances


def witness(at: Tensor, particles: Tensor, image: Tensor, kernel: Radial) -> Tensor:
    """``f(y) = E k(y, z) - E k(y, F(z))`` at ``at (P, d)``, unnormalised, ``(P,)``.

    Its mean over the particles ``(N, d)`` less that over the image ``(M, d)`` is ``MMD^2``, and
    particles that follow the flow with ``F`` held fixed go where it falls.

    Source: Gretton et al. 2012, section 2.3, https://jmlr.org/papers/v13/gretton12a.html.
    """
    return _potential(at, particles, kernel) - _potential(at, image, kernel)


def _potential(at: Tensor, points: Tensor, kernel: Radial) -> Tensor:
    return kernel.value(squared_distances(at[None], points[None])).mean(2)[0]  # (P,)


@dataclass(frozen=True)
class Plane:
    """The witness function on a plane, and the particles projected onto it.

    Attributes:
        x, y: ``(G,)``, coordinates along the plane's axes.
        values: ``(G, G)``, at ``y[row], x[column]``.
        particles, image: ``(N, 2)``.
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    particles: np.ndarray
    image: np.ndarray


def on_plane(
    particles: np.ndarray,
    image: np.ndarray,
    kernel: Radial,
    projection: Projection,
    window: tuple[np.ndarray, np.ndarray],
    count: int = 81,
) -> Plane:
    """The witness function on the plane through the middle of particles and image.

    Args:
        particles, image: ``(N, d)``, of one step.
        kernel: of the MMD.
        projection: onto the two axes that span the plane, and perhaps more.
        window: lowest and highest corner ``(2,)`` in the projection's coordinates.
        count: of grid points along each axis.
    """
    axes = projection.axes[:2]  # (2, d)
    middle = np.concatenate([particles, image]).mean(0)  # (d,)
    flat = {name: projection(a)[:, :2] for name, a in (("z", particles), ("F", image))}
    x, y = (np.linspace(window[0][k], window[1][k], count) for k in (0, 1))
    across = np.stack(np.meshgrid(x, y), -1) - projection(middle)[:2]  # (G, G, 2)
    at = middle + across.reshape(-1, 2) @ axes  # (G G, d)
    y_at, z, f = (torch.from_numpy(np.asarray(a, np.float64)) for a in (at, particles, image))
    values = witness(y_at, z, f, kernel).numpy().reshape(count, count)
    return Plane(x, y, values, flat["z"], flat["F"])


def window_of(clouds: np.ndarray, projection: Projection) -> tuple[np.ndarray, np.ndarray]:
    """A window around all points ``(..., d)`` with a margin: two corners ``(2,)``."""
    flat = projection(clouds)[..., :2].reshape(-1, 2)
    flat = flat[np.isfinite(flat).all(1)]
    low, high = flat.min(0), flat.max(0)
    margin = 0.15 * np.maximum(high - low, 1e-6).max()
    return low - margin, high + margin
