"""What a seed becomes: random numbers of its own, the same on every device and in every batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def seeded(seeds: Sequence[int]) -> list[torch.Generator]:
    """One CPU generator for each seed."""
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def shaking(seeds: Sequence[int]) -> list[torch.Generator]:
    """Generators for a solve's noise: other streams, so that it does not repeat the start."""
    return seeded([seed + 2**31 for seed in seeds])


def seed_of(seed: int, number: int) -> int:
    """The seed of item ``number`` of many, so that no result depends on the batch an item is in.

    Two seeds share no item's seed below a million items.
    """
    return seed * 1_000_003 + int(number)


def initial_particles(
    generators: Sequence[torch.Generator], particles: int, latent_dim: int
) -> Tensor:
    """``z_0 ~ N(0, I)``, ``(B, N, d)`` float32 on the CPU, one generator a cloud.

    Drawn on the CPU so that a seed means the same start on every device, and per cloud so that it
    means the same in every batch.
    """
    return torch.stack([torch.randn(particles, latent_dim, generator=g) for g in generators])
