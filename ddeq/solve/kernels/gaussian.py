"""The Gaussian kernel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.kernels.interface import KERNELS, MMD, Radial


@KERNELS.register("gaussian", MMD, "Felt only within its bandwidth.")
@dataclass(frozen=True)
class Gaussian(Radial):
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
