"""How far apart gradients are, and what they cost in memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def angle(a: Tensor, b: Tensor) -> float:
    """Degrees between two vectors ``(d,)``."""
    cosine = torch.dot(a, b) / (a.norm() * b.norm())
    return math.degrees(math.acos(float(cosine.clamp(-1, 1))))


def graph_bytes(compute: Callable[[], Tensor]) -> int:
    """Bytes of tensors that autograd keeps for the backward pass of ``compute``, each once."""
    kept: dict[int, Tensor] = {}  # the tensors themselves, so that no address is used twice

    def keep(t: Tensor) -> Tensor:
        kept[t.untyped_storage().data_ptr()] = t
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        compute()
    return sum(t.untyped_storage().nbytes() for t in kept.values())
