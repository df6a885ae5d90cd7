"""Gradients of equilibria: from particles without a graph to the same ones with one.

The modes of ``AT_EQUILIBRIUM`` take the operator, an equilibrium ``z*`` that any solver has found,
and perhaps its image, and return ``z*`` again, now differentiable in the operator's parameters and
input. ``reversible`` goes from the start instead, by an iteration of its own that can be undone.
Unrolling needs no function: run the flow with ``differentiable=True``.
"""

from collections.abc import Callable

from torch import Tensor

from ddeq.solve.gradients.implicit import implicit
from ddeq.solve.gradients.phantom import phantom, phantom_k
from ddeq.solve.gradients.reversible import reversible

AT_EQUILIBRIUM: dict[str, Callable[..., Tensor]] = {
    "phantom": phantom,
    "phantom-k": phantom_k,
    "implicit": implicit,
}
GRADIENTS = (*AT_EQUILIBRIUM, "reversible")
"""The names of all modes, as recipes call them."""

__all__ = ["AT_EQUILIBRIUM", "GRADIENTS", "implicit", "phantom", "phantom_k", "reversible"]
