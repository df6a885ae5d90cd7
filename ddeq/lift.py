"""From data space to latent space and back: the paper's affine coupling layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddeq.operator import mlp


class CouplingLift(nn.Module):
    """Pad with zeros to ``d``, then ``u2 <- u2 exp(s(u1)) + t(u1)`` on the two halves.

    With this one layer the first half passes unchanged, so a particle's data coordinates are its
    first ``d_x`` latent coordinates, and the inverse is a truncation.

    Source: paper, section 4.2; coupling layers: https://arxiv.org/abs/1605.08803.
    """

    def __init__(self, data_dim: int, latent_dim: int, hidden: int = 64) -> None:
        super().__init__()
        self.data_dim = data_dim
        self.latent_dim = latent_dim
        half = latent_dim // 2
        self.scale = mlp(half, hidden, half)
        self.shift = mlp(half, hidden, half)

    def forward(self, points: Tensor) -> Tensor:
        """``(B, N, d_x) -> (B, N, d)``."""
        padded = nn.functional.pad(points, (0, self.latent_dim - self.data_dim))
        u1, u2 = padded.chunk(2, dim=-1)  # (B, N, d/2) each
        return torch.cat([u1, u2 * self.scale(u1).exp() + self.shift(u1)], dim=-1)

    def inverse(self, z: Tensor) -> Tensor:
        """``(B, N, d) -> (B, N, d_x)``."""
        u1, u2 = z.chunk(2, dim=-1)
        u2 = (u2 - self.shift(u1)) * (-self.scale(u1)).exp()
        return torch.cat([u1, u2], dim=-1)[..., : self.data_dim]
