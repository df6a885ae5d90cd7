"""The exact gradient of an equilibrium, by one linear equation."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from ddeq.solve import linear
from ddeq.solve.gradients.interface import OperatorFn
from ddeq.solve.gradients.phantom import phantom

_log = logging.getLogger(__name__)


def implicit(
    operator: OperatorFn, z_star: Tensor, tolerance: float = 1e-5, *, image: Tensor | None = None
) -> Tensor:
    """The exact gradient of a fixed point ``z* = F(z*)``, by the implicit function theorem.

    For a loss with gradient ``g`` at ``z*`` the backward pass solves ``(I - J_F^T) u = g`` and
    sends ``u`` on through ``F``, for each cloud by itself. Where that does not converge ``u`` is a
    damped Neumann series, and the log says so. A measure fixed point that is only one up to a
    permutation of its particles is not a fixed point in this sense.

    Losses of the image alone, as the distance of ``z*`` to it, have no business here: they take
    ``F(z*)`` itself.

    Args:
        operator: ``z (B, N, d) -> F(z) (B, N, d)``, cloud by cloud.
        z_star: the equilibrium ``(B, N, d)``.
        tolerance: of the linear equation, see :func:`ddeq.solve.linear.solve`.
        image: ``F(z*)`` with a graph, where the caller has it.

    Source: Bai et al. 2019, https://arxiv.org/abs/1909.01377, theorem 1.
    """
    product = _equation(operator, z_star)

    def solve(g: Tensor) -> Tensor:
        return _solved(product, g.detach().flatten(1), tolerance).view_as(g)

    # Another tensor than the image: gradients that do not come through it are left alone.
    equilibrium = phantom(operator, z_star, image=image).view_as(z_star)
    equilibrium.register_hook(solve)
    return equilibrium


def _equation(operator: OperatorFn, z_star: Tensor) -> linear.Product:
    """``(I - J_F^T) u`` at ``z*``, ``(B, N d) -> (B, N d)``."""
    with torch.enable_grad():
        inner = z_star.detach().requires_grad_()
        image = operator(inner)

    def product(u: Tensor) -> Tensor:
        (pulled,) = torch.autograd.grad(image, inner, u.view_as(inner), retain_graph=True)
        return u - pulled.flatten(1)

    return product


def _solved(product: linear.Product, g: Tensor, tolerance: float) -> Tensor:
    """``u`` of the linear equation for ``g (B, N d)``, exact or nearly so."""
    u, solved = linear.solve(product, g, tolerance)
    if solved.all():
        return u
    _log.warning(
        "The implicit gradient of %d of %d clouds did not converge, as the operator is not a "
        "contraction there: they have a damped Neumann series instead.",
        int((~solved).sum()),
        len(solved),
    )
    return torch.where(solved[:, None], u, linear.damped_neumann(product, g))
