"""Classification by attention among the points, through a few inducing ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddeq.model.base import AtOnceClassifier, ModelConfig


@dataclass(frozen=True)
class SetTransformerConfig(ModelConfig):
    """Sizes of a Set Transformer.

    Attributes:
        input_dim: 2 or 3.
        classes: number of classes.
        width: of the attention layers.
        heads: of attention; must divide ``width``.
        inducing: inducing points of each block.
        blocks: induced self-attention blocks.
    """

    input_dim: int = 3
    classes: int = 10
    width: int = 176
    heads: int = 8
    inducing: int = 16
    blocks: int = 2


class AttentionBlock(nn.Module):
    """``MAB(t, s) = LN(h + rFF(h))`` with ``h = LN(t + Attention(t, s, s))``."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(nn.Linear(width, width), nn.ReLU())

    def forward(self, t: Tensor, s: Tensor, outside: Tensor | None = None) -> Tensor:
        """``t (B, n, w)`` attends to ``s (B, m, w)``, but not where ``outside (B, m)`` is True."""
        found, _ = self.attention(t, s, s, key_padding_mask=outside, need_weights=False)
        h = self.norm(t + found)
        return self.norm_out(h + self.feed_forward(h))


class SetTransformer(AtOnceClassifier):
    """Induced self-attention, pooling by attention, a linear read-out.

    Source: Lee et al. 2019, https://arxiv.org/abs/1810.00825.
    """

    Config = SetTransformerConfig
    config: SetTransformerConfig

    def __init__(self, config: SetTransformerConfig) -> None:
        super().__init__()
        self.config = config
        w, heads = config.width, config.heads
        self.lift = nn.Linear(config.input_dim, w)
        self.inducing = nn.Parameter(torch.empty(config.blocks, config.inducing, w))
        nn.init.xavier_uniform_(self.inducing)
        self.gather = nn.ModuleList(AttentionBlock(w, heads) for _ in range(config.blocks))
        self.spread = nn.ModuleList(AttentionBlock(w, heads) for _ in range(config.blocks))
        self.seed = nn.Parameter(torch.randn(1, 1, w))
        self.pool = AttentionBlock(w, heads)
        self.readout = nn.Linear(w, config.classes)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Class scores ``(B, classes)`` of points ``x (B, M, d)``, valid where ``mask (B, M)``."""
        t, outside = self.lift(x), ~mask
        for inducing, gather, spread in zip(self.inducing, self.gather, self.spread, strict=True):
            summary = gather(inducing.expand(len(x), -1, -1), t, outside)  # (B, inducing, w)
            t = spread(t, summary)  # (B, M, w)
        return self.readout(self.pool(self.seed.expand(len(x), -1, -1), t, outside)[:, 0])
