"""What a solver is told of a model and an input: a map of particles, and how much they weigh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ddeq.model.operator import Context, Operator
from ddeq.model.step import Step


@dataclass(frozen=True)
class Applied:
    """``z (B, N, d) -> F(z, x)`` for input clouds that are encoded already.

    Attributes:
        to: the operator.
        context: of the clouds.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
        twice: as of :meth:`ddeq.model.operator.Operator.forward`.
    """

    to: Operator
    context: Context
    mask: Tensor | None = None
    twice: bool = False

    def __call__(self, z: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return self.to(z, self.context, self.mask, self.twice)
        return self._step(z)[0]

    def vjp(self, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """``F(z, x)`` and ``g -> J_F(z)^T g``, without a graph."""
        return self._step(z)

    @cached_property
    def _step(self) -> Step:
        return Step(self.to, self.context, self.mask)

    def only(self, clouds: Tensor) -> Applied:
        """Of the clouds ``(b,)`` of these indices alone."""
        mask = None if self.mask is None else self.mask[clouds]
        return Applied(self.to, self.context.only(clouds), mask, self.twice)


@dataclass(frozen=True)
class Encoded:
    """``F(., x)`` of input clouds that are encoded already.

    Attributes:
        operator: ``z (B, N, d) -> F(z, x) (B, N, d)``; one that has a method ``only`` is not asked
            about clouds whose solve has ended, and one that has ``vjp`` is not differentiated.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
        share: ``(B,)``, mass of all particles together; None is 1.
        apart: the operator as a function ``F(z, *inputs)`` of all that has gradients, and these
            inputs, as :func:`ddeq.solve.gradients.reversible` takes them; None if not told.
    """

    operator: Callable[[Tensor], Tensor]
    mask: Tensor | None = None
    share: Tensor | None = None
    apart: tuple[Callable[..., Tensor], tuple[Tensor, ...]] | None = None
