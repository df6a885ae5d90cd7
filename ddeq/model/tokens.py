"""Tokens with local geometry: a few centres of a cloud, each with what its neighbours look like.

Two levels, as in PointNet++: centres are chosen by farthest-point sampling, each gathers its
nearest neighbours, a small shared network sees them relative to the centre, and the maximum over
them is the centre's feature. The order of the points changes nothing, nor does padding.

Source: Qi et al. 2017, https://arxiv.org/abs/1706.02413, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddeq.model.grouping import gathered, grouped


@dataclass(frozen=True)
class TokenConfig:
    """Sizes of the token encoder, for its two levels.

    Attributes:
        centres: on each level; the second level's are the tokens.
        neighbours: gathered by a centre.
        widths: of the features.
    """

    centres: tuple[int, int] = (256, 64)
    neighbours: tuple[int, int] = (16, 16)
    widths: tuple[int, int] = (32, 64)

    def __post_init__(self) -> None:
        for name in ("centres", "neighbours", "widths"):  # lists, where they come from a file
            pair = tuple(getattr(self, name))
            if len(pair) != 2 or any(not isinstance(n, int) or not 1 <= n <= 4096 for n in pair):
                raise ValueError(f"The {name} of tokens are two whole numbers from 1 to 4096.")
            object.__setattr__(self, name, pair)


@dataclass(frozen=True)
class Tokens:
    """``C`` tokens of each cloud: where they are ``(B, C, d_x)``, ``features (B, C, w)``, and
    ``mask (B, C)`` bool, True where valid; None if all are."""

    centres: Tensor
    features: Tensor
    mask: Tensor | None


class TokenEncoder(nn.Module):
    """A cloud in, its tokens out; see the module."""

    def __init__(self, dim: int, config: TokenConfig) -> None:
        super().__init__()
        sizes = zip(config.centres, config.neighbours, config.widths, strict=True)
        inputs, levels = 0, []
        for centres, neighbours, width in sizes:
            levels.append(LocalLevel(dim, inputs, width, centres, neighbours))
            inputs = width
        self.levels = nn.ModuleList(levels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tokens:
        """Tokens of clouds ``x (B, M, d_x)``, valid where ``mask (B, M)``."""
        empty = x.new_empty(*x.shape[:2], 0)
        found = Tokens(x, empty, mask)
        for level in self.levels:
            found = level(found)
        return found


class LocalLevel(nn.Module):
    """Centres, their neighbours, and the maximum of a small network over them."""

    def __init__(self, dim: int, inputs: int, width: int, centres: int, neighbours: int) -> None:
        super().__init__()
        self.centres, self.neighbours = centres, neighbours
        # The first layer is linear in a neighbour's offset and features and in the centre, so what
        # is of one point alone is computed once a point, and only sums are formed for all pairs.
        self.of_point = nn.Linear(dim + inputs, width)
        self.of_centre = nn.Linear(dim, width, bias=False)
        self.of_pair = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, of: Tokens) -> Tokens:
        x = of.centres
        groups = grouped(x, of.mask, self.centres, self.neighbours)
        centres = gathered(x, groups.centres)  # (B, C, d_x)
        of_points = self.of_point(torch.cat([x, of.features], 2))  # (B, M, w)
        pairs = gathered(of_points, groups.near) + self.of_centre(centres)[:, :, None]
        features = self.of_pair(pairs.relu_()).max(2).values.relu()  # (B, C, k, w) -> (B, C, w)
        return Tokens(centres, self.norm(features), groups.mask)
