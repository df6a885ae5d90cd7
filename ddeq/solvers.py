"""Step rules: where the particles go next, given one evaluation of the objective.

A solver is a frozen dataclass of its settings. ``start`` makes its state, ``step`` returns the
next particles, the step size it took and the next state; nothing is hidden in the object. To add
one, write it here and name it in ``SOLVERS``: command line, app and tests find it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ddeq.objective import Evaluation
from ddeq.settings import setting


class Solver(Protocol):
    """The interface of every step rule."""

    needs_velocity: bool

    def start(self, z0: Tensor) -> Any:
        """State before the first step from particles ``z0 (B, N, d)``."""

    def step(self, here: Evaluation, k: int, state: Any) -> tuple[Tensor, float, Any]:
        """Particles after step ``k`` (from 0), the step size taken, and the state after it."""


def _step_size(default: float) -> Any:
    return setting(default, 0.001, 20, "How far each particle moves along its velocity.")


def _half_life(default: float) -> Any:
    return setting(default, 1, 1000, "After this many steps the step size has halved.")


def _floor(default: float) -> Any:
    return setting(default, 0, 5, "The step size never decays below this.")


def decayed(step_size: float, half_life: float, floor: float, k: int) -> float:
    """Geometric decay ``step_size * 2^(-k / half_life)``, never below ``floor``."""
    return max(floor, step_size * 0.5 ** (k / half_life))


@dataclass(frozen=True)
class Euler:
    """Explicit Euler with a constant step: the paper's solver (gamma = 5).

    With the energy distance it cannot arrive: the kernel's gradient does not shrink near the
    target, so particles end up chattering at a distance proportional to the step.
    """

    step_size: float = _step_size(5.0)
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(self, here: Evaluation, k: int, state: None) -> tuple[Tensor, float, None]:
        return here.particles + self.step_size * here.velocity, self.step_size, None


@dataclass(frozen=True)
class EulerDecay:
    """Explicit Euler with a geometrically decaying step, the plainest cure for chattering."""

    step_size: float = _step_size(5.0)
    half_life: float = _half_life(20.0)
    floor: float = _floor(0.01)
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(self, here: Evaluation, k: int, state: None) -> tuple[Tensor, float, None]:
        gamma = decayed(self.step_size, self.half_life, self.floor, k)
        return here.particles + gamma * here.velocity, gamma, None


@dataclass(frozen=True)
class Momentum:
    """Heavy ball, ``m <- beta m + v; z <- z + gamma_k m``, with a decaying step.

    Source: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5.
    """

    step_size: float = _step_size(3.0)
    momentum: float = setting(0.8, 0, 0.99, "How much of the last move is kept; 0 is plain Euler.")
    half_life: float = _half_life(10.0)
    floor: float = _floor(0.01)
    needs_velocity = True

    def start(self, z0: Tensor) -> Tensor:
        return torch.zeros_like(z0)

    def step(self, here: Evaluation, k: int, state: Tensor) -> tuple[Tensor, float, Tensor]:
        moving = self.momentum * state + here.velocity  # (B, N, d)
        gamma = decayed(self.step_size, self.half_life, self.floor, k)
        return here.particles + gamma * moving, gamma, moving


@dataclass(frozen=True)
class Picard:
    """Plain fixed-point iteration ``z <- (1 - a) z + a F(z)``; no gradient at all."""

    damping: float = setting(1.0, 0.01, 1, "1 jumps to F(z); less moves only part of the way.")
    needs_velocity = False

    def start(self, z0: Tensor) -> None:
        return None

    def step(self, here: Evaluation, k: int, state: None) -> tuple[Tensor, float, None]:
        return torch.lerp(here.particles, here.image, self.damping), self.damping, None


@dataclass(frozen=True)
class Anderson:
    """Anderson acceleration of ``z = F(z)``: combine past images so that residuals cancel.

    Source: Walker and Ni 2011, https://doi.org/10.1137/10078356X.
    """

    window: int = setting(5, 2, 20, "How many past steps are combined.")
    damping: float = setting(
        1.0, 0.01, 1, "1 jumps to the combination; less moves part of the way."
    )
    ridge: float = setting(1e-6, 0, 1, "Relative regularisation of the least-squares problem.")
    needs_velocity = False

    def start(self, z0: Tensor) -> tuple[Tensor, ...]:
        return ()

    def step(self, here: Evaluation, k: int, state: Any) -> tuple[Tensor, float, Any]:
        past = (*state, (here.particles, here.image))[-int(self.window) :]
        z, image = (torch.stack(p, dim=1) for p in zip(*past, strict=True))  # (B, m, N, d)
        residual = (image - z).flatten(2)  # (B, m, N d)
        gram = residual @ residual.transpose(1, 2)  # (B, m, m)
        scale = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + torch.finfo(z.dtype).tiny
        identity = torch.eye(len(past), dtype=z.dtype, device=z.device)
        # min |sum_i alpha_i r_i|^2 with sum_i alpha_i = 1: solve gram x = 1 and normalise.
        # A diverged cloud must not take the batch with it: lstsq refuses nan.
        system = (gram / scale).nan_to_num(0, 0, 0) + self.ridge * identity  # (B, m, m)
        x = torch.linalg.lstsq(system, identity.new_ones(len(z), len(past), 1)).solution
        alpha = (x / x.sum(1, keepdim=True))[..., None]  # (B, m, 1, 1)
        mixed = (alpha * torch.lerp(z, image, self.damping)).sum(1)  # (B, N, d)
        return mixed, self.damping, past


SOLVERS: dict[str, type[Solver]] = {
    "euler": Euler,
    "euler-decay": EulerDecay,
    "momentum": Momentum,
    "picard": Picard,
    "anderson": Anderson,
}
