"""What a solver is told of a model and an input: a map of particles, and how much they weigh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Encoded:
    """``F(., x)`` of input clouds that are encoded already.

    Attributes:
        operator: ``z (B, N, d) -> F(z, x) (B, N, d)``.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
        share: ``(B,)``, mass of all particles together; None is 1.
        apart: the operator as a function ``F(z, *inputs)`` of all that has gradients, and these
            inputs, as :func:`ddeq.solve.gradients.reversible` takes them; None if not told.
    """

    operator: Callable[[Tensor], Tensor]
    mask: Tensor | None = None
    share: Tensor | None = None
    apart: tuple[Callable[..., Tensor], tuple[Tensor, ...]] | None = None
