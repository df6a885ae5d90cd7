"""Linear equations of many clouds at once, each solved by itself, by products alone.

SciPy's solvers take one equation; here one product with the Jacobian is a product for every cloud
of the batch, so they are solved side by side and each stops when it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
"""``A u`` of each cloud, ``(B, D) -> (B, D)``."""

STALLED = 1e-3  # of the residual removed in one step


def solve(
    product: Product, b: Tensor, tolerance: float, memory: int = 50, restarts: int = 4
) -> tuple[Tensor, Tensor]:
    """``A x = b`` for each cloud, by generalised conjugate residuals, and which were solved.

    A cloud is solved when ``|b - A x| <= tolerance (|b| + |x|)``: rounding leaves a residual that
    grows with ``x``.

    Args:
        product: with ``A``.
        b: ``(B, D)``.
        tolerance: see above.
        memory: directions before it begins again from where it is.
        restarts: how often it begins at the most.

    Returns:
        ``x (B, D)``, and ``(B,)`` bool.

    Source: Eisenstat, Elman and Schultz 1983, https://doi.org/10.1137/0720023; where a step gains
    too little the next goes along ``A p`` as in GMRES, which cannot stall for good.
    """

    def left(x: Tensor, r: Tensor, move: Tensor | float = 0.0) -> Tensor:
        return r.norm(dim=1) > tolerance * (b.norm(dim=1) + (x + move).norm(dim=1))

    x, r = torch.zeros_like(b), b
    for _ in range(restarts):
        x = x + _residual_descent(product, r, memory, partial(left, x))
        r = b - product(x)
        if not left(x, r).any():
            break
    return x, ~left(x, r) & r.isfinite().all(1)


def _residual_descent(
    product: Product, r: Tensor, memory: int, left: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """The combination of ``r, A r, A A r, ...`` whose product with ``A`` is nearest to ``r``."""
    x, p = torch.zeros_like(r), r
    ps, qs = r.new_empty(2, len(r), memory, r.shape[1])  # (B, m, D) each
    for k in range(memory):
        running = left(r, x)  # (B,)
        if not running.any():
            break
        p = _scaled(p, p)
        q = product(p)
        for _ in range(2):  # once leaves rounding errors
            shared = q[:, None] @ qs[:, :k].mT  # (B, 1, k)
            p, q = p - (shared @ ps[:, :k])[:, 0], q - (shared @ qs[:, :k])[:, 0]
        ps[:, k], qs[:, k] = p, q = _scaled(p, q), _scaled(q, q)
        gain = (r * q).sum(1, keepdim=True)  # (B, 1)
        taken = torch.where(running[:, None], gain, 0.0)
        x, r = x + taken * p, r - taken * q
        p = torch.where(gain.abs() > STALLED * r.norm(dim=1, keepdim=True), r, q)
    return x


def _scaled(p: Tensor, q: Tensor) -> Tensor:
    """``p / |q|`` of each cloud, 0 where ``q`` is: ``(B, D)``."""
    length = q.norm(dim=1, keepdim=True)
    return torch.where(length > 0, p / length, 0.0)


def damped_neumann(product: Product, b: Tensor, steps: int = 10, damping: float = 0.5) -> Tensor:
    """``A x = b`` roughly, from ``x = b`` by ``x <- x + damping (b - A x)`` while that helps.

    For ``A = I - J`` these are damped partial sums of ``b + J b + J J b + ...``; of each cloud the
    last is taken before its residual grows, so it is never a worse answer than ``b``.

    Source: Geng et al. 2021, https://arxiv.org/abs/2111.05177, section 3.
    """
    x, r = b, b - product(b)
    better = torch.ones_like(b[:, 0], dtype=torch.bool)
    for _ in range(steps):
        trial = x + damping * r
        after = b - product(trial)
        better = better & (after.norm(dim=1) < r.norm(dim=1))
        x, r = (torch.where(better[:, None], new, old) for new, old in ((trial, x), (after, r)))
    return x
