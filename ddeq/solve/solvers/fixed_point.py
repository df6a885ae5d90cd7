"""Solvers of ``z = F(z)``, particle by particle: no gradient at all.

They ask more than a measure fixed point needs, that every particle is its own image, and know
nothing of the objective, so they need not end where the gradient flow does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import Problem, per_cloud, window


def damping(default: float) -> Any:
    return setting(default, 0.01, 1, "1 goes all the way; less moves only part of it.")


@dataclass(frozen=True)
class Picard:
    """Plain fixed-point iteration ``z <- (1 - a) z + a F(z)``; no gradient at all."""

    damping: float = setting(1.0, 0.01, 1, "1 jumps to F(z); less moves only part of the way.")
    needs_velocity = False

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        return torch.lerp(here.particles, here.image, self.damping), self.damping, None


@dataclass(frozen=True)
class Anderson:
    """Anderson acceleration of ``z = F(z)``: combine past images so that residuals cancel.

    Source: Walker and Ni 2011, https://doi.org/10.1137/10078356X.
    """

    window: int = window(5)
    damping: float = setting(
        1.0, 0.01, 1, "1 jumps to the combination; less moves part of the way."
    )
    ridge: float = setting(1e-6, 0, 1, "Relative regularisation of the least-squares problem.")
    needs_velocity = False

    def start(self, z0: Tensor) -> tuple[Tensor, ...]:
        return ()

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor, float, Any]:
        past = (*state, (here.particles, here.image))[-int(self.window) :]
        z, image = (torch.stack(p, dim=1) for p in zip(*past, strict=True))  # (B, m, N, d)
        alpha = weights((image - z).flatten(2), self.ridge)[:, :, None, None]  # (B, m, 1, 1)
        mixed = (alpha * torch.lerp(z, image, self.damping)).sum(1)  # (B, N, d)
        return mixed, self.damping, past


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


@dataclass(frozen=True)
class Secants:
    """Broyden's memory: ``-J^-1 = I + sum_i u_i v_i^T`` for the residual ``F(z) - z``.

    Attributes:
        z, residual: of the last step, ``(B, N d)``.
        u, v: ``(B, m, N d)``.
    """

    z: Tensor
    residual: Tensor
    u: Tensor
    v: Tensor

    def times(self, p: Tensor) -> Tensor:
        """``-J^-1 p``, ``(B, N d)``."""
        return p + _through(p, self.v, self.u)

    def left_times(self, p: Tensor) -> Tensor:
        """``p^T (-J^-1)``, ``(B, N d)``."""
        return p + _through(p, self.u, self.v)


def _through(p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``sum_i <a_i, p> b_i``: ``(B, D), (B, m, D), (B, m, D) -> (B, D)``."""
    return ((a @ p[:, :, None]).transpose(1, 2) @ b)[:, 0]  # (B, 1, m) @ (B, m, D)


@dataclass(frozen=True)
class Broyden:
    """Broyden's (good) method for ``F(z) - z = 0``, its memory emptied when it is full.

    The Jacobian is first taken for ``-I``, so the first step is plain iteration; so is the next one
    of a cloud whose residual has grown, for what it had learnt led it astray.

    Source: Broyden 1965, https://doi.org/10.1090/S0025-5718-1965-0198670-6; Kelley 1995,
    chapter 7 (limited memory), https://doi.org/10.1137/1.9781611970944.
    """

    window: int = window(10)
    damping: float = damping(1.0)
    needs_velocity = False

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: Secants | None, problem: Problem
    ) -> tuple[Tensor, float, Secants]:
        z, residual = here.particles.flatten(1), (here.image - here.particles).flatten(1)
        if state is None or state.u.shape[1] == int(self.window):
            empty = z.new_empty(len(z), 0, z.shape[1])
            secants = Secants(z, residual, empty, empty)
        else:
            secants = _learn(state, z, residual)
        move = self.damping * secants.times(residual)  # (B, N d)
        return here.particles + move.view_as(here.particles), self.damping, secants


def _learn(past: Secants, z: Tensor, residual: Tensor) -> Secants:
    """Sherman-Morrison update, so that ``-J^-1`` maps the change of the residual to the move."""
    dz, dr = z - past.z, past.residual - residual
    row = past.left_times(dz)  # (B, N d)
    hit = (row * dr).sum(1, keepdim=True)  # (B, 1)
    # A cloud whose secant equation is degenerate learns nothing from this step.
    sound = hit.abs() > 1e-8 * row.norm(dim=1, keepdim=True) * dr.norm(dim=1, keepdim=True)
    u = torch.where(sound, (dz - past.times(dr)) / hit, 0.0)
    us, vs = torch.cat([past.u, u[:, None]], 1), torch.cat([past.v, row[:, None]], 1)
    astray = residual.norm(dim=1) > past.residual.norm(dim=1)  # (B,)
    return Secants(z, residual, us.masked_fill(per_cloud(astray), 0.0), vs)
