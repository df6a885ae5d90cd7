"""Gradients at the fixed point: from an equilibrium ``z*`` found without a graph to one with.

A gradient mode takes the operator and ``z*`` and returns ``z*`` again, now differentiable in the
operator's parameters and input. Unrolling needs no function of its own: run the flow with
``differentiable=True``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, gmres
from torch import Tensor

OperatorFn = Callable[[Tensor], Tensor]


def phantom(operator: OperatorFn, z_star: Tensor) -> Tensor:
    """One application of ``F`` with a graph: the one-step phantom gradient (paper, section 3.4).

    Source: Fung et al. 2022, https://arxiv.org/abs/2103.12803.
    """
    return operator(z_star.detach())


def implicit(operator: OperatorFn, z_star: Tensor, tolerance: float = 1e-6) -> Tensor:
    """The exact gradient of a fixed point ``z* = F(z*)``, by the implicit function theorem.

    For a loss with gradient ``g`` at ``z*`` the backward pass solves ``(I - J_F^T) u = g`` by GMRES
    and sends ``u`` on through ``F``. A measure fixed point that is only one up to a permutation of
    its particles is not a fixed point in this sense.

    Args:
        operator: ``z (B, N, d) -> F(z) (B, N, d)``.
        z_star: the equilibrium ``(B, N, d)``.
        tolerance: relative residual of the linear solve.

    Raises:
        RuntimeError: in the backward pass, if the linear solve does not converge.

    Source: Bai et al. 2019, https://arxiv.org/abs/1909.01377, theorem 1.
    """
    with torch.enable_grad():
        image = operator(z_star.detach())
        inner = z_star.detach().requires_grad_()
        inner_image = operator(inner)

    def solve(g: Tensor) -> Tensor:
        def residual(u: np.ndarray) -> np.ndarray:
            u = torch.from_numpy(u).to(g).reshape(g.shape)
            (pulled,) = torch.autograd.grad(inner_image, inner, u, retain_graph=True)
            return (u - pulled).flatten().cpu().numpy()

        rhs = g.detach().flatten().cpu().numpy()
        system = LinearOperator((rhs.size, rhs.size), matvec=residual, dtype=rhs.dtype)
        u, failed = gmres(system, rhs, rtol=tolerance, restart=50, maxiter=20)
        if failed:
            raise RuntimeError(
                "The implicit gradient did not converge: the operator is not a contraction here."
            )
        return torch.from_numpy(u).to(g).reshape(g.shape)

    image.register_hook(solve)
    return image


GRADIENTS: dict[str, Callable[[OperatorFn, Tensor], Tensor]] = {
    "phantom": phantom,
    "implicit": implicit,
}
