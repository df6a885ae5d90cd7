"""Many clouds of different sizes in one flat tensor, drawn from in padded batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Standardised clouds ``x (B, M, d)`` with their ``mask (B, M)`` and ``labels (B,)``."""

    x: Tensor
    mask: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(self.x.to(device), self.mask.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training cloud, in its own units (pixels, for digits).

    Attributes:
        rotation: standard deviation of the angle in degrees.
        shear: standard deviation of the horizontal shear.
        jitter: standard deviation of the noise on every point.
    """

    rotation: float = 0.0
    shear: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True)
class PackedClouds:
    """Labelled clouds, one after the other.

    Attributes:
        points: ``(sum of M_k, d)`` float32.
        starts: ``(K + 1,)`` int64, where each cloud begins.
        labels: ``(K,)`` int64.
    """

    points: Tensor
    starts: Tensor
    labels: Tensor

    @classmethod
    def of(cls, clouds: Sequence[np.ndarray], labels: np.ndarray) -> PackedClouds:
        """Pack ``K`` clouds ``(M_k, d)`` with their labels ``(K,)``."""
        sizes = torch.tensor([0, *(len(cloud) for cloud in clouds)])
        points = torch.from_numpy(np.concatenate(clouds).astype(np.float32))
        return cls(points, sizes.cumsum(0), torch.from_numpy(np.asarray(labels, np.int64)))

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self,
        index: Tensor,
        limit: int,
        generator: torch.Generator,
        augmentation: Augmentation | None = None,
    ) -> Batch:
        """The clouds ``index (B,)``, each thinned at random to ``limit`` points, standardised."""
        sizes = self.starts[index + 1] - self.starts[index]  # (B,)
        longest = int(sizes.max())
        valid = torch.arange(longest) < sizes[:, None]  # (B, longest)
        # Random keys, padding last: the first `limit` of the order are a uniform sample.
        keys = torch.rand(valid.shape, generator=generator).masked_fill(~valid, 2.0)
        keep = keys.argsort(1)[:, : min(limit, longest)]  # (B, M)
        mask = valid.gather(1, keep)  # (B, M)
        x = self.points[(self.starts[index, None] + keep).clamp(max=len(self.points) - 1)]
        if augmentation is not None:
            x = augmented(x, augmentation, generator)
        return Batch(standardised(x, mask), mask, self.labels[index])


def augmented(x: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Rotate, shear and jitter 2-D clouds ``(B, M, 2)``, each by its own draw."""
    angle, shear = torch.randn(2, len(x), generator=generator)  # (B,) each
    angle = angle * math.radians(how.rotation)
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)  # (B, 2, 2)
    turn[:, :, 1] += how.shear * shear[:, None] * turn[:, :, 0]
    return x @ turn.transpose(1, 2) + how.jitter * torch.randn(x.shape, generator=generator)


def standardised(x: Tensor, mask: Tensor, isotropic: bool = False) -> Tensor:
    """Centre clouds ``(B, M, d)`` and scale each coordinate to unit standard deviation.

    With ``isotropic`` all coordinates are scaled alike, to unit variance on average, so that an
    object keeps its proportions.
    """
    return standardised_by(x, mask, mask, isotropic)


def standardised_by(x: Tensor, mask: Tensor, part: Tensor, isotropic: bool = False) -> Tensor:
    """Move and scale clouds ``(B, M, d)`` so that the points of ``part (B, M)`` are standard."""
    weight = (part / part.sum(1, keepdim=True))[..., None]  # (B, M, 1)
    centred = x - (weight * x).sum(1, keepdim=True)
    variance = (weight * centred.square()).sum(1, keepdim=True)  # (B, 1, d)
    if isotropic:
        variance = variance.mean(2, keepdim=True)
    return (centred / variance.sqrt().clamp_min(1e-6)).masked_fill(~mask[..., None], 0.0)
