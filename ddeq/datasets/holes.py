"""Batches of clouds with holes in them, to learn completion from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.datasets.packed import Batch, standardised_by


@dataclass(frozen=True)
class Holes:
    """How clouds are cut: around points of their own, drawn at random.

    The paper's rule, for digits, is two holes of radius 0.6 (paper, section 4.2).

    Attributes:
        count: fewest and most holes of a cloud.
        radius: smallest and largest, in units of the standardised whole cloud.
    """

    count: tuple[int, int] = (2, 2)
    radius: tuple[float, float] = (0.6, 0.6)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", tuple(self.count))
        object.__setattr__(self, "radius", tuple(self.radius))

    def known(self, x: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
        """Which points remain, ``(B, M)`` bool.

        Args:
            x: standardised clouds ``(B, M, d)``.
            mask: ``(B, M)`` bool, True where valid.
            generator: for centres, counts and radii.
        """
        most = self.count[1]
        if most == 0:
            return mask
        centres = torch.multinomial(mask.float(), most, generator=generator)  # (B, most)
        centres = x.gather(1, centres[..., None].expand(-1, -1, x.shape[-1]))  # (B, most, d)
        low, high = self.radius
        radius = low + (high - low) * torch.rand(len(x), 1, most, generator=generator)
        holes = torch.randint(self.count[0], most + 1, (len(x), 1, 1), generator=generator)
        open_hole = torch.arange(most) < holes  # (B, 1, most)
        exact = "donot_use_mm_for_euclid_dist"
        inside = (torch.cdist(x, centres, compute_mode=exact) <= radius) & open_hole  # (B, M, most)
        return mask & ~inside.any(2)


@dataclass(frozen=True)
class Partial:
    """Clouds with holes, in units in which the *known* points are standardised.

    Whoever completes a cloud has only its known points to standardise by; to standardise by the
    whole cloud would give away where it continues.

    Attributes:
        known: ``(B, K, d)``, with ``known_mask (B, K)``.
        full: the whole clouds ``(B, M, d)``, with ``full_mask (B, M)``.
    """

    known: Tensor
    known_mask: Tensor
    full: Tensor
    full_mask: Tensor

    def to(self, device: torch.device | str) -> Partial:
        """The same batch on another device."""
        return Partial(*(t.to(device) for t in vars(self).values()))


def cut(batch: Batch, holes: Holes, generator: torch.Generator, least: int = 3) -> Partial:
    """Cut holes into standardised clouds; one that would keep fewer than ``least`` is spared."""
    kept = holes.known(batch.x, batch.mask, generator)  # (B, M)
    kept = torch.where((kept.sum(1) >= least)[:, None], kept, batch.mask)
    counts = kept.sum(1)  # (B,)
    order = kept.int().argsort(dim=1, descending=True, stable=True)[:, : int(counts.max())]
    known_mask = torch.arange(order.shape[1]) < counts[:, None]  # (B, K)
    full = standardised_by(batch.x, batch.mask, kept)
    known = full.gather(1, order[..., None].expand(-1, -1, full.shape[-1]))  # (B, K, d)
    return Partial(known.masked_fill(~known_mask[..., None], 0.0), known_mask, full, batch.mask)
