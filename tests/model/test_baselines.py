"""The networks compared with see a set: neither its order nor its padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ddeq.model.baselines import PCN, PCNConfig, PointMLPConfig, PointNet, PointNetConfig
from ddeq.model.baselines.pointmlp import _size
from ddeq.model.checkpoints import parameter_count
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.grouping import grouped
from ddeq.model.kinds import KINDS
from ddeq.model.operator import OperatorConfig
from ddeq.training.datasets.holes import Holes
from ddeq.training.datasets.packed import Augmentation, Batch, PackedClouds
from ddeq.training.loop import train
from ddeq.training.recipes import Recipe, Stage
from ddeq.training.tasks import TASKS
from ddeq.training.tasks.classification import SKEW_WEIGHT

SMALL = {
    "pointnet": PointNetConfig(2, 2, (16, 32), (16,)),
    "pointnet-aligned": PointNetConfig(2, 2, (16, 32, 32), (16,), aligned=True),
    "pointmlp": PointMLPConfig(2, 2, 8, (6, 3), (8, 16), 3, 1, 16),
}


def make(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return KINDS[kind.removesuffix("-aligned")](SMALL[kind]).eval()


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


@pytest.mark.parametrize("kind", ["pointnet", "pointnet-aligned", "pointmlp"])
def test_padding_stays_out_of_the_statistics_of_a_batch(kind):
    model = make(kind).train()
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
    plan = Recipe(
        "lines", kind.removesuffix("-aligned"), "digits", 0, sizes, how, Holes(), 0, (stage,), card
    )
    model = train(plan, clouds, tmp_path)
    assert TASKS[plan.kind].validate(model, clouds, plan, "cpu")["validation_accuracy"] > 0.95


def test_alignment_begins_with_the_identity_and_can_turn_a_cloud_back():
    """With the matrix that undoes a turn of the cloud, its scores are those without the turn."""
    model, x = make("pointnet-aligned"), torch.randn(2, 6, 2)
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    plain = PointNet(replace(SMALL["pointnet-aligned"], aligned=False)).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    scores, skew = model.scores_and_skew(x, mask)
    torch.testing.assert_close(scores, plain(x, mask))
    assert skew == 0
    turn = torch.linalg.qr(torch.randn(2, 2, 2)).Q  # one a cloud
    model.turn_points.forward = lambda t, mask: turn.transpose(1, 2)
    torch.testing.assert_close(model(x @ turn, mask), scores)
    torch.nn.init.zeros_(model.turn_features.matrix.bias)
    assert model.scores_and_skew(x, mask)[1] == 32  # |I|^2


def test_training_keeps_alignment_near_orthogonal(monkeypatch):
    model, batch = make("pointnet-aligned"), Batch(*[torch.zeros(2)] * 3)
    skew = torch.tensor(50.0)
    monkeypatch.setattr(model, "scores_and_skew", lambda x, mask: (torch.zeros(2, 3), skew))
    batch = replace(batch, labels=torch.tensor([0, 2]))
    found = TASKS["pointnet"].losses(model, batch, None, Stage(1), None, "cpu")
    torch.testing.assert_close(found.total - found.cross_entropy, SKEW_WEIGHT * skew)


def test_pointmlp_sees_offsets_in_units_of_their_groups():
    """Local shape at another density of points looks alike: sizes are divided by the spacing."""
    x = torch.randn(3, 20, 2)
    sizes = [_size(grouped(k * x, None, 8, 4)) for k in (1, 5)]
    torch.testing.assert_close(sizes[1], 5 * sizes[0])
    mask = torch.arange(20) < torch.tensor([[20], [20], [6]])
    alone = _size(grouped(x[2:, :6], None, 8, 4))
    torch.testing.assert_close(_size(grouped(x, mask, 8, 4))[2:], alone)


def test_architectures_survive_a_model_card():
    for config in (*SMALL.values(), PCNConfig(3)):
        assert type(config).from_dict(config.to_dict()) == config


def test_the_baselines_are_no_smaller_than_what_they_are_compared_with():
    """Of 2-D completion and 3-D classification; and the DDEQ is smaller than PointNet."""
    completer = Completer(CompleterConfig(OperatorConfig(2, cross_layers=3), "mlp"))
    assert parameter_count(PCN(PCNConfig())) > parameter_count(completer)
    classifier = parameter_count(Classifier(ClassifierConfig(OperatorConfig(3))))
    assert parameter_count(PointNet(PointNetConfig())) > classifier
    published = PointNetConfig(classes=40, aligned=True)
    assert parameter_count(PointNet(published)) == pytest.approx(3.47e6, rel=0.01)
