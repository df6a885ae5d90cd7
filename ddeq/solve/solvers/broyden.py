"""Broyden's method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import window
from ddeq.solve.solvers.interface import QUASI_NEWTON, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Straight, per_cloud


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
class Newton(Direction):
    """Newton's step for ``F(z) - z = 0`` with the Jacobian that the last steps tell (Broyden's).

    The Jacobian is first taken for ``-I``, so the first step is plain iteration; so is the next one
    of a cloud whose residual has grown, for what it had learnt led it astray. The memory is emptied
    when it is full.

    Source: Broyden 1965, https://doi.org/10.1090/S0025-5718-1965-0198670-6; Kelley 1995,
    chapter 7 (limited memory), https://doi.org/10.1137/1.9781611970944.
    """

    window: int
    needs_velocity = False

    def look(
        self, here: Evaluation, state: Secants | None, problem: Problem
    ) -> tuple[Straight, Secants]:
        z, residual = here.particles.flatten(1), (here.image - here.particles).flatten(1)
        if state is None or state.u.shape[1] == int(self.window):
            empty = z.new_empty(len(z), 0, z.shape[1])
            secants = Secants(z, residual, empty, empty)
        else:
            secants = _learn(state, z, residual)
        move = secants.times(residual)  # (B, N d)
        return Straight(here.particles, move.view_as(here.particles)), secants


@SOLVERS.register(
    "broyden", QUASI_NEWTON, "Jumps that learn from the last few how the network bends."
)
@dataclass(frozen=True)
class Broyden(Named):
    """Broyden's (good) method for ``F(z) - z = 0``, its memory emptied when it is full.

    Source: Broyden 1965, https://doi.org/10.1090/S0025-5718-1965-0198670-6.
    """

    window: int = window(10)
    damping: float = setting(1.0, 0.01, 1, "1 goes all the way; less moves only part of it.")

    @property
    def solver(self) -> Along:
        return Along(Newton(self.window), rules.Constant(self.damping))


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
