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


def nearest_other(z: Tensor) -> Tensor:
    """Distance of each particle of ``z (B, N, d)`` to the nearest other one, ``(B, N)``.

    Infinite for a particle alone. Differentiable, with derivative 0 where two particles meet.
    """
    square = (z[:, :, None] - z[:, None]).square().sum(3)  # (B, N, N)
    itself = torch.eye(z.shape[1], dtype=torch.bool, device=z.device)
    nearest = square.masked_fill(itself, torch.inf).amin(2)  # (B, N)
    positive = nearest > 0
    return torch.where(positive, torch.where(positive, nearest, 1.0).sqrt(), 0.0)


DISTINCT = 0.05  # of the spread at N(0, I): closer particles count as one


def distinct_particles(z: Tensor, mask: Tensor | None = None) -> Tensor:
    """How many different particles a cloud has, ``(B,)`` int.

    Particles count as one if a chain of particles joins them whose links are shorter than 5 % of
    the typical distance of a standard normal particle from its centre, ``sqrt(d)``. A spread says
    how far particles are from their centre, and two heaps are far from it, too.

    Args:
        z: ``(B, N, d)``.
        mask: ``(B, N)`` bool, True where valid; None if all are.
    """
    near = torch.cdist(z, z) < DISTINCT * z.shape[2] ** 0.5  # (B, N, N)
    if mask is not None:
        near = near & mask[:, :, None] & mask[:, None]
    near = near | torch.eye(z.shape[1], dtype=torch.bool, device=z.device)
    for _ in range(max(1, (z.shape[1] - 1).bit_length())):  # paths of twice the length each time
        near = (near.to(z.dtype) @ near.to(z.dtype)) > 0
    first = near.to(torch.int8).argmax(2)  # (B, N), the first of a particle's heap
    is_first = first == torch.arange(z.shape[1], device=z.device)
    if mask is not None:
        is_first = is_first & mask
    return is_first.sum(1)
