"""Exact gradients of a damped iteration at constant memory: backwards it undoes its own steps.

Source: McCallum, Arora and Foster 2025, *Reversible Deep Equilibrium Models*,
https://arxiv.org/abs/2509.12917.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Function = Callable[..., Tensor]
"""``F(z, *inputs)``."""


def reversible(
    function: Function, inputs: Sequence[Tensor], z0: Tensor, steps: int, damping: float = 0.5
) -> Tensor:
    """``steps`` steps from ``y = z = z0``, with a graph that keeps the end alone.

    A step moves two copies of the particles in turn, each towards the image of the other::

        y <- (1 - a) y + a F(z)
        z <- (1 - a) z + a F(y)

    so that ``z``, then ``y`` before the step can be had from those after it. Both have the fixed
    points of ``F``. They are kept in double precision, as each step undone multiplies the rounding
    error by ``1 / |1 - a|``; ``F`` has the precision of ``z0``.

    Args:
        function: ``F``, of particles and of all other tensors that are to have gradients.
        inputs: those tensors. A parameter, a leaf, may be used by ``function`` itself instead of
            its argument; what is computed from others may not.
        z0: initial particles ``(B, N, d)``.
        steps: how many, of two evaluations of ``F`` each.
        damping: ``a``, above 0 and below 2, but not 1.

    Returns:
        ``z (B, N, d)``.
    """
    if not 0 < damping < 2 or damping == 1:
        raise ValueError(f"a damping of {damping} cannot be undone")
    end = _Reversible.apply(function, steps, damping, z0, *inputs)  # type: ignore[no-untyped-call]
    return cast(Tensor, end)


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, function: Function, steps: int, a: float, z0: Tensor, *inputs: Tensor
    ) -> Tensor:
        y = z = z0.double()
        for _ in range(steps):
            y = (1 - a) * y + a * function(z.to(z0), *inputs)
            z = (1 - a) * z + a * function(y.to(z0), *inputs)
        ctx.function, ctx.steps, ctx.damping, ctx.dtype = function, steps, a, z0.dtype
        ctx.save_for_backward(y, z, *inputs)
        return z.to(z0.dtype, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, z, *inputs = ctx.saved_tensors
        step = _Step(ctx.function, inputs, ctx.damping, ctx.dtype)
        of_y, of_z = torch.zeros_like(y), grad.double()  # what the loss asks of y and of z
        for _ in range(ctx.steps):
            z, of_y, of_z = step.undone(z, y, of_z, of_y)
            y, of_z, of_y = step.undone(y, z, of_y, of_z)
        return None, None, None, (of_y + of_z).to(ctx.dtype), *step.of_inputs()


class _Step:
    """Half a step of the iteration backwards, and what the loss asks of the inputs so far."""

    def __init__(
        self, function: Function, inputs: Sequence[Tensor], damping: float, dtype: torch.dtype
    ) -> None:
        self.function, self.damping, self.dtype = function, damping, dtype
        # Parameters are used as they are, all else as if it were one: its past is not F's.
        self.leaves = [t if t.is_leaf else t.detach().requires_grad_() for t in inputs]
        self.wanted = [t for t in self.leaves if t.requires_grad]
        self.total = [torch.zeros_like(t) for t in self.wanted]

    def undone(
        self, moved: Tensor, other: Tensor, of_moved: Tensor, of_other: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Undo ``moved <- (1 - a) moved + a F(other)``.

        Returns:
            ``moved`` as it was, and what the loss asks of ``other`` and of it.
        """
        a = self.damping
        with torch.enable_grad():
            start = other.to(self.dtype).detach().requires_grad_()
            image = self.function(start, *self.leaves)
        pull = (a * of_moved).to(self.dtype)
        own, *others = torch.autograd.grad(
            image, [start, *self.wanted], pull, materialize_grads=True
        )
        for sum_of, part in zip(self.total, others, strict=True):
            sum_of += part
        return (moved - a * image.detach()) / (1 - a), of_other + own, (1 - a) * of_moved

    def of_inputs(self) -> list[Tensor | None]:
        """What the loss asks of each input; None where nobody wants to know."""
        found = iter(self.total)
        return [next(found) if t.requires_grad else None for t in self.leaves]
