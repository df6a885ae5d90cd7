"""From data space to latent space and back.

Every lift leaves a particle's data coordinates as its first ``d_x`` latent coordinates, so that
the inverse is a truncation and a completion can be watched forming.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddeq.model.operator import mlp


class CouplingLift(nn.Module):
    """The paper's: pad with zeros to ``d``, then ``u2 <- u2 exp(s(u1)) + t(u1)`` on the halves.

    As ``u2`` is zero when lifting, ``s`` multiplies nothing and gets no gradient: what this layer
    learns is ``t`` alone.

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


class LinearLift(nn.Module):
    """``p -> (p, W p + b)``: an affine map whose inverse is exactly the truncation."""

    def __init__(self, data_dim: int, latent_dim: int) -> None:
        super().__init__()
        self.data_dim = data_dim
        self.rest = nn.Linear(data_dim, latent_dim - data_dim)

    def forward(self, points: Tensor) -> Tensor:
        """``(B, N, d_x) -> (B, N, d)``."""
        return torch.cat([points, self.rest(points)], dim=-1)

    def inverse(self, z: Tensor) -> Tensor:
        """``(B, N, d) -> (B, N, d_x)``."""
        return z[..., : self.data_dim]


class MLPLift(nn.Module):
    """``p -> (p, MLP(p))``: all other coordinates are learned features of the position."""

    def __init__(self, data_dim: int, latent_dim: int, hidden: int = 64) -> None:
        super().__init__()
        self.data_dim = data_dim
        self.rest = mlp(data_dim, hidden, latent_dim - data_dim)

    def forward(self, points: Tensor) -> Tensor:
        """``(B, N, d_x) -> (B, N, d)``."""
        return torch.cat([points, self.rest(points)], dim=-1)

    def inverse(self, z: Tensor) -> Tensor:
        """``(B, N, d) -> (B, N, d_x)``."""
        return z[..., : self.data_dim]


class NoLift(nn.Module):
    """Particles are points of the data space and flow there."""

    def __init__(self, data_dim: int, latent_dim: int) -> None:
        super().__init__()
        if latent_dim != data_dim:
            raise ValueError("Without a lift particles have the dimension of the data.")

    def forward(self, points: Tensor) -> Tensor:
        """As they are, ``(B, N, d_x)``."""
        return points

    def inverse(self, z: Tensor) -> Tensor:
        """As they are, ``(B, N, d_x)``."""
        return z


LIFTS = {"none": NoLift, "coupling": CouplingLift, "linear": LinearLift, "mlp": MLPLift}
