"""Groups of neighbours in clouds: a few centres, evenly spread, each with the points nearest to it.

The order of the points changes nothing, nor does padding.

Source: Qi et al. 2017, https://arxiv.org/abs/1706.02413, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """``C`` groups of each cloud.

    Attributes:
        centres: which points they are, ``(B, C)``.
        near: the nearest points of each centre, itself first, ``(B, C, k)``; where a cloud has
            fewer, the nearest stands for the others.
        distances: of those, ``(B, C, k)``.
        mask: ``(B, C)`` bool, True where valid; None if all are.
    """

    centres: Tensor
    near: Tensor
    distances: Tensor
    mask: Tensor | None


def grouped(x: Tensor, mask: Tensor | None, centres: int, neighbours: int) -> Groups:
    """So many centres of clouds ``x (B, M, d)``, valid where ``mask (B, M)``, with neighbours."""
    distances = torch.cdist(x.detach(), x.detach())  # (B, M, M)
    if mask is not None:
        distances = distances.masked_fill(~mask[:, None, :], torch.inf)
    chosen = farthest_points(x, distances, centres, mask)  # (B, C)
    rows = distances.gather(1, chosen[..., None].expand(-1, -1, x.shape[1]))  # (B, C, M)
    lengths, near = rows.topk(min(neighbours, x.shape[1]), largest=False)  # (B, C, k)
    if mask is None:
        return Groups(chosen, near, lengths, None)
    valid = mask.gather(1, near.flatten(1)).view_as(near)
    near, lengths = (torch.where(valid, t, t[..., :1]) for t in (near, lengths))
    count = mask.sum(1, keepdim=True)  # (B, 1)
    return Groups(chosen, near, lengths, torch.arange(chosen.shape[1], device=x.device) < count)


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


def gathered(t: Tensor, index: Tensor) -> Tensor:
    """Rows ``index (B, ...)`` of ``t (B, M, w)``: ``(B, ..., w)``."""
    offset = torch.arange(len(t), device=t.device).view(-1, *[1] * (index.dim() - 1)) * t.shape[1]
    return t.flatten(0, 1).index_select(0, (index + offset).flatten()).view(*index.shape, -1)
