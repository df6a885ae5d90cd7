"""Phantom gradients: through a few applications of ``F`` at the equilibrium."""

from __future__ import annotations

import torch
from torch import Tensor

from ddeq.solve.gradients.interface import OperatorFn


def phantom(operator: OperatorFn, z_star: Tensor, *, image: Tensor | None = None) -> Tensor:
    """One application of ``F`` with a graph: the one-step phantom gradient (paper, section 3.4).

    Args:
        operator: ``z (B, N, d) -> F(z) (B, N, d)``.
        z_star: the equilibrium ``(B, N, d)``.
        image: ``F(z*)`` with a graph, where the caller has it.

    Source: Fung et al. 2022, https://arxiv.org/abs/2103.12803.
    """
    return operator(z_star.detach()) if image is None else image


def phantom_k(
    operator: OperatorFn,
    z_star: Tensor,
    steps: int = 5,
    damping: float = 0.5,
    *,
    image: Tensor | None = None,
) -> Tensor:
    """``steps`` damped applications ``z <- (1 - a) z + a F(z)`` with a graph, from ``z*``.

    The gradient is that of a Neumann series cut off after so many terms, damped by ``a``: nearer to
    the exact one than :func:`phantom`'s, in exchange for memory that grows with the steps.

    Args:
        operator, z_star, image: as of :func:`phantom`.
        steps: how many, ``k``; from 1.
        damping: ``a``, from 0 (exclusive) to 1, which goes all the way.

    Source: Geng et al. 2021, https://arxiv.org/abs/2111.05177, section 3.1 (unrolling).
    """
    z = torch.lerp(z_star.detach(), phantom(operator, z_star, image=image), damping)
    for _ in range(steps - 1):
        z = torch.lerp(z, operator(z), damping)
    return z
