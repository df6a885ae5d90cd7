"""From one cloud of any size to the batch a model takes: thin, standardise, pad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_RANDOM_THINNING = 20_000  # farthest-point sampling costs points x limit; above this, thin first


@dataclass(frozen=True)
class Standardised:
    """A centred and scaled cloud that remembers where it came from."""

    points: np.ndarray
    """float32 (M, d), with mean 0 and standard deviation 1, see `standardise`."""
    centre: np.ndarray
    """float64 (d,)."""
    scale: np.ndarray
    """float64 (d,), population standard deviations; 1 where a coordinate is constant."""

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Map points (..., d) of the original's space to the standardised space."""
        return (points - self.centre) / self.scale

    def undo(self, points: np.ndarray) -> np.ndarray:
        """Map points (..., d) of the standardised space back to the space of the original."""
        return points * self.scale + self.centre


def isotropic(card: Mapping[str, Any]) -> bool:
    """Whether the model of this card takes clouds that keep their proportions."""
    return card.get("scaling") == "isotropic"


def standardise(points: np.ndarray, isotropic: bool = False) -> Standardised:
    """Centre a cloud (M, d) and scale each coordinate to unit standard deviation (population).

    A constant coordinate (a cloud on a line) has no scale: it is only centred and becomes 0. With
    `isotropic` all coordinates are scaled alike, to unit variance on average, so that an object
    keeps its proportions.
    """
    points = np.asarray(points, np.float64)
    centre = points.mean(axis=0)  # (d,)
    scale = points.std(axis=0)  # (d,)
    # Not scale == 0: summing a million equal numbers leaves a mean that is a little off.
    rounding = 8 * np.finfo(np.float64).eps * np.abs(points).max(axis=0)
    constant = np.ptp(points, axis=0) <= rounding
    centred = np.where(constant, 0.0, points - centre)  # (M, d)
    scale = np.where(constant, 1.0, scale)
    if isotropic:
        # Of a cloud that is all one point the scale stays 1.
        variance = np.where(constant, 0.0, scale**2).mean()
        scale = np.full_like(scale, np.sqrt(variance) if variance > 0 else 1.0)
    return Standardised((centred / scale).astype(np.float32), centre, scale)


def subsample(points: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """At most `limit` of the points (M, d), d in {2, 3}, spread evenly over the cloud.

    Farthest-point sampling (Open3D) from a random start; very large clouds are thinned at random
    first. A cloud within the limit is returned as it is, and the same generator state gives the
    same points. Repeated points are picked once.
    """
    if len(points) <= limit:
        return points
    import open3d as o3d  # slow to import, and most clouds are small

    if len(points) > _RANDOM_THINNING:
        points = points[rng.choice(len(points), max(limit, _RANDOM_THINNING), replace=False)]
    d = points.shape[1]
    in_space = np.pad(points, [(0, 0), (0, 3 - d)]).astype(np.float64)  # (M,3)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(in_space))
    picked = cloud.farthest_point_down_sample(limit, start_index=int(rng.integers(len(points))))
    return np.asarray(picked.points)[:, :d].astype(points.dtype)


def collate(clouds: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad clouds of different sizes into one batch.

    Args:
        clouds: B arrays (M_i, d).

    Returns:
        points float32 (B, M, d), zero where padded, and mask bool (B, M), true on real points;
        M is the largest M_i.
    """
    counts = torch.tensor([len(cloud) for cloud in clouds])  # (B,)
    mask = torch.arange(int(counts.max())) < counts[:, None]  # (B,M)
    points = torch.zeros(*mask.shape, clouds[0].shape[1])  # (B,M,d)
    points[mask] = torch.from_numpy(np.concatenate(clouds).astype(np.float32))  # (sum M_i,d)
    return points, mask
