"""Numbers about particles."""

from __future__ import annotations

import torch
from torch import Tensor


def spread(z: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean distance of a cloud's particles from their centre.

    Zero exactly when all particles have collapsed to one point, an equilibrium that says less than
    its small objective suggests.

    Args:
        z: ``(B, N, d)``.
        mask: ``(B, N)`` bool, True where valid; None if all are.

    Returns:
        ``(B,)``, in the units of ``z``.
    """
    valid = torch.ones_like(z[..., 0]) if mask is None else mask.to(z.dtype)  # (B, N)
    mass = (valid / valid.sum(1, keepdim=True))[..., None]  # (B, N, 1)
    centre = (mass * z).sum(1, keepdim=True)  # (B, 1, d)
    return (mass[..., 0] * (z - centre).norm(dim=-1)).sum(1)
