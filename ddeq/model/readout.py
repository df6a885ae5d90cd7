"""From an equilibrium to class scores."""

from __future__ import annotations

from torch import Tensor, nn


class MaxReadout(nn.Module):
    """Maximum over particles per coordinate, then a linear layer (paper, section 4.1)."""

    def __init__(self, latent_dim: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent_dim, classes)

    def forward(self, z: Tensor, mask: Tensor | None = None) -> Tensor:
        """Class scores ``(B, classes)`` of ``z (B, N, d)``; ``mask (B, N)`` is True if valid."""
        if mask is not None:
            z = z.masked_fill(~mask[..., None], -float("inf"))
        return self.linear(z.amax(1))
