"""The squared maximum mean discrepancy (MMD) of two clouds, and its analytic gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from ddeq.solve.kernels.interface import Kernel, Radial
from ddeq.solve.kernels.pairs import squared_distances


def uniform_mass(points: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mass ``1/N`` on each of a cloud's ``N`` valid points, 0 on padding.

    Args:
        points: ``(B, N, d)``.
        mask: ``(B, N)`` bool, True where a point is valid; None if all are.

    Returns:
        ``(B, N)``, each row summing to 1.
    """
    if mask is None:
        return points.new_full(points.shape[:2], 1 / points.shape[1])
    valid = mask.to(points.dtype)
    return valid / valid.sum(1, keepdim=True)


@dataclass(frozen=True)
class Discrepancy:
    """``MMD^2(a, b)`` and its gradients in both measures' points.

    Attributes:
        mmd2: ``(B,)``.
        grad_a: ``(B, N, d)``, derivative of ``mmd2`` in the points of ``a``.
        grad_b: ``(B, M, d)``, derivative of ``mmd2`` in the points of ``b``.
        rounding: ``(B,)``, the error of ``mmd2``, which is 0 where it would be smaller.
    """

    mmd2: Tensor
    grad_a: Tensor
    grad_b: Tensor
    rounding: Tensor


def discrepancy(
    a: Tensor, b: Tensor, mass_a: Tensor, mass_b: Tensor, kernel: Kernel
) -> Discrepancy:
    """``MMD^2`` between two discrete measures (V-statistic) with analytic gradients.

    With both clouds stacked as points ``p_i`` of the signed measure ``c = (mass_a, -mass_b)``,
    ``MMD^2 = sum_ij c_i c_j k(p_i, p_j)`` and ``dMMD^2/dp_i = 2 c_i sum_j c_j w_ij (p_i - p_j)``.

    Args:
        a, b: points ``(B, N, d)`` and ``(B, M, d)``.
        mass_a, mass_b: ``(B, N)`` and ``(B, M)``, see :func:`uniform_mass`.
        kernel: the kernel of the MMD.

    Source: Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html; paper, section 2.
    """
    p = torch.cat([a, b], dim=1)  # (B, N+M, d)
    c = torch.cat([mass_a, -mass_b], dim=1)  # (B, N+M)
    mmd2, field, rounding = kernel.interaction(p, c)
    gradient = 2 * c[:, :, None] * field  # (B, N+M, d)
    return Discrepancy(mmd2, gradient[:, : a.shape[1]], gradient[:, a.shape[1] :], rounding)


class _WithGradient(torch.autograd.Function):
    """A value whose gradients in two arguments are known."""

    @staticmethod
    def forward(
        ctx: Any, value: Tensor, grad_a: Tensor, grad_b: Tensor, a: Tensor, b: Tensor
    ) -> Tensor:
        ctx.save_for_backward(grad_a, grad_b)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[None, None, None, Tensor, Tensor]:
        grad_a, grad_b = ctx.saved_tensors
        return None, None, None, g[:, None, None] * grad_a, g[:, None, None] * grad_b


def mmd2_loss(a: Tensor, b: Tensor, mass_a: Tensor, mass_b: Tensor, kernel: Kernel) -> Tensor:
    """``MMD^2`` as a term of a loss, ``(B,)``: :func:`discrepancy`, differentiable once.

    Unlike :func:`mmd2` it keeps no graph of the pairs, which saves memory and time.

    Args:
        a, b: points ``(B, N, d)`` and ``(B, M, d)``.
        mass_a, mass_b: ``(B, N)`` and ``(B, M)``, see :func:`uniform_mass`.
        kernel: the kernel of the MMD.
    """
    d = discrepancy(a.detach(), b.detach(), mass_a, mass_b, kernel)
    loss = _WithGradient.apply(d.mmd2, d.grad_a, d.grad_b, a, b)  # type: ignore[no-untyped-call]
    return cast(Tensor, loss)


def _product(a: Tensor, k: Tensor, c: Tensor) -> Tensor:
    """``sum_ij a_i k_ij c_j`` of each cloud: ``(B, R), (B, R, P), (B, P) -> (B,)``.

    Summed in double precision, as near a fixed point almost all of it cancels.
    """
    product = a.double()[:, None, :] @ k.double() @ c.double()[:, :, None]  # (B, 1, 1)
    return product.flatten().to(k)


def mmd2(
    a: Tensor,
    b: Tensor,
    kernel: Radial,
    mask_a: Tensor | None = None,
    mask_b: Tensor | None = None,
) -> Tensor:
    """``MMD^2`` between uniform measures on two clouds, differentiable by autograd.

    Args:
        a, b: points ``(B, N, d)`` and ``(B, M, d)``.
        kernel: the kernel of the MMD.
        mask_a, mask_b: ``(B, N)`` and ``(B, M)`` bool, True where valid; None if all are.

    Returns:
        ``(B,)``.
    """
    c_a, c_b = uniform_mass(a, mask_a), uniform_mass(b, mask_b)
    c = torch.cat([c_a, -c_b], dim=1)
    p = torch.cat([a, b], dim=1)
    d2 = squared_distances(p, p)
    # Pairs at distance 0 carry no gradient; without the detour sqrt-like kernels make it nan.
    apart = d2 > 0
    at_zero = kernel.value(torch.zeros_like(d2))
    value = torch.where(apart, kernel.value(torch.where(apart, d2, 1.0)), at_zero)
    return _product(c, value, c)
