"""Completion by an encoder and a decoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddeq.model.base import Model, ModelConfig


@dataclass(frozen=True)
class PCNConfig(ModelConfig):
    """Sizes of a point completion network.

    Attributes:
        input_dim: 2 or 3.
        width: of the global feature.
        coarse: points of the coarse output.
        folds: points that each coarse point unfolds into.
        total: completed points for each known one, as for a completer.
    """

    input_dim: int = 2
    width: int = 560
    coarse: int = 16
    folds: int = 4
    total: float = 1.275


class PCN(Model):
    """An encoder-decoder in the manner of PCN: two PointNet stages, coarse points, a fold.

    Predicts the missing points only, as the DDEQ does; known points are kept as they are.

    Source: Yuan et al. 2018, https://arxiv.org/abs/1808.00671.
    """

    Config = PCNConfig
    config: PCNConfig

    def __init__(self, config: PCNConfig) -> None:
        super().__init__()
        self.config = config
        w, d = config.width, config.input_dim
        relu = nn.ReLU()
        self.first = nn.Sequential(nn.Linear(d, w // 4), relu, nn.Linear(w // 4, w // 2))
        self.second = nn.Sequential(nn.Linear(w, w), relu, nn.Linear(w, w))
        self.decoder = nn.Sequential(nn.Linear(w, w), relu, nn.Linear(w, d * config.coarse))
        self.fold = nn.Sequential(
            nn.Linear(w + 2 * d, w // 2),
            relu,
            nn.Linear(w // 2, w // 2),
            relu,
            nn.Linear(w // 2, d),
        )
        self.seeds = nn.Parameter(0.1 * torch.randn(config.folds, d))  # stands in for PCN's grid

    def forward(self, known: Tensor, known_mask: Tensor) -> Tensor:
        """Missing points of known ones ``(B, K, d)``: ``(B, folds * coarse, d)``.

        The first ``coarse`` of them are one of each coarse point, and so on, so that any number
        taken from the front is spread over the whole.
        """
        c = self.config
        outside = ~known_mask[..., None]
        local = self.first(known)  # (B, K, w/2)
        pooled = local.masked_fill(outside, -torch.inf).amax(1, keepdim=True).expand_as(local)
        wide = self.second(torch.cat([local, pooled], -1))  # (B, K, w)
        code = wide.masked_fill(outside, -torch.inf).amax(1)  # (B, w)
        coarse = self.decoder(code).unflatten(1, (c.coarse, c.input_dim))  # (B, coarse, d)
        shape = (len(known), c.folds, c.coarse, -1)
        around = torch.cat(
            [
                code[:, None, None].expand(shape),
                coarse[:, None].expand(shape),
                self.seeds[None, :, None].expand(shape),
            ],
            -1,
        )  # (B, folds, coarse, w + 2 d)
        return (coarse[:, None] + self.fold(around)).flatten(1, 2)

    def complete(self, known: Tensor, known_mask: Tensor, count: int) -> Tensor:
        """The first ``count`` missing points, ``(B, count, d)``, repeated if there are fewer."""
        missing = self(known, known_mask)
        return missing[:, torch.arange(count, device=known.device) % missing.shape[1]]
