"""The kinds of model there are, by the name that recipes and model cards call them."""

from __future__ import annotations

from ddeq.model.base import Model
from ddeq.model.baselines import PCN, PointMLP, PointNet
from ddeq.model.classifier import Classifier
from ddeq.model.completer import Completer

KINDS: dict[str, type[Model]] = {
    "classifier": Classifier,
    "completer": Completer,
    "pcn": PCN,
    "pointmlp": PointMLP,
    "pointnet": PointNet,
}
