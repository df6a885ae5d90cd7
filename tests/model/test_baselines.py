"""The networks compared with see a set: neither its order nor its padding."""

import numpy as np
import pytest
import torch

from ddeq.model.baselines import (
    PCN,
    PCNConfig,
    PointNet,
    PointNetConfig,
    SetTransformer,
    SetTransformerConfig,
)
from ddeq.model.checkpoints import parameter_count
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.kinds import KINDS
from ddeq.model.operator import OperatorConfig
from ddeq.training.datasets.holes import Holes
from ddeq.training.datasets.packed import Augmentation, PackedClouds
from ddeq.training.loop import train
from ddeq.training.recipes import Recipe, Stage
from ddeq.training.tasks.classification import validate

SMALL = {
    "pointnet": PointNetConfig(2, 2, (16, 32), (16,)),
    "set-transformer": SetTransformerConfig(2, 2, 16, 4, 4),
}


def make(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return KINDS[kind](SMALL[kind]).eval()


@pytest.mark.parametrize("kind", SMALL)
def test_class_scores_ignore_order_and_padding(kind):
    model, x = make(kind), torch.randn(2, 6, 2)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    scores = model(x, mask)
    assert scores.shape == (2, 2)
    order = [3, 1, 0, 2, 4, 5]
    torch.testing.assert_close(model(x[:, order], mask), scores)
    torch.testing.assert_close(model(x[1:, :4], mask[1:, :4]), scores[1:])
    assert not torch.isclose(model(x + 1, mask), scores).any()


def test_padding_stays_out_of_the_statistics_of_a_batch():
    model = make("pointnet").train()
    x, mask = torch.randn(2, 6, 2), torch.arange(6) < torch.tensor([[6], [3]])
    far = x.masked_fill(~mask[..., None], 1e3)
    torch.manual_seed(0)
    scores = model(x, mask)
    torch.manual_seed(0)
    torch.testing.assert_close(model(far, mask), scores)


def test_pcn_ignores_order_and_padding_of_the_known_points():
    torch.manual_seed(0)
    model = PCN(PCNConfig(width=32, coarse=4)).eval()
    known = torch.randn(2, 6, 2)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    found = model(known, mask)
    assert found.shape == (2, 16, 2)
    torch.testing.assert_close(model(known[:, [3, 1, 0, 2, 4, 5]], mask), found)
    torch.testing.assert_close(found[1:], model(known[1:, :4], mask[1:, :4]))
    many = model.complete(known, mask, 20)
    torch.testing.assert_close(many[:, 16:], many[:, :4])


@pytest.mark.parametrize("kind", SMALL)
def test_training_learns_to_tell_lines_from_rings(kind, tmp_path):
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, (64, 20))
    rings = np.stack([np.cos(np.pi * t), np.sin(np.pi * t)], 2)
    lines = np.stack([t, t**3], 2)
    labels = np.arange(64) % 2
    clouds = PackedClouds.of(list(np.where(labels[:, None, None], lines, rings)), labels)
    stage = Stage(40, batch_size=32, points=20, learning_rate=1e-2)
    sizes, how = SMALL[kind], Augmentation(jitter=0.01)
    card = {"points": 20}
    plan = Recipe("lines", kind, "digits", 0, sizes, how, Holes(), 0, (stage,), card)
    model = train(plan, clouds, tmp_path)
    assert validate(model, clouds, plan, "cpu")["validation_accuracy"] > 0.95


def test_architectures_survive_a_model_card():
    for config in (*SMALL.values(), PCNConfig(3)):
        assert type(config).from_dict(config.to_dict()) == config


def test_the_baselines_are_no_smaller_than_what_they_are_compared_with():
    """Of 2-D completion and 3-D classification; and the DDEQ is smaller than PointNet."""
    completer = Completer(CompleterConfig(OperatorConfig(2, cross_layers=3), "mlp"))
    assert parameter_count(PCN(PCNConfig())) > parameter_count(completer)
    classifier = parameter_count(Classifier(ClassifierConfig(OperatorConfig(3))))
    assert parameter_count(PointNet(PointNetConfig())) > classifier
    assert parameter_count(SetTransformer(SetTransformerConfig())) > classifier
