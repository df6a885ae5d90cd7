"""Classification by points that meet their neighbours, level after level, in residual networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from ddeq.model.base import AtOnceClassifier, ModelConfig
from ddeq.model.baselines.norms import PointNorm
from ddeq.model.grouping import Groups, gathered, grouped


@dataclass(frozen=True)
class PointMLPConfig(ModelConfig):
    """Sizes of a PointMLP.

    Attributes:
        input_dim: 2 or 3.
        classes: number of classes.
        embedding: width in which each point is seen alone.
        centres: points left on each level.
        widths: of the features there.
        neighbours: gathered by a centre, itself included.
        blocks: residual blocks on the centres of a level.
        head: width of the layer after pooling.
        dropout: rate before the last layer, in training.
    """

    input_dim: int = 3
    classes: int = 40
    embedding: int = 32
    centres: tuple[int, ...] = (256, 128, 64, 32)
    widths: tuple[int, ...] = (32, 64, 128, 256)
    neighbours: int = 12
    blocks: int = 2
    head: int = 256
    dropout: float = 0.5

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        listed = {k: tuple(plain[k]) for k in ("centres", "widths") if k in plain}
        return cls(**{**plain, **listed})


class Residual(nn.Module):
    """``ReLU(t + BN(W2 ReLU(BN(W1 t))))``, of each point alone, half as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fall = nn.Linear(width, width // 2, bias=False)
        self.rise = nn.Linear(width // 2, width, bias=False)
        self.fall_norm, self.rise_norm = PointNorm(width // 2), PointNorm(width)

    def forward(self, t: Tensor, mask: Tensor | None) -> Tensor:
        """``t (B, n, w)``, valid where ``mask (B, n)``."""
        inside = self.fall_norm(self.fall(t), mask).relu()
        return (t + self.rise_norm(self.rise(inside), mask)).relu()


class Level(nn.Module):
    """Each centre sees its neighbours, takes the maximum over them, and goes on alone."""

    def __init__(self, dim: int, inputs: int, width: int, sizes: tuple[int, int, int]) -> None:
        super().__init__()
        self.centres, self.neighbours, blocks = sizes
        # A layer that sees a neighbour beside its centre is linear in both, so what is of one
        # point is computed, and normalised, once a point; for all pairs sums alone are formed.
        self.of_point = nn.Linear(dim + inputs, width, bias=False)
        self.of_centre = nn.Linear(dim + inputs, width, bias=False)
        self.point_norm = PointNorm(width)
        self.pair_fall, self.pair_rise = nn.Linear(width, width // 4), nn.Linear(width // 4, width)
        self.norm = PointNorm(width)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(blocks))

    def forward(
        self, x: Tensor, features: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Points ``x (B, M, d)`` with ``features (B, M, w)`` to centres with theirs and a mask."""
        groups = grouped(x, mask, self.centres, self.neighbours)
        # Offsets in units of the groups' size, whatever number of points a cloud has.
        points = torch.cat([x / _size(groups), features], 2)  # (B, M, d + w)
        of_points = self.point_norm(self.of_point(points), mask)  # (B, M, w')
        of_centres = self.of_centre(gathered(points, groups.centres))  # (B, C, w')
        pairs = (gathered(of_points, groups.near) + of_centres[:, :, None]).relu()  # (B, C, k, w')
        pairs = pairs + self.pair_rise(self.pair_fall(pairs).relu())
        t = self.norm(pairs.max(2).values, groups.mask).relu()  # (B, C, w')
        for block in self.blocks:
            t = block(t, groups.mask)
        return gathered(x, groups.centres), t, groups.mask


def _size(groups: Groups) -> Tensor:
    """Root mean square distance of neighbours from their centres, a number a cloud: (B, 1, 1)."""
    square = groups.distances.square().mean(2, keepdim=True)  # (B, C, 1)
    if groups.mask is None:
        return square.mean(1, keepdim=True).sqrt().clamp_min(1e-6)
    valid = groups.mask[..., None]
    mean = (square * valid).sum(1, keepdim=True) / valid.sum(1, keepdim=True)
    return mean.sqrt().clamp_min(1e-6)


class PointMLP(AtOnceClassifier):
    """Farthest-point centres, nearest neighbours, residual networks of points, a maximum, a head.

    After PointMLP, at about the size of its "elite": positions take the part of its geometric
    affine module (offsets are divided by the size of the groups, whose statistics it takes of all
    features), and batches are normalised by points and centres instead of by pairs, which costs a
    half of the time.

    Source: Ma et al. 2022, https://arxiv.org/abs/2202.07123.
    """

    Config = PointMLPConfig
    config: PointMLPConfig

    def __init__(self, config: PointMLPConfig) -> None:
        super().__init__()
        self.config = config
        self.lift = nn.Linear(config.input_dim, config.embedding, bias=False)
        self.lift_norm = PointNorm(config.embedding)
        inputs, levels = config.embedding, []
        for centres, width in zip(config.centres, config.widths, strict=True):
            sizes = (centres, config.neighbours, config.blocks)
            levels.append(Level(config.input_dim, inputs, width, sizes))
            inputs = width
        self.levels = nn.ModuleList(levels)
        self.head = nn.Sequential(
            nn.Linear(inputs, config.head, bias=False),
            nn.BatchNorm1d(config.head),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.head, config.classes),
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Class scores ``(B, classes)`` of points ``x (B, M, d)``, valid where ``mask (B, M)``."""
        valid = None if mask.all() else mask
        t = self.lift_norm(self.lift(x), valid).relu()  # (B, M, w)
        for level in self.levels:
            x, t, valid = level(x, t, valid)
        if valid is not None:
            t = t.masked_fill(~valid[..., None], 0.0)  # features are not negative
        return self.head(t.amax(1))
