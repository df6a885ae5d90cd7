"""Groups of neighbours in clouds: a few centres, evenly spread, each with the points nearest to it.

The order of the points changes nothing, nor does padding.

Source: Qi et al. 2017, https://arxiv.org/abs/1706.02413, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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


def grouped(
    x: Tensor, mask: Tensor | None, centres: int, neighbours: int, ordered: bool = False
) -> Groups:
    """So many centres of clouds ``x (B, M, d)``, valid where ``mask (B, M)``, with neighbours.

    With ``ordered`` the points lie as :func:`farthest_points` chose them: the first are centres.
    """
    x = x.detach()
    if ordered:
        chosen = torch.arange(min(centres, x.shape[1]), device=x.device).expand(len(x), -1)
    else:
        chosen = farthest_points(x, centres, mask)  # (B, C)
    near = _nearest(x, mask, chosen, min(neighbours, x.shape[1]))  # (B, C, k)
    valid = None
    if mask is not None:
        near = torch.where(mask.gather(1, near.flatten(1)).view_as(near), near, near[..., :1])
        valid = torch.arange(chosen.shape[1], device=x.device) < mask.sum(1, keepdim=True)
    lengths = (gathered(x, near) - gathered(x, chosen)[:, :, None]).norm(dim=3)  # (B, C, k)
    return Groups(chosen, near, lengths, valid)


def _nearest(x: Tensor, mask: Tensor | None, at: Tensor, count: int) -> Tensor:
    """The points nearest to the points ``at (B, C)``, ``(B, C, count)``, nearest first.

    Where a cloud has fewer valid points, anything stands at the end.
    """
    if x.device.type == "cpu":  # trees take a third of the time of all distances
        return _nearest_by_trees(x, mask, at, count)
    distances = torch.cdist(gathered(x, at), x)  # (B, C, M)
    if mask is not None:
        distances = distances.masked_fill(~mask[:, None, :], torch.inf)
    return distances.topk(count, largest=False).indices


def _nearest_by_trees(x: Tensor, mask: Tensor | None, at: Tensor, count: int) -> Tensor:
    from scipy.spatial import cKDTree  # slow to import, and digits need no tokens

    every = np.arange(x.shape[1])
    found = np.empty((*at.shape, count), np.int64)
    for k, (points, centres) in enumerate(zip(x.numpy(), at.numpy(), strict=True)):
        valid = every if mask is None else every[mask[k].numpy()]
        tree = cKDTree(points[valid], balanced_tree=False, compact_nodes=False)
        some = min(count, len(valid))
        near = tree.query(points[centres], some)[1].reshape(-1, some)
        found[k, :, :some] = valid[near]
        found[k, :, some:] = found[k, :, :1]
    return torch.from_numpy(found)


def farthest_points(x: Tensor, count: int, mask: Tensor | None) -> Tensor:
    """Farthest-point sampling of ``count`` points of each cloud: their indices ``(B, C)``.

    Begins with the point farthest from the cloud's centre, so the order of the points does not
    matter. A cloud with fewer valid points repeats some of them, last.

    Args:
        x: ``(B, M, d)``, with ``mask (B, M)``.
        count: points to choose; all, if there are no more.
        mask: True where a point is valid; None if all are.

    Source: Eldar et al. 1997, https://doi.org/10.1109/83.623193.
    """
    weight = torch.ones_like(x[..., 0]) if mask is None else mask.to(x.dtype)  # (B, M)
    centre = (weight[..., None] * x).sum(1, keepdim=True) / weight.sum(1)[:, None, None]
    from_centre = (x - centre).square().sum(2)  # (B, M)
    gap = torch.full_like(from_centre, torch.inf)  # squared, to the nearest point chosen
    if mask is not None:
        outside = -1.0  # never the farthest
        from_centre, gap = (t.masked_fill(~mask, outside) for t in (from_centre, gap))
    axes = [axis.contiguous() for axis in x.unbind(2)]  # (B, M) each
    here = from_centre.argmax(1, keepdim=True)  # (B, 1)
    chosen = [here]
    for _ in range(min(count, x.shape[1]) - 1):
        away = torch.zeros_like(gap)
        for axis in axes:
            offset = axis - axis.gather(1, here)
            away.addcmul_(offset, offset)
        gap = torch.minimum(gap, away)
        here = gap.argmax(1, keepdim=True)
        chosen.append(here)
    return torch.cat(chosen, 1)


def gathered(t: Tensor, index: Tensor) -> Tensor:
    """Rows ``index (B, ...)`` of ``t (B, M, w)``: ``(B, ..., w)``."""
    offset = torch.arange(len(t), device=t.device).view(-1, *[1] * (index.dim() - 1)) * t.shape[1]
    return t.flatten(0, 1).index_select(0, (index + offset).flatten()).view(*index.shape, -1)
