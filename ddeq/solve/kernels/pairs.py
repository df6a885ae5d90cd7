"""Sums over pairs of points whose differences may cancel."""

from __future__ import annotations

import torch
from torch import Tensor

EXACT_UP_TO = 128
"""Up to so many points those that almost coincide are told apart as well as single precision tells
them, which costs little; above it, sums over pairs are worth matrix products that cancel."""


FLAT = 4
"""Up to so many dimensions differences cost less than products, and tell all distances apart."""


def squared_distances(u: Tensor, v: Tensor) -> Tensor:
    """Squared Euclidean distances, ``(B, N, d), (B, M, d) -> (B, N, M)``."""
    if u.requires_grad or v.requires_grad:
        return (
            (u[:, :, None, :] - v[:, None, :, :]).square().sum(-1)
        )  # cdist is once differentiable
    if max(u.shape[1], v.shape[1]) > EXACT_UP_TO and u.shape[2] <= FLAT:
        return _by_coordinates(u, v)
    if max(u.shape[1], v.shape[1]) <= EXACT_UP_TO:
        return torch.cdist(u, v, compute_mode="donot_use_mm_for_euclid_dist").square()
    u64, v64 = u.double(), v.double()
    of_u = u64.square().sum(2, keepdim=True)  # (B, N, 1)
    of_v = v64.square().sum(2)[:, None, :]  # (B, 1, M)
    d2 = torch.baddbmm(of_u + of_v, u64, v64.transpose(1, 2), alpha=-2)  # |u|^2 + |v|^2 - 2 u v
    # What is left of a distance 0 must be 0: kernels are steep there.
    small = 1e-12 * (of_u.amax(1, keepdim=True) + of_v.amax(2, keepdim=True))
    return d2.masked_fill_(d2 <= small, 0.0).to(u)


def _by_coordinates(u: Tensor, v: Tensor) -> Tensor:
    """:func:`squared_distances`, one coordinate after the other."""
    d2 = torch.zeros(u.shape[0], u.shape[1], v.shape[1], dtype=u.dtype, device=u.device)
    apart = torch.empty_like(d2)
    coordinates = (t.mT.contiguous().unbind(1) for t in (u, v))
    for a, b in zip(*coordinates, strict=True):
        torch.sub(a[:, :, None], b[:, None, :], out=apart)
        d2.addcmul_(apart, apart)
    return d2


def differences(weight: Tensor, coincide: Tensor, u: Tensor, p: Tensor) -> Tensor:
    """``sum_j w_ij (u_i - p_j)``: ``(B, R, n), (B, R, n), (B, R, d), (B, n, d) -> (B, R, d)``.

    Pairs that ``coincide`` are left out.

    Summed as ``(sum_j w_ij) u_i - sum_j w_ij p_j``, which needs no memory for all differences, but
    cancels for a steep kernel whose points almost coincide. Of few points it is taken in double
    precision, where it is as good as differences in single precision.
    """
    if not weight.requires_grad:  # what cancels wholly had better not be there at all
        weight = weight.masked_fill_(coincide, 0.0)
    a, b = u, p
    if p.shape[1] <= EXACT_UP_TO:
        weight, a = weight.double(), u.double()
        b = a if u is p else p.double()
    elif not weight.requires_grad:
        b = p.mT.contiguous().mT  # as products with few columns are fast
    # In one tensor, as making another of this size takes longer than the sums.
    return (weight.sum(2, keepdim=True) * a).baddbmm_(weight, b, alpha=-1).to(u)


def centred(p: Tensor, c: Tensor) -> Tensor:
    """Points ``(B, n, d)`` about their mean by ``|c| (B, n)``.

    Nothing that kernels say depends on the origin, and near it less cancels.
    """
    size = c.abs()
    return p - (size / size.sum(1, keepdim=True))[:, None, :] @ p
