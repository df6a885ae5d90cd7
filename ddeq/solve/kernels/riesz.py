"""The Riesz kernel, and the same smoothed at first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.kernels.interface import ENERGY_DISTANCE, KERNELS, Radial


@KERNELS.register("riesz", ENERGY_DISTANCE, "Energy distance: felt at any distance.")
@dataclass(frozen=True)
class Riesz(Radial):
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

    def both(self, squared_distance: Tensor) -> tuple[Tensor, Tensor]:
        if self.r != 1 or self.eps or squared_distance.requires_grad:
            return super().both(squared_distance)
        value = squared_distance.sqrt_().neg_()  # -|u - v|, whose slope is one over it
        return value, value.reciprocal()


@KERNELS.register(
    "riesz-continued",
    ENERGY_DISTANCE,
    "Energy distance, blurred at first and sharper with every step.",
)
@dataclass(frozen=True)
class Continued(Riesz):
    """The Riesz kernel, whose velocity is smoothed at first and less and less: ``eps -> 0``.

    Its value is that of the plain kernel, so the objective means the same at every step. At step
    ``k`` particles follow the velocity of ``Riesz(r, eps 2^(-k / fade))``.

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

    def both(self, squared_distance: Tensor) -> tuple[Tensor, Tensor]:
        return Riesz(self.r).both(squared_distance)

    def at(self, step: int) -> Radial:
        return Riesz(self.r, self.after(step).eps)

    def after(self, steps: int) -> Self:
        return replace(self, eps=self.eps * 0.5 ** (steps / self.fade))
