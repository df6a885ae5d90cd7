"""Layers without a graph: each returns its value, and how a gradient comes back.

A step of a gradient flow asks for one product with ``J_F^T`` and nothing else, for which autograd
records a graph of some hundred small operations. Here each layer keeps what it needs and no more.
Nothing is differentiated in parameters, or twice.

Points lie one below another, ``(P, d)``, of all clouds together.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pull = Callable[[Tensor], Tensor]
"""From the gradient in a function's value to that in its argument, as often as one likes."""

_WIDE = 16  # numbers that a processor takes at once: torch is slow at softmax over fewer
_KEPT_UP_TO = 1 << 23  # attention weights: of more, memory had better not grow so
_PAIRS_UP_TO = 1 << 17  # of one head of one cloud: with more, the fused kernel is faster


class Affine(NamedTuple):
    """``t W^T + b`` of ``t (P, i)``: ``(P, o)``; reading a module's parameters costs time."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, *layers: nn.Linear) -> Self:
        """Of layers side by side, as one."""
        if len(layers) == 1:
            return cls(layers[0].weight.detach(), layers[0].bias.detach())
        weights, biases = zip(*((layer.weight, layer.bias) for layer in layers), strict=True)
        return cls(torch.cat(weights).detach(), torch.cat(biases).detach())

    def __call__(self, t: Tensor) -> Tensor:
        return F.linear(t, self.weight, self.bias)


class MLP:
    """``Linear, ReLU, Linear`` of ``t (P, i)``: ``(P, o)``."""

    def __init__(self, layers: nn.Sequential) -> None:
        rise, fall = layers[0], layers[2]
        assert isinstance(rise, nn.Linear) and isinstance(fall, nn.Linear)
        self.rise, self.fall = Affine.of(rise), Affine.of(fall)

    def __call__(self, t: Tensor) -> tuple[Tensor, Pull]:
        hidden = self.rise(t).relu_()

        def pull(g: Tensor) -> Tensor:
            return gated_(g @ self.fall.weight, hidden) @ self.rise.weight

        return self.fall(hidden), pull


def gated_(g: Tensor, rectified: Tensor) -> Tensor:
    """The gradient ``g`` where a ReLU has let something through, in its place."""
    return g.mul_(rectified.sign())


class Norm:
    """``LN(t)`` of ``t (P, d)``, which is kept."""

    def __init__(self, layer: nn.LayerNorm) -> None:
        self.shape, self.eps = list(layer.normalized_shape), layer.eps
        self.weight, self.bias = layer.weight.detach(), layer.bias.detach()

    def __call__(self, t: Tensor) -> tuple[Tensor, Pull]:
        shape, weight, bias = self.shape, self.weight, self.bias
        value, mean, scale = torch.native_layer_norm(t, shape, weight, bias, self.eps)

        def pull(g: Tensor) -> Tensor:
            found: Tensor
            found, _, _ = _norm_backward(g, t, shape, mean, scale, weight, bias, _INPUT_ALONE)
            return found

        return value, pull


_norm_backward = torch.ops.aten.native_layer_norm_backward.default
_INPUT_ALONE = [True, False, False]  # and not weight and bias


class Attended(ABC):
    """What queries ``(G, N, e)`` have seen of keys and values ``(G, M, e)``, by groups.

    A group is a head of a cloud.

    Attributes:
        value: ``softmax(q k^T / sqrt(e)) v``, ``(G, N, e)``.
    """

    value: Tensor

    @abstractmethod
    def pull(self, g: Tensor) -> Tensor:
        """The gradient in the queries, of one in the value; ``(G, N, e)`` both."""

    @abstractmethod
    def pull_all(self, g: Tensor, last: int) -> tuple[Tensor, Tensor, Tensor]:
        """The same, and the gradients in the ``last`` keys and values, ``(G, last, e)`` each."""


def attend(query: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None) -> Attended:
    """What queries ``(G, N, e)`` see of keys and values ``(G, M, e)``.

    Args:
        query, keys, values: of ``G = B heads`` groups.
        hidden: ``(B, 1, 1, M)`` bool, True where nothing is to be seen; None if nowhere is.
    """
    pairs = query.shape[1] * keys.shape[1]
    few = pairs <= _PAIRS_UP_TO and query.shape[0] * pairs <= _KEPT_UP_TO
    return (Kept if few else Fused)(query, keys, values, hidden)


class Kept(Attended):
    """Attention that keeps the weights ``(G, N, M)`` of all pairs."""

    def __init__(self, query: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None) -> None:
        self.scale = 1 / math.sqrt(query.shape[-1])
        self.query, self.keys, self.values = query * self.scale, keys, values
        scores = torch.bmm(self.query, keys.mT)  # (G, N, M)
        if hidden is not None:
            scores.view(len(hidden), -1, *scores.shape[1:]).masked_fill_(hidden, -math.inf)
        self.weights = _softmax_(scores)
        self.value = torch.bmm(self.weights, values)

    def pull(self, g: Tensor) -> Tensor:
        return self._of_query(self._of_scores(g))

    def pull_all(self, g: Tensor, last: int) -> tuple[Tensor, Tensor, Tensor]:
        of_scores = self._of_scores(g)
        of_keys = torch.bmm(of_scores[..., -last:].mT, self.query)
        of_values = torch.bmm(self.weights[..., -last:].mT, g)
        return self._of_query(of_scores), of_keys, of_values

    def _of_scores(self, g: Tensor) -> Tensor:
        """Softmax takes a gradient ``h`` back to ``w (h - <w, h>)``, in place of ``h``."""
        h, w = torch.bmm(g, self.values.mT), self.weights  # (G, N, M)
        # <w, h> = <w, v^T g> = <v w, g>, which is a sum over fewer numbers.
        return h.sub_((self.value * g).sum(-1, keepdim=True)).mul_(w)

    def _of_query(self, of_scores: Tensor) -> Tensor:
        return torch.bmm(of_scores, self.keys).mul_(self.scale)


class Fused(Attended):
    """Attention by the fused kernel and its own graph: memory grows with the points alone."""

    def __init__(self, query: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None) -> None:
        groups = 1 if hidden is None else len(hidden)  # the kernel wants (B, heads, N, e)
        self.inputs = [t.unflatten(0, (groups, -1)).detach() for t in (query, keys, values)]
        with torch.enable_grad():
            for t in self.inputs:
                t.requires_grad_()
            mask = None if hidden is None else ~hidden
            q, k, v = self.inputs
            self.graph = F.scaled_dot_product_attention(q, k, v, mask)
        self.value = self.graph.detach().flatten(0, 1)

    def pull(self, g: Tensor) -> Tensor:
        return self.pull_all(g, 1)[0]

    def pull_all(self, g: Tensor, last: int) -> tuple[Tensor, Tensor, Tensor]:
        found = torch.autograd.grad(self.graph, self.inputs, g.view_as(self.graph), True)
        query, keys, values = (t.flatten(0, 1) for t in found)
        return query, keys[:, -last:], values[:, -last:]


def _softmax_(scores: Tensor) -> Tensor:
    """Softmax over the last dimension, in place where that is faster."""
    if scores.shape[-1] >= _WIDE:
        return scores.softmax(-1)
    scores.sub_(scores.amax(-1, keepdim=True)).exp_()
    return scores.div_(scores.sum(-1, keepdim=True))
