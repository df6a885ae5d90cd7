"""Chapter 5, first half: three gradients of one equilibrium, and what they cost in memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.learn.ring import rotation
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.gradients import implicit, phantom
from ddeq.solve.solvers import Picard


@dataclass(frozen=True)
class Gradients:
    """Derivatives ``(2,)`` of the loss ``<pull, z*>`` in ``b``, where ``z* = A z* + b``.

    Attributes:
        implicit: the exact one, ``(I - A^T)^-1 pull``.
        phantom: through one application, ``pull``.
        unrolled: through the last 1, 2, ... steps; they approach the exact one.
    """

    implicit: Tensor
    phantom: Tensor
    unrolled: tuple[Tensor, ...]


def gradients(strength: float, turn: float, pull: tuple[float, float], depth: int) -> Gradients:
    """All three for ``F(z) = A z + b`` with ``A`` a turn that shrinks by ``strength``.

    Args:
        strength: below 1; how much of ``z`` survives a step.
        turn: degrees a step.
        pull: gradient of the loss at the equilibrium.
        depth: most steps to unroll.
    """
    like = torch.zeros(1, dtype=torch.float64)
    A = strength * rotation(turn, like)  # (2, 2)
    b = like.new_tensor([0.5, 0.2]).requires_grad_()
    g = like.new_tensor(pull)
    z_star = torch.linalg.solve(torch.eye(2, dtype=A.dtype) - A, b).detach()[None, None]

    def operator(z: Tensor) -> Tensor:
        return z @ A.T + b  # (1, 1, 2) @ (2, 2) + (2,) = (1, 1, 2)

    def gradient(z: Tensor) -> Tensor:
        return torch.autograd.grad((g * z).sum(), b, retain_graph=True)[0]

    unrolled = Flow(
        operator,
        z_star,
        solver=Picard(),
        stop=StopRule(depth, tolerance=-1.0),  # it begins at the fixed point, and goes on
        differentiable=True,
        velocity=False,
    )
    return Gradients(
        gradient(implicit(operator, z_star, tolerance=1e-10)),
        gradient(phantom(operator, z_star)),
        tuple(gradient(step.particles) for step in unrolled if step.step),
    )
