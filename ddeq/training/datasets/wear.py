"""What sensors do to a view of an object: stripes that they miss, noise, too few points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Wear:
    """How often, and how much; each is drawn for itself.

    Attributes:
        striped, noisy, thinned: the share of clouds that it befalls, 0 to 1.
        stripe_share: smallest and largest share of a cloud's extent that its stripes cover.
        noise: standard deviation in each direction, in longest sides of the cloud's box.
        thin: the share of the known points that stays.
    """

    striped: float = 0.0
    noisy: float = 0.0
    thinned: float = 0.0
    stripe_share: tuple[float, float] = (0.15, 0.35)
    noise: float = 0.01
    thin: float = 0.5

    def unstriped(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Which points ``(M, d)`` no stripe hides, bool ``(M,)``.

        Two to five stripes of one width, in one direction, as something in front of a sensor or a
        line of it that fails leaves them.
        """
        if not self.striped or rng.random() >= self.striped:
            return np.ones(len(points), bool)
        direction = rng.normal(size=points.shape[1])
        along = points @ (direction / np.linalg.norm(direction))
        extent = np.ptp(along)
        position = (along - along.min()) / (extent if extent > 0 else 1.0)  # 0 to 1
        stripes, phase = rng.integers(2, 6), rng.random()
        return (position * stripes + phase) % 1 >= rng.uniform(*self.stripe_share)

    def sensed(
        self, x: Tensor, mask: Tensor, kept: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Noise on known points, and without those that are thinned out: they are in no cloud.

        Args:
            x: clouds ``(B, M, d)``.
            mask: ``(B, M)`` bool, True where valid.
            kept: ``(B, M)`` bool, which points are known.
            generator: draws which clouds, which points, and the noise.

        Returns:
            As ``x`` and ``mask``.
        """
        if self.noisy:
            noisy = torch.rand(len(x), 1, generator=generator) < self.noisy  # (B, 1)
            low = x.masked_fill(~mask[..., None], torch.inf).amin(1)  # (B, d)
            high = x.masked_fill(~mask[..., None], -torch.inf).amax(1)
            size = self.noise * (high - low).amax(1)[:, None] * noisy  # (B, 1)
            moved = torch.randn(x.shape, generator=generator) * size[..., None]
            x = x + moved * kept[..., None]
        if self.thinned:
            thinned = torch.rand(len(x), 1, generator=generator) < self.thinned  # (B, 1)
            lost = torch.rand(mask.shape, generator=generator) >= self.thin
            mask = mask & ~(kept & lost & thinned)
        return x, mask
