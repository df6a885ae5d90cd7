"""Classification by one pooled feature of all points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn

from ddeq.model.base import AtOnceClassifier, ModelConfig


@dataclass(frozen=True)
class PointNetConfig(ModelConfig):
    """Sizes of a PointNet.

    Attributes:
        input_dim: 2 or 3.
        classes: number of classes.
        points: widths of the layers that see each point alone; the last one is pooled.
        head: widths of the layers after pooling.
        dropout: rate before the last layer, in training.
        aligned: whether alignment networks turn the points, and their features after the second
            layer. With them the network is the published one, of 3.47 million parameters.
    """

    input_dim: int = 3
    classes: int = 10
    points: tuple[int, ...] = (64, 64, 64, 128, 1024)
    head: tuple[int, ...] = (512, 256)
    dropout: float = 0.3
    aligned: bool = False

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        listed = {k: tuple(plain[k]) for k in ("points", "head") if k in plain}
        return cls(**{**plain, **listed})


class PointLayers(nn.Module):
    """Linear layers with batch normalisation that see each point alone.

    Those that are ``pooled`` leave the last ReLU to :func:`_pooled`, which sees fewer numbers.
    """

    def __init__(self, widths: tuple[int, ...], pooled: bool = False) -> None:
        super().__init__()
        self.pooled = pooled
        self.layers = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.norms = nn.ModuleList(map(nn.BatchNorm1d, widths[1:]))

    def forward(self, t: Tensor) -> Tensor:
        """``(P, widths[0])`` of ``P`` points to ``(P, widths[-1])``."""
        last = len(self.layers) - 1 if self.pooled else -1
        for k, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            t = norm(layer(t))
            t = t if k == last else t.relu()
        return t


class AlignmentNet(nn.Module):
    """A T-Net: from a cloud's features the matrix that turns them, at first the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.points = PointLayers((width, 64, 128, 1024), pooled=True)
        self.head = _head((1024, 512, 256))
        self.matrix = nn.Linear(256, width * width)
        nn.init.zeros_(self.matrix.weight)
        with torch.no_grad():
            self.matrix.bias.copy_(torch.eye(width).flatten())

    def forward(self, t: Tensor, mask: Tensor) -> Tensor:
        """Matrices ``(B, w, w)`` of ``t (P, w)``, the valid points of ``mask (B, M)``."""
        found = self.matrix(self.head(_pooled(self.points(t), mask)))
        return found.view(-1, self.width, self.width)


class PointNet(AtOnceClassifier):
    """Shared layers, a maximum over the points, a head: sees a set, not its order.

    Source: Qi et al. 2017, https://arxiv.org/abs/1612.00593.
    """

    Config = PointNetConfig
    config: PointNetConfig

    def __init__(self, config: PointNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.input_dim, *config.points)
        self.points = PointLayers(widths[:3])
        self.features = PointLayers(widths[2:], pooled=True)
        self.turn_points = AlignmentNet(config.input_dim) if config.aligned else None
        self.turn_features = AlignmentNet(widths[2]) if config.aligned else None
        self.head = nn.Sequential(
            *_head((config.points[-1], *config.head)),
            nn.Dropout(config.dropout),
            nn.Linear(config.head[-1], config.classes),
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Class scores ``(B, classes)`` of points ``x (B, M, d)``, valid where ``mask (B, M)``."""
        return self.scores_and_skew(x, mask)[0]

    def scores_and_skew(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores, and how far the matrices that turn features are from orthogonal ones.

        That is ``|I - A A^T|^2``, the mean over the clouds; to be kept small in training (section
        4.2). Without alignment it is 0.
        """
        t = x[mask]  # (P, d): padding would enter the statistics of the norms
        cloud = mask.nonzero()[:, 0]  # (P,), which cloud a point is of
        skew = x.new_zeros(())
        if self.turn_points is not None:
            t = _turned(t, self.turn_points(t, mask), cloud)
        t = self.points(t)
        if self.turn_features is not None:
            turn = self.turn_features(t, mask)  # (B, w, w)
            gap = torch.eye(turn.shape[1], device=x.device) - turn @ turn.transpose(1, 2)
            skew = gap.square().sum((1, 2)).mean()
            t = _turned(t, turn, cloud)
        return self.head(_pooled(self.features(t), mask)), skew


def _head(widths: tuple[int, ...]) -> nn.Sequential:
    """Layers that see a cloud as one vector."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _turned(t: Tensor, matrices: Tensor, cloud: Tensor) -> Tensor:
    """Points ``t (P, w)``, each by the matrix of its cloud ``(P,)`` out of ``(B, w, w)``."""
    clouds = t.split(cloud.bincount(minlength=len(matrices)).tolist())
    return torch.cat([one @ matrix for one, matrix in zip(clouds, matrices, strict=True)])


def _pooled(t: Tensor, mask: Tensor) -> Tensor:
    """ReLU of the maximum over each cloud's points, ``(B, w)``, of the valid ones ``t (P, w)``."""
    if mask.all():
        return t.view(*mask.shape, -1).max(1).values.relu()
    wide = t.new_full((*mask.shape, t.shape[-1]), -torch.inf)
    wide[mask] = t
    return wide.max(1).values.relu()
