"""What a kernel is asked by a solve, and how those of the distance alone answer it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol, Self

import torch
from torch import Tensor

from ddeq.solve.kernels.pairs import EXACT_UP_TO, centred, differences, squared_distances
from ddeq.solve.registry import Family, Registry

# Pairs are met in blocks of so many points with all: small enough for the processor's cache, and
# memory grows with the points and not with their square.
_ROWS = 256


class Interaction(NamedTuple):
    """What points ``p (B, n, d)`` with signed masses ``c (B, n)`` do to each other.

    Attributes:
        energy: ``sum_ij c_i c_j k(p_i, p_j)``, ``(B,)``; 0 where it is below ``rounding``, as it
            would be noise there, and at a fixed point it is 0.
        field: its derivative in ``p_i`` without the factor ``2 c_i``, ``(B, n, d)``.
        rounding: ``(B,)``, the error of the energy, most of whose sum cancels near a fixed point.
    """

    energy: Tensor
    field: Tensor
    rounding: Tensor


class Kernel(Protocol):
    """What a solve asks of a kernel ``k(u, v)``."""

    def interaction(self, p: Tensor, c: Tensor) -> Interaction:
        """What points ``p (B, n, d)`` with signed masses ``c (B, n)`` do to each other."""

    def at(self, step: int) -> Kernel:
        """The kernel whose velocity is followed at a step (from 0): itself, unless it changes."""

    def after(self, steps: int) -> Self:
        """The same kernel so many steps later: itself, unless it changes."""

    def pull(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        """The field of a ``target (B, n, d)`` of ``mass (B, n)`` at ``z (B, R, d)``: ``(B, R, d)``.

        It points to where the potential ``-sum_j m_j k(., p_j)`` falls.
        """

    def stiffness(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        """``sum_j m_j |w_ij|`` of that pull, where ``dk/du = w (u - v)``: ``(B, R, 1)``.

        One over it is the step of Weiszfeld 1937, https://doi.org/10.1007/s10479-008-0352-z.
        """


class Radial(ABC):
    """A kernel of the distance of its points alone, of one sign.

    It is two functions of the squared distance: its value, and its *slope* ``w`` with
    ``dk(u, v)/du = w (u - v)``. All else is derived from them.
    """

    @abstractmethod
    def value(self, squared_distance: Tensor) -> Tensor:
        """``k`` at these squared distances (any shape)."""

    @abstractmethod
    def slope(self, squared_distance: Tensor) -> Tensor:
        """``w`` with ``dk/du = w (u - v)``, at these squared distances (any shape)."""

    def both(self, squared_distance: Tensor) -> tuple[Tensor, Tensor]:
        """Value and slope at these squared distances (any shape), which may be overwritten.

        The slope at distance 0 may be anything, as pairs that coincide do not push each other.
        """
        return self.value(squared_distance), self.slope(squared_distance)

    def at(self, step: int) -> Radial:
        return self

    def after(self, steps: int) -> Self:
        return self

    def interaction(self, p: Tensor, c: Tensor) -> Interaction:
        if p.shape[1] > EXACT_UP_TO:
            p = centred(p, c)
        rows = [(p, c)]
        if p.shape[1] > _ROWS:
            rows = list(zip(p.split(_ROWS, 1), c.split(_ROWS, 1), strict=True))
        blocks = [self._pairs(u, charge, p, c) for u, charge in rows]
        energies, fields = zip(*blocks, strict=True)
        total, size = sum(energies).unbind(1)  # (B,)
        rounding = torch.finfo(p.dtype).eps * size.abs()
        energy = torch.where(total.abs() <= rounding, 0.0, total)
        return Interaction(energy.to(p), torch.cat(fields, dim=1), rounding.to(p))

    def _pairs(self, u: Tensor, charge: Tensor, p: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """What points ``u (B, R, d)`` of ``charge (B, R)`` and all points do to each other.

        Returns:
            the energy, and what it were if all masses were positive, ``(B, 2)`` in double
            precision, as near a fixed point almost all of it cancels; and the field at ``u``,
            ``(B, R, d)``.
        """
        d2 = squared_distances(u, p)  # (B, R, n)
        coincide = d2 == 0
        value, slope = self.both(d2)
        field = differences(slope * c[:, None, :], coincide, u, p)
        there = torch.stack([c, c.abs()], 1).double()  # (B, 2, n)
        here = there if charge is c else torch.stack([charge, charge.abs()], 1).double()
        return (here @ value.double() * there).sum(2), field

    def pull(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        d2 = squared_distances(z, target)  # (B, R, n)
        return differences(self.slope(d2) * mass[:, None, :], d2 == 0, z, target)

    def stiffness(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        weight = -self.slope(squared_distances(z, target))  # (B, R, n)
        return (weight @ mass[..., None]).clamp_min(torch.finfo(z.dtype).tiny)


KERNELS: Registry[Radial] = Registry()
"""Kernels by name."""

ENERGY_DISTANCE = Family(
    "energy distance", "The squared MMD of the kernel -|x - y|, felt at any distance.", 1
)
SLICED = Family(
    "sliced", "Estimated on random lines, where distances cost only as much as sorting.", 2
)
MMD = Family(
    "MMD",
    "Maximum mean discrepancy: how differently two measures look to a kernel; zero only if they "
    "are the same.",
    3,
)
