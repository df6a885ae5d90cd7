"""Networks of the usual kind, trained on the same data, to compare a DDEQ with."""

from ddeq.model.baselines.pcn import PCN, PCNConfig
from ddeq.model.baselines.pointmlp import PointMLP, PointMLPConfig
from ddeq.model.baselines.pointnet import PointNet, PointNetConfig

__all__ = [
    "PCN",
    "PCNConfig",
    "PointMLP",
    "PointMLPConfig",
    "PointNet",
    "PointNetConfig",
]
