"""Tokens with local geometry: a few centres of a cloud, each with what its neighbours look like.

Level after level, centres are chosen by farthest-point sampling, whose first points are a coarser
one, and gather their nearest neighbours. An edge is a linear function of the neighbour and of the
centre, a centre takes the maximum over its edges, and goes on alone. What is linear is computed
once a point, and never for all pairs. The order of the points changes nothing, nor does padding.

Sources: Qi et al. 2017, https://arxiv.org/abs/1706.02413, section 3.2 (levels); Wang et al. 2019,
https://arxiv.org/abs/1801.07829, section 3.2 (edges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddeq.model.grouping import gathered, grouped


@dataclass(frozen=True)
class TokenConfig:
    """Sizes of the token encoder, one entry for each of its levels.

    Attributes:
        centres: on each level; the last level's are the tokens.
        neighbours: gathered by a centre, itself included.
        widths: of the features.
    """

    centres: tuple[int, ...] = (256, 64)
    neighbours: tuple[int, ...] = (16, 16)
    widths: tuple[int, ...] = (32, 64)

    def __post_init__(self) -> None:
        for name in ("centres", "neighbours", "widths"):  # lists, where they come from a file
            sizes = tuple(getattr(self, name))
            if any(not isinstance(n, int) or not 1 <= n <= 4096 for n in sizes):
                raise ValueError(f"The {name} of tokens are whole numbers from 1 to 4096.")
            object.__setattr__(self, name, sizes)
        if list(self.centres) != sorted(self.centres, reverse=True):
            raise ValueError("The centres of tokens do not grow from level to level.")
        if not 1 <= len(self.centres) == len(self.neighbours) == len(self.widths) <= 8:
            raise ValueError(
                "Each of the 1 to 8 levels of tokens has centres, neighbours, a width."
            )


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
            levels.append(EdgeLevel(dim, inputs, width, (centres, neighbours)))
            inputs = width
        self.levels = nn.ModuleList(levels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tokens:
        """Tokens of clouds ``x (B, M, d_x)``, valid where ``mask (B, M)``."""
        empty = x.new_empty(*x.shape[:2], 0)
        found = Tokens(x, empty, mask)
        for k, level in enumerate(self.levels):
            found = level(found, ordered=k > 0)
        return found

    def shares(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much of each token each point is, ``(B, C, M)``; rows sum to one.

        On every level a centre is shared evenly by the neighbours that it gathered, so a point
        counts as often as there are ways to it. What the network makes of them is not asked: that
        differs from feature to feature.

        Args:
            x: input points ``(B, M, d_x)``.
            mask: ``(B, M)`` bool, True where a point is valid; None if all are. Others have no
                share of valid tokens.
        """
        shares: Tensor | None = None
        for k, level in enumerate(cast(list[EdgeLevel], [*self.levels])):
            groups = grouped(x, mask, level.centres, level.neighbours, ordered=k > 0)
            each = torch.full_like(groups.near, 1 / groups.near.shape[2], dtype=x.dtype)
            zeros = x.new_zeros(*groups.centres.shape, x.shape[1])  # (B, C, M')
            own = zeros.scatter_add(2, groups.near, each)
            shares = own if shares is None else own @ shares
            x, mask = gathered(x, groups.centres), groups.mask
        assert shares is not None  # there is a level at least
        return shares


class EdgeLevel(nn.Module):
    """Centres, the maximum over the edges to their neighbours, and a network on each alone."""

    def __init__(self, dim: int, inputs: int, width: int, sizes: tuple[int, int]) -> None:
        super().__init__()
        self.centres, self.neighbours = sizes
        self.of_neighbour = nn.Linear(dim + inputs, width, bias=False)
        self.of_centre = nn.Linear(dim + inputs, width)
        # Offsets are short beside places: without a norm of their own they would hardly be seen.
        self.edge_norm = nn.LayerNorm(width)
        self.rise, self.fall = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, of: Tokens, ordered: bool) -> Tokens:
        """The next level's tokens; ``ordered`` as of :func:`ddeq.model.grouping.grouped`."""
        x = of.centres
        groups = grouped(x, of.mask, self.centres, self.neighbours, ordered)
        points = torch.cat([x, of.features], 2)  # (B, M, d_x + w')
        centres = gathered(points, groups.centres)  # (B, C, d_x + w')
        # The maximum over j of W (p_j - p_i): the linear W may go first, and -W p_i last.
        farthest = largest(self.of_neighbour(points), groups.near)  # (B, C, w)
        edges = self.edge_norm(farthest - self.of_neighbour(centres))
        t = F.relu(edges + self.of_centre(centres))
        t = self.norm(t + self.fall(F.relu(self.rise(t))))
        return Tokens(centres[..., : x.shape[2]], t, groups.mask)


def largest(t: Tensor, index: Tensor) -> Tensor:
    """The maximum over ``k`` of the rows ``index (B, C, k)`` of ``t (B, M, w)``: ``(B, C, w)``.

    Rows are never laid out side by side, which takes most of the time where it is done.
    """
    offset = torch.arange(len(t), device=t.device).view(-1, 1, 1) * t.shape[1]
    bags = (index + offset).flatten(0, 1)  # (B C, k)
    found = F.embedding_bag(bags, t.flatten(0, 1), mode="max")
    return found.view(*index.shape[:2], -1)
