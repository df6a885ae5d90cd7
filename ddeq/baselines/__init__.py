"""Networks of the usual kind, trained on the same data, to compare a DDEQ with."""

from ddeq.baselines.pcn import PCN, PCNConfig
from ddeq.baselines.pointnet import PointNet, PointNetConfig
from ddeq.baselines.set_transformer import SetTransformer, SetTransformerConfig

__all__ = [
    "PCN",
    "PCNConfig",
    "PointNet",
    "PointNetConfig",
    "SetTransformer",
    "SetTransformerConfig",
]
