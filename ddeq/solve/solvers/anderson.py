"""Anderson acceleration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import window
from ddeq.solve.solvers.interface import ANDERSON_ACCELERATION, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Length, factor


@dataclass(frozen=True)
class Mixture:
    """Combinations of past particles at ``t = 0``, of their images at ``t = 1``.

    Attributes:
        alpha: weights ``(B, m, 1, 1)``.
        z, image: ``(B, m, N, d)``.
    """

    alpha: Tensor
    z: Tensor
    image: Tensor

    @property
    def tangent(self) -> Tensor:
        return (self.alpha * (self.image - self.z)).sum(1)

    def at(self, t: Length) -> Tensor:
        return (self.alpha * torch.lerp(self.z, self.image, factor(t, dims=4))).sum(1)


@dataclass(frozen=True)
class Mixed(Direction):
    """To the combination of the last images whose residuals cancel best.

    Source: Walker and Ni 2011, https://doi.org/10.1137/10078356X.
    """

    window: int
    ridge: float
    needs_velocity = False

    def start(self, z0: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """The last particles and their images."""
        return ()

    def look(
        self, here: Evaluation, state: tuple[tuple[Tensor, Tensor], ...], problem: Problem
    ) -> tuple[Mixture, tuple[tuple[Tensor, Tensor], ...]]:
        past = (*state, (here.particles, here.image))[-int(self.window) :]
        z, image = (torch.stack(p, dim=1) for p in zip(*past, strict=True))  # (B, m, N, d)
        alpha = weights((image - z).flatten(2), self.ridge)[:, :, None, None]  # (B, m, 1, 1)
        return Mixture(alpha, z, image), past


@SOLVERS.register(
    "anderson",
    ANDERSON_ACCELERATION,
    "Jumps that combine the last few, to cancel what is left over.",
)
@dataclass(frozen=True)
class Anderson(Named):
    """Anderson acceleration of ``z = F(z)``: combine past images so that residuals cancel.

    Source: Walker and Ni 2011, https://doi.org/10.1137/10078356X.
    """

    window: int = window(5)
    damping: float = setting(
        1.0, 0.01, 1, "1 jumps to the combination; less moves part of the way."
    )
    ridge: float = setting(1e-6, 0, 1, "Relative regularisation of the least-squares problem.")

    @property
    def solver(self) -> Along:
        return Along(Mixed(self.window, self.ridge), rules.Constant(self.damping))


def weights(residuals: Tensor, ridge: float) -> Tensor:
    """``alpha (B, m)`` that sums to 1 and makes ``|sum_i alpha_i r_i|^2`` smallest.

    Of several that do it is the one nearest to equal weights, whatever is repeated in the past or
    cancels wholly, and on whatever device: what varies about equal weights is found by a
    pseudo-inverse, in double precision, which leaves out what rounding alone has told apart.

    Args:
        residuals: ``r (B, m, D)``.
        ridge: ``ridge |alpha|^2`` is added, in units of the mean ``|r_i|^2``.
    """
    count, exact = residuals.shape[1], torch.finfo(residuals.dtype).eps
    r = residuals.double()
    gram = r @ r.transpose(1, 2)  # (B, m, m)
    scale = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + torch.finfo(r.dtype).tiny
    identity = torch.eye(count, dtype=r.dtype, device=r.device)
    # A diverged cloud must not take the batch with it: eigh refuses nan.
    system = (gram / scale).nan_to_num(0, 0, 0) + ridge * identity
    # alpha = 1/m + beta with sum_i beta_i = 0: centred, the constraint is gone.
    centre, cutoff = identity - 1 / count, max((count * exact) ** 2, 1e-13)
    inverse = torch.linalg.pinv(centre @ system @ centre, atol=cutoff, rtol=0.0, hermitian=True)
    beta = -inverse @ (centre @ system).mean(2, keepdim=True)  # (B, m, 1)
    return (1 / count + beta[..., 0]).to(residuals)
