"""The kinds of model there are, by the name that recipes and model cards call them."""

from __future__ import annotations

from torch import nn

from ddeq.model.baselines import PCN, PointMLP, PointNet, SetTransformer
from ddeq.model.classifier import Classifier
from ddeq.model.completer import Completer

KINDS: dict[str, type[nn.Module]] = {
    "classifier": Classifier,
    "completer": Completer,
    "pcn": PCN,
    "pointmlp": PointMLP,
    "pointnet": PointNet,
    "set-transformer": SetTransformer,
}
"""Each is made from its ``Config``, a dataclass with ``to_dict`` and ``from_dict``."""
