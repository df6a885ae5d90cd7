"""Kernels and the squared maximum mean discrepancy (MMD) with its analytic gradient.

Every kernel here depends on its two points through their squared distance only, so it is two
scalar functions: its value, and its *slope* ``w`` with ``dk(u, v)/du = w (u - v)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve import sliced

# Up to this many points particles that almost coincide are told apart as well as single precision
# tells them, which costs little; above it, sums over pairs are worth matrix products that cancel.
_EXACT_UP_TO = 128

# Pairs are met in blocks of so many points with all: small enough for the processor's cache, and
# memory grows with the points and not with their square.
_ROWS = 256


class Kernel(Protocol):
    """A radial kernel ``k(u, v)`` of one sign, given by functions of the squared distance."""

    def value(self, squared_distance: Tensor) -> Tensor:
        """``k`` at these squared distances (any shape)."""

    def slope(self, squared_distance: Tensor) -> Tensor:
        """``w`` with ``dk/du = w (u - v)``, at these squared distances (any shape)."""


@dataclass(frozen=True)
class Riesz:
    """``k(u, v) = -(|u - v|^2 + eps^2)^(r/2)``; ``r = 1, eps = 0`` is the energy distance.

    Args:
        r: exponent, ``0 < r < 2``.
        eps: smoothing length in the units of the points; 0 is the paper's kernel.
    """

    r: float = setting(
        1.0, 0.1, 1.9, "Exponent of the distance; 1 is the paper's, more softens the end."
    )
    eps: float = setting(
        0.0, 0, 10, "Smoothing length: closer than this, the pull fades instead of chattering."
    )

    def __post_init__(self) -> None:
        if not 0 < self.r < 2:
            raise ValueError(f"The Riesz exponent must lie between 0 and 2, not {self.r}.")
        if self.eps < 0:
            raise ValueError(f"The smoothing length must not be negative, not {self.eps}.")

    def value(self, squared_distance: Tensor) -> Tensor:
        return -(squared_distance + self.eps**2).pow(self.r / 2)

    def slope(self, squared_distance: Tensor) -> Tensor:
        if self.eps:
            return -self.r * (squared_distance + self.eps**2).pow(self.r / 2 - 1)
        # With a kink at u = v its derivative there is taken as 0 (a subgradient); the inner
        # `where` keeps infinities out of second derivatives.
        apart = squared_distance > 0
        safe = torch.where(apart, squared_distance, 1.0)
        return torch.where(apart, -self.r * safe.pow(self.r / 2 - 1), 0.0)


@dataclass(frozen=True)
class SlicedRiesz:
    """The energy distance, estimated on lines in fixed random directions, see ``solve.sliced``.

    Its cost grows as ``n log n`` with the particles, that of :class:`Riesz` as ``n^2``.

    Args:
        projections: number of lines; the error falls with its square root.
    """

    projections: int = setting(128, 1, 4096, "How many lines estimate a distance; more is exacter.")

    def value(self, squared_distance: Tensor) -> Tensor:
        return Riesz().value(squared_distance)

    def slope(self, squared_distance: Tensor) -> Tensor:
        return Riesz().slope(squared_distance)

    def interaction(self, p: Tensor, c: Tensor) -> Interaction:
        """See :func:`interaction`."""
        p = _centred(p, c)
        theta = sliced.directions(self.projections, p.shape[2])
        return Interaction(*sliced.interaction(p, c, theta))


@dataclass(frozen=True)
class Continued(Riesz):
    """The Riesz kernel, whose velocity is smoothed at first and less and less: ``eps -> 0``.

    Its value is that of the plain kernel, so the objective means the same at every step. At step
    ``k`` particles follow the velocity of ``Riesz(r, eps 2^(-k / fade))``, see :func:`kernel_at`.

    Source: Chen 2012 (smoothing methods), https://doi.org/10.1007/s10107-012-0569-0.

    Args:
        r: exponent, ``0 < r < 2``.
        eps: smoothing length of the first step, in the units of the points.
        fade: after this many steps the smoothing length has halved.
    """

    eps: float = setting(5.0, 0, 10, "Smoothing length of the first step; it fades from there.")
    fade: float = setting(10.0, 1, 1000, "After this many steps the smoothing length has halved.")

    def value(self, squared_distance: Tensor) -> Tensor:
        return Riesz(self.r).value(squared_distance)

    def slope(self, squared_distance: Tensor) -> Tensor:
        return Riesz(self.r).slope(squared_distance)


def kernel_at(kernel: Kernel, step: int) -> Kernel:
    """The kernel whose velocity is followed at a step (from 0): itself, unless it changes."""
    if isinstance(kernel, Continued):
        return Riesz(kernel.r, kernel.eps * 0.5 ** (step / kernel.fade))
    return kernel


@dataclass(frozen=True)
class Gaussian:
    """``k(u, v) = exp(-|u - v|^2 / (2 sigma^2))``.

    Args:
        sigma: bandwidth in the units of the points, positive.
    """

    sigma: float = setting(
        10.0, 0.1, 100, "Bandwidth: particles much further apart than this do not feel each other."
    )

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise ValueError(f"The bandwidth must be positive, not {self.sigma}.")

    def value(self, squared_distance: Tensor) -> Tensor:
        return torch.exp(-squared_distance / (2 * self.sigma**2))

    def slope(self, squared_distance: Tensor) -> Tensor:
        return -self.value(squared_distance) / self.sigma**2


def squared_distances(u: Tensor, v: Tensor) -> Tensor:
    """Squared Euclidean distances, ``(B, N, d), (B, M, d) -> (B, N, M)``."""
    if u.requires_grad or v.requires_grad:
        return (
            (u[:, :, None, :] - v[:, None, :, :]).square().sum(-1)
        )  # cdist is once differentiable
    if max(u.shape[1], v.shape[1]) <= _EXACT_UP_TO:
        return torch.cdist(u, v, compute_mode="donot_use_mm_for_euclid_dist").square()
    u64, v64 = u.double(), v.double()
    of_u = u64.square().sum(2, keepdim=True)  # (B, N, 1)
    of_v = v64.square().sum(2)[:, None, :]  # (B, 1, M)
    d2 = torch.baddbmm(of_u + of_v, u64, v64.transpose(1, 2), alpha=-2)  # |u|^2 + |v|^2 - 2 u v
    # What is left of a distance 0 must be 0: kernels are steep there.
    small = 1e-12 * (of_u.amax(1, keepdim=True) + of_v.amax(2, keepdim=True))
    return d2.masked_fill_(d2 <= small, 0.0).to(u)


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
    mmd2, field, rounding = interaction(p, c, kernel)
    gradient = 2 * c[:, :, None] * field  # (B, N+M, d)
    return Discrepancy(mmd2, gradient[:, : a.shape[1]], gradient[:, a.shape[1] :], rounding)


class Interaction(NamedTuple):
    """What points ``p (B, n, d)`` with signed masses ``c (B, n)`` do to each other.

    Attributes:
        energy: ``sum_ij c_i c_j k(p_i, p_j)``, ``(B,)``; 0 where it is below ``rounding``, as it
            would be noise there, and at a fixed point it is 0.
        field: ``sum_j c_j w_ij (p_i - p_j)``, ``(B, n, d)``.
        rounding: ``(B,)``, the error of the energy, most of whose sum cancels near a fixed point.
    """

    energy: Tensor
    field: Tensor
    rounding: Tensor


def interaction(p: Tensor, c: Tensor, kernel: Kernel) -> Interaction:
    """What points ``p (B, n, d)`` with signed masses ``c (B, n)`` do to each other."""
    if isinstance(kernel, SlicedRiesz):
        return kernel.interaction(p, c)
    if p.shape[1] > _EXACT_UP_TO:
        p = _centred(p, c)
    blocks = [
        _pairs(p[:, i : i + _ROWS], c[:, i : i + _ROWS], p, c, kernel)
        for i in range(0, p.shape[1], _ROWS)
    ]
    energies, fields = zip(*blocks, strict=True)
    total, size = sum(energies).unbind(1)  # (B,)
    rounding = torch.finfo(p.dtype).eps * size.abs()
    energy = torch.where(total.abs() <= rounding, 0.0, total)
    return Interaction(energy.to(p), torch.cat(fields, dim=1), rounding.to(p))


def _centred(p: Tensor, c: Tensor) -> Tensor:
    """Points about their mean: nothing depends on the origin, and near it less cancels."""
    size = c.abs()
    return p - (size / size.sum(1, keepdim=True))[:, None, :] @ p


def _pairs(
    u: Tensor, charge: Tensor, p: Tensor, c: Tensor, kernel: Kernel
) -> tuple[Tensor, Tensor]:
    """What points ``u (B, R, d)`` of ``charge (B, R)`` and all points do to each other.

    Returns:
        the energy, and what it were if all masses were positive, ``(B, 2)`` in double precision,
        as near a fixed point almost all of it cancels; and the field at ``u``, ``(B, R, d)``.
    """
    d2 = squared_distances(u, p)  # (B, R, n)
    field = differences(kernel.slope(d2) * c[:, None, :], d2, u, p)
    here, there = (torch.stack([m, m.abs()], 1).double() for m in (charge, c))  # (B, 2, R or n)
    return (here @ kernel.value(d2).double() * there).sum(2), field


def differences(weight: Tensor, squared_distance: Tensor, u: Tensor, p: Tensor) -> Tensor:
    """``sum_j w_ij (u_i - p_j)``: ``(B, R, n), (B, R, n), (B, R, d), (B, n, d) -> (B, R, d)``.

    Summed as ``(sum_j w_ij) u_i - sum_j w_ij p_j``, which needs no memory for all differences, but
    cancels for a steep kernel whose points almost coincide. Of few points it is taken in double
    precision, where it is as good as differences in single precision.
    """
    if not weight.requires_grad:  # what cancels wholly had better not be there at all
        weight = weight.masked_fill(squared_distance == 0, 0.0)
    if p.shape[1] <= _EXACT_UP_TO:
        weight, a, b = weight.double(), u.double(), p.double()
    else:
        a, b = u, p
    return (weight.sum(2, keepdim=True) * a - weight @ b).to(u)


class _WithGradient(torch.autograd.Function):
    """A value whose gradients in two arguments are known."""

    @staticmethod
    def forward(ctx, value, grad_a, grad_b, a, b):  # noqa: ANN001, ANN205 (torch's interface)
        ctx.save_for_backward(grad_a, grad_b)
        return value.clone()

    @staticmethod
    def backward(ctx, g):  # noqa: ANN001, ANN205
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
    return _WithGradient.apply(d.mmd2, d.grad_a, d.grad_b, a, b)


def _product(a: Tensor, k: Tensor, c: Tensor) -> Tensor:
    """``sum_ij a_i k_ij c_j`` of each cloud: ``(B, R), (B, R, P), (B, P) -> (B,)``.

    Summed in double precision, as near a fixed point almost all of it cancels.
    """
    product = a.double()[:, None, :] @ k.double() @ c.double()[:, :, None]  # (B, 1, 1)
    return product.flatten().to(k)


def mmd2(
    a: Tensor,
    b: Tensor,
    kernel: Kernel,
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


KERNELS: dict[str, type[Kernel]] = {
    "riesz": Riesz,
    "riesz-sliced": SlicedRiesz,
    "riesz-continued": Continued,
    "gaussian": Gaussian,
}
