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
        x, mask = of.centres, of.mask
        distances = torch.cdist(x.detach(), x.detach())  # (B, M, M)
        if mask is not None:
            distances = distances.masked_fill(~mask[:, None, :], torch.inf)
        chosen = farthest_points(x, distances, self.centres, mask)  # (B, C)
        rows = distances.gather(1, chosen[..., None].expand(-1, -1, x.shape[1]))  # (B, C, M)
        near = rows.topk(min(self.neighbours, x.shape[1]), largest=False).indices  # (B, C, k)
        if mask is not None:  # where a cloud has fewer points, its nearest stand for the others
            valid = mask.gather(1, near.flatten(1)).view_as(near)
            near = torch.where(valid, near, near[..., :1])
        centres = _gathered(x, chosen)  # (B, C, d_x)
        of_points = self.of_point(torch.cat([x, of.features], 2))  # (B, M, w)
        pairs = _gathered(of_points, near) + self.of_centre(centres)[:, :, None]  # (B, C, k, w)
        features = self.of_pair(pairs.relu_()).max(2).values.relu()  # (B, C, w)
        count = None if mask is None else mask.sum(1, keepdim=True)  # (B, 1)
        kept = None if mask is None else torch.arange(chosen.shape[1], device=x.device) < count
        return Tokens(centres, self.norm(features), kept)


def farthest_points(x: Tensor, distances: Tensor, count: int, mask: Tensor | None) -> Tensor:
    """Farthest-point sampling of ``count`` points of each cloud: their indices ``(B, C)``.

    Begins with the point farthest from the cloud's centre, so the order of the points does not
    matter. A cloud with fewer valid points repeats some of them, last.

    Args:
        x: ``(B, M, d)``, with ``mask (B, M)``.
        distances: among the points, ``(B, M, M)``.
        count: points to choose; all, if there are no more.
        mask: True where a point is valid; None if all are.

    Source: Eldar et al. 1997, https://doi.org/10.1109/83.623193.
    """
    weight = torch.ones_like(x[..., 0]) if mask is None else mask.to(x.dtype)  # (B, M)
    centre = (weight[..., None] * x).sum(1, keepdim=True) / weight.sum(1)[:, None, None]
    from_centre = (x - centre).square().sum(2)  # (B, M)
    outside = -1.0  # never the farthest
    if mask is not None:
        from_centre = from_centre.masked_fill(~mask, outside)
    here = from_centre.argmax(1)  # (B,)
    cloud = torch.arange(len(x), device=x.device)
    gap = x.new_full(x.shape[:2], torch.inf)  # to the nearest point chosen
    if mask is not None:
        gap = gap.masked_fill(~mask, outside)
    chosen = [here]
    for _ in range(min(count, x.shape[1]) - 1):
        gap = torch.minimum(gap, distances[cloud, here])
        here = gap.argmax(1)
        chosen.append(here)
    return torch.stack(chosen, 1)


def _gathered(t: Tensor, index: Tensor) -> Tensor:
    """Rows ``index (B, ...)`` of ``t (B, M, w)``: ``(B, ..., w)``."""
    offset = torch.arange(len(t), device=t.device).view(-1, *[1] * (index.dim() - 1)) * t.shape[1]
    return t.flatten(0, 1).index_select(0, (index + offset).flatten()).view(*index.shape, -1)
