"""Objects in space of three plain kinds, and tiny random models for them."""

from __future__ import annotations

import numpy as np
import torch

from ddeq.model.baselines import PCN, PCNConfig, PointNet, PointNetConfig
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.training.datasets.objects import ObjectClouds

CLASSES = ("box", "ball", "stick")
POINTS = 600
OPERATOR = OperatorConfig(input_dim=3, latent_dim=16, hidden_dim=4, heads=4)
SETTINGS = {"solver": "picard", "kernel": "riesz", "steps": 4, "tolerance": 0}


def box(rng: np.random.Generator) -> np.ndarray:
    """The surface of a flat box, of other sides each time."""
    x = rng.uniform(-1, 1, (POINTS, 3))
    x[np.arange(POINTS), rng.integers(0, 3, POINTS)] = rng.choice([-1, 1], POINTS)
    return x * [1, rng.uniform(0.7, 1), rng.uniform(0.2, 0.4)]


def ball(rng: np.random.Generator) -> np.ndarray:
    """A sphere."""
    x = rng.normal(size=(POINTS, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def stick(rng: np.random.Generator) -> np.ndarray:
    """An upright cylinder with a foot, of other heights each time."""
    angle, r = rng.uniform(0, 2 * np.pi, POINTS), np.full(POINTS, 0.1)
    z = rng.uniform(0, rng.uniform(2, 3), POINTS)
    foot = rng.uniform(size=POINTS) < 0.3
    z[foot], r[foot] = 0, rng.uniform(0, 0.8, foot.sum())
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def solids() -> ObjectClouds:
    """Four of each kind to train on, one without a label, two of each for validation and test."""
    parts = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    made = [
        (label, part, shape(np.random.default_rng((label, k))))
        for label, shape in enumerate((box, ball, stick))
        for k, part in enumerate(parts)
    ]
    made.append((-1, "unlabelled", box(np.random.default_rng(9))))
    labels, names, clouds = zip(*made, strict=True)
    return ObjectClouds(
        torch.from_numpy(np.stack(clouds).astype(np.float32)),
        torch.ones(len(made), dtype=torch.float64),
        torch.tensor(labels),
        tuple(f"object {k}" for k in range(len(made))),
        torch.arange(len(made)),
        names,
        CLASSES,
    )


def classifier(seed: int = 0) -> Checkpoint:
    """A DDEQ."""
    config = ClassifierConfig(OPERATOR, classes=3, particles=5)
    card = {"labels": list(CLASSES), "points": 40, "settings": SETTINGS}
    return _checkpoint(Classifier, config, card, seed)


def pointnet(seed: int = 0) -> Checkpoint:
    """A network that needs no solver."""
    config = PointNetConfig(classes=3, points=(8, 16), head=(8,))
    return _checkpoint(
        PointNet, config, {"kind": "pointnet", "labels": list(CLASSES), "points": 40}, seed
    )


def completer(seed: int = 0) -> Checkpoint:
    """A DDEQ that completes."""
    config = CompleterConfig(OPERATOR, lift="mlp", total=2.0)
    card = {"kind": "completer", "points": 1024, "free": "removed", "settings": SETTINGS}
    return _checkpoint(Completer, config, card, seed)


def pcn(seed: int = 0) -> Checkpoint:
    """A network that predicts missing points at once."""
    config = PCNConfig(input_dim=3, width=16, coarse=3, folds=2, total=2.0)
    return _checkpoint(PCN, config, {"kind": "pcn", "points": 1024, "free": "removed"}, seed)


def _checkpoint(kind: type, config: object, card: dict, seed: int) -> Checkpoint:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(config).eval().requires_grad_(False)
    card = {"name": "tiny", "scaling": "isotropic", **card, "architecture": config.to_dict()}
    return Checkpoint(model, card)
