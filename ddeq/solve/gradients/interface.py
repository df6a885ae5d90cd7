"""What gradient modes are given."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

OperatorFn = Callable[[Tensor], Tensor]
"""``z (B, N, d) -> F(z) (B, N, d)``."""
