"""Classification by one pooled feature of all points."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PointNetConfig:
    """Sizes of a PointNet without its alignment networks.

    Attributes:
        input_dim: 2 or 3.
        classes: number of classes.
        points: widths of the layers that see each point alone; the last one is pooled.
        head: widths of the layers after pooling.
        dropout: rate before the last layer, in training.
    """

    input_dim: int = 3
    classes: int = 10
    points: tuple[int, ...] = (64, 64, 64, 128, 1024)
    head: tuple[int, ...] = (512, 256)
    dropout: float = 0.3

    def to_dict(self) -> dict:
        """Plain values, for a model card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict) -> PointNetConfig:
        """The inverse of :meth:`to_dict`; raises TypeError if it is not one."""
        listed = {k: tuple(plain[k]) for k in ("points", "head") if k in plain}
        return cls(**{**plain, **listed})


class PointNet(nn.Module):
    """Shared layers, a maximum over the points, a head: sees a set, not its order.

    Source: Qi et al. 2017, https://arxiv.org/abs/1612.00593, the variant without T-Nets.
    """

    Config = PointNetConfig

    def __init__(self, config: PointNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.input_dim, *config.points)
        self.layers = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.norms = nn.ModuleList(map(nn.BatchNorm1d, widths[1:]))
        widths = (config.points[-1], *config.head)
        head: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            head += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
        self.head = nn.Sequential(
            *head, nn.Dropout(config.dropout), nn.Linear(widths[-1], config.classes)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Class scores ``(B, classes)`` of points ``x (B, M, d)``, valid where ``mask (B, M)``."""
        valid = x[mask]  # (sum of counts, d): padding would enter the statistics of the norms
        for layer, norm in zip(self.layers, self.norms, strict=True):
            valid = norm(layer(valid)).relu()
        wide = x.new_full((*mask.shape, valid.shape[-1]), -torch.inf)
        wide[mask] = valid
        return self.head(wide.amax(1))
