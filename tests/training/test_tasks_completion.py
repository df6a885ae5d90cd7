"""The losses of completion are what the paper says, and training lowers them."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from ddeq.metrics.distances import chamfer, energy_distance
from ddeq.model.baselines import PCN, PCNConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.kernels import Riesz, mmd2
from ddeq.solve.solvers import Euler, Picard
from ddeq.training.datasets.holes import Holes, Partial, cut
from ddeq.training.datasets.packed import Augmentation, PackedClouds
from ddeq.training.loop import train
from ddeq.training.recipes import Recipe, Solve, Stage
from ddeq.training.tasks import TASKS
from ddeq.training.tasks.completion import (
    BANDWIDTH,
    Given,
    completion_error,
    kde_entropy,
    losses,
    prediction_losses,
)

SIZES = OperatorConfig(latent_dim=16, hidden_dim=4, heads=4, cross_layers=2)


@pytest.fixture(scope="module")
def rings() -> PackedClouds:
    """Circles of 30 points, stretched: what is missing of one is plain to see."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, (64, 30))
    stretch = rng.uniform(0.5, 2, (64, 1))
    clouds = np.stack([np.cos(angles) * stretch, np.sin(angles)], 2)
    return PackedClouds.of(list(clouds), np.zeros(64))


def recipe(kind: str, *stages: Stage, lift: str = "mlp") -> Recipe:
    model = PCNConfig(width=32, coarse=4) if kind == "pcn" else CompleterConfig(SIZES, lift)
    settings = {"solver": "picard", "kernel": "riesz", "steps": 3}
    card = {"points": 30, "settings": settings}
    return Recipe(
        "rings",
        kind,
        "digits",
        0,
        model,
        Augmentation(),
        Holes((1, 1), (0.9, 0.9)),
        0,
        stages,
        card,
    )


def batch_of(rings: PackedClouds) -> Partial:
    g = torch.Generator().manual_seed(0)
    return cut(rings.batch(torch.arange(6), 30, g), Holes((1, 1), (0.9, 0.9)), g)


def given(batch: Partial, start: torch.Tensor, mask: torch.Tensor | None = None) -> Given:
    """Free particles beside a batch, all valid unless masked."""
    mask = torch.ones(start.shape[:2], dtype=torch.bool) if mask is None else mask
    return Given(batch, mask.sum(1), start, mask)


def test_the_missing_points_themselves_complete_without_error(rings):
    batch = batch_of(rings)
    same = (batch.full[:, :, None] == batch.known[:, None]).all(-1) & batch.known_mask[:, None]
    missing = ~same.any(2)
    error = completion_error(batch, batch.full, missing)
    torch.testing.assert_close(error, torch.zeros(6), atol=1e-5, rtol=0)
    assert (completion_error(batch, batch.full + 0.5, missing) > 1e-3).all()


def test_the_error_is_the_energy_distance_of_completed_to_whole(rings):
    batch = batch_of(rings)
    points, mask = (
        torch.randn(6, 5, 2),
        torch.arange(5) < torch.tensor([[5], [2], [3], [1], [4], [5]]),
    )
    points.requires_grad_()
    completed = torch.cat([batch.known, points], 1)
    both = torch.cat([batch.known_mask, mask], 1)
    expected = mmd2(completed, batch.full, Riesz(), both, batch.full_mask)
    found = completion_error(batch, points, mask)
    torch.testing.assert_close(found, expected)
    grads = [torch.autograd.grad(e.sum(), points, retain_graph=True)[0] for e in (found, expected)]
    torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-6)


def test_what_is_missing_is_compared_as_metrics_do(rings):
    """The two further terms against their definitions elsewhere, cloud by cloud."""
    batch = batch_of(rings)
    points = torch.randn(6, 5, 2, generator=torch.Generator().manual_seed(1))
    mask = torch.arange(5) < torch.tensor([[5], [2], [3], [1], [4], [5]])
    found = prediction_losses(batch, points, mask, Stage(1, missing_weight=0.3, chamfer_weight=2))
    free = [p[m].double().numpy() for p, m in zip(points, mask, strict=True)]
    removed = batch.full_mask & ~batch.kept
    missing = [p[m].double().numpy() for p, m in zip(batch.full, removed, strict=True)]
    for term, metric in ((found.missing, energy_distance), (found.chamfer, chamfer)):
        expected = np.mean([metric(a, b) for a, b in zip(free, missing, strict=True)])
        assert float(term) == pytest.approx(expected, rel=1e-4)
    total = found.data + 0.3 * found.missing + 2 * found.chamfer
    torch.testing.assert_close(found.total, total)


@pytest.mark.parametrize("lengths", ["known", "whole"])
def test_lengths_are_measured_by_what_is_known_or_by_the_whole(rings, lengths):
    """By the known points they are as they are, by the whole they do not depend on the unit."""
    batch, mask = batch_of(rings), torch.ones(6, 5, dtype=torch.bool)
    points = torch.randn(6, 5, 2, generator=torch.Generator().manual_seed(1))
    sizes = torch.tensor([0.2, 0.5, 1.0, 2.0, 5.0, 10.0])[:, None, None]
    larger = dataclasses.replace(batch, known=sizes * batch.known, full=sizes * batch.full)
    how = Stage(1, missing_weight=1, chamfer_weight=1, lengths=lengths)
    small, large = (
        prediction_losses(which, p, mask, how)
        for which, p in ((batch, points), (larger, sizes * points))
    )
    for name in ("data", "missing", "chamfer", "total"):
        same = torch.isclose(getattr(small, name), getattr(large, name), rtol=1e-4)
        assert bool(same) == (lengths == "whole"), name


def test_measured_by_the_whole_a_loss_is_that_of_the_standardised_whole(rings):
    batch, mask = batch_of(rings), torch.ones(6, 5, dtype=torch.bool)
    points = torch.randn(6, 5, 2, generator=torch.Generator().manual_seed(1))
    how = Stage(1, missing_weight=1, chamfer_weight=1, lengths="whole")
    found = prediction_losses(batch, points, mask, how)
    apart = []
    for k in range(6):
        whole = batch.full[k, batch.full_mask[k]]
        size = float((whole - whole.mean(0)).square().mean().sqrt())
        removed = batch.full[k, batch.full_mask[k] & ~batch.kept[k]]
        apart.append(chamfer(points[k].double().numpy() / size, removed.double().numpy() / size))
    assert float(found.chamfer) == pytest.approx(np.mean(apart), rel=1e-4)


def test_lengths_of_nothing_else_can_be_asked_for():
    with pytest.raises(ValueError, match="'known' or the 'whole'"):
        Stage(1, lengths="half")


def test_where_nothing_was_removed_nothing_is_missing(rings):
    whole = dataclasses.replace(batch_of(rings), kept=batch_of(rings).full_mask)
    points = torch.randn(6, 5, 2, requires_grad=True)
    mask = torch.ones(6, 5, dtype=torch.bool)
    found = prediction_losses(whole, points, mask, Stage(1, missing_weight=1, chamfer_weight=1))
    assert float(found.missing.detach().abs()) < 1e-6 and float(found.chamfer.detach()) == 0
    found.total.backward()
    assert points.grad is not None and points.grad.isfinite().all()


def test_the_entropy_of_few_points_is_that_of_their_smoothed_density():
    """One point is a Gaussian up to the value of its own density; two far apart are log 2 more."""
    h = BANDWIDTH
    one = kde_entropy(torch.zeros(1, 1, 2), torch.ones(1, 1) > 0).item()
    assert one == pytest.approx(math.log(2 * math.pi * h**2), rel=1e-5)
    two = kde_entropy(torch.tensor([[[0.0, 0], [9, 9]]]), torch.ones(1, 2) > 0).item()
    assert two - one == pytest.approx(math.log(2), rel=1e-5)
    near = torch.tensor([[[0.0, 0], [h, 0]]])
    between = kde_entropy(near, torch.ones(1, 2) > 0).item()
    assert between - one == pytest.approx(-math.log((1 + math.exp(-0.5)) / 2), rel=1e-5)


def test_entropy_ignores_padding():
    g = torch.Generator().manual_seed(0)
    points = torch.randn(1, 8, 2, generator=g)
    wide = torch.cat([points, 100 + points], 1)
    mask = (torch.arange(16) < 8)[None]
    torch.testing.assert_close(kde_entropy(wide, mask), kde_entropy(points, mask[:, :8]))


def test_the_loss_is_taken_at_the_image_of_the_equilibrium(rings):
    torch.manual_seed(0)
    model, batch = Completer(CompleterConfig(SIZES)).eval(), batch_of(rings)
    start, mask = torch.randn(6, 4, 2), torch.ones(6, 4, dtype=torch.bool)
    stage = Stage(1, residual_weight=0.3, entropy_weight=0.1)
    operator = model.encode(batch.known, batch.known_mask, [4] * 6).operator
    z = model.lift(start)
    for steps in (0, 1, 2):
        found = losses(model, given(batch, start, mask), stage, Picard(), steps)
        image = operator(z)
        torch.testing.assert_close(
            found.data, completion_error(batch, model.points(image), mask).mean()
        )
        residual = mmd2(z, image, Riesz()).mean() if steps else torch.tensor(0.0)
        torch.testing.assert_close(found.residual, residual, rtol=1e-3, atol=1e-5)
        expected = found.data + 0.3 * found.residual - 0.1 * found.entropy
        torch.testing.assert_close(found.total, expected)
        z = image


def test_an_unrolled_loss_is_the_mean_over_its_images_and_has_their_gradient(rings):
    torch.manual_seed(0)
    model, batch = Completer(CompleterConfig(SIZES)).eval(), batch_of(rings)
    start, mask = torch.randn(6, 4, 2), torch.ones(6, 4, dtype=torch.bool)
    stage = Stage(1, residual_weight=0.3)
    found = losses(
        model, given(batch, start, mask), dataclasses.replace(stage, unroll=3), Picard(), 0
    )
    alone = [losses(model, given(batch, start, mask), stage, Picard(), k) for k in range(3)]
    torch.testing.assert_close(found.total, torch.stack([one.total for one in alone]).mean())
    # The lift of the start is reached through all three applications.
    (through,) = torch.autograd.grad(found.total, model.lift.shift[2].weight, retain_graph=True)
    (first,) = torch.autograd.grad(alone[0].total, model.lift.shift[2].weight)
    assert not torch.allclose(3 * through, first)


@pytest.mark.parametrize(
    "kind, steps, lift",
    [
        ("completer", (1, 3), "mlp"),
        ("completer", (1, 3), "coupling"),
        ("completer", (0, 0), "linear"),
        ("pcn", None, ""),
    ],
)
def test_training_lowers_the_error(rings, tmp_path, kind, steps, lift):
    solves = (Solve(Picard(), steps),) if steps else ()
    stage = Stage(
        120,
        solves,
        batch_size=32,
        points=30,
        learning_rate=1e-2,
        spread_weight=0.1,
        spread_target=4.0,
    )
    plan = recipe(kind, stage, lift=lift)
    model = train(plan, rings, tmp_path, held_out=rings)
    *_, last = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    fresh = train(recipe(kind, Stage(0, solves), lift=lift), rings, tmp_path / "untrained")
    before = TASKS[kind].validate(fresh, rings, plan, "cpu")["validation_mmd2"]
    assert last["validation_mmd2"] < 0.7 * before
    assert not model.training


@pytest.mark.parametrize(("wanted", "points"), [(None, 30), (12, 12)])
def test_validation_takes_as_many_points_as_it_is_told(rings, monkeypatch, wanted, points):
    asked = []
    batch = rings.batch
    monkeypatch.setattr(
        type(rings), "batch", lambda self, index, n, g: asked.append(n) or batch(index, n, g)
    )
    plan = dataclasses.replace(recipe("pcn"), validate_points=wanted)
    TASKS["pcn"].validate(PCN(plan.model), rings, plan, "cpu")
    assert asked == [points]


def test_the_couplings_scale_gets_no_gradient_and_its_shift_does(rings):
    """Why other lifts are on offer: see the docstring of the coupling."""
    torch.manual_seed(0)
    model, batch = Completer(CompleterConfig(SIZES, "coupling")), batch_of(rings)
    found = losses(model, given(batch, torch.randn(6, 4, 2)), Stage(1), Picard(), 2)
    found.total.backward()
    assert all(p.grad is None or not p.grad.any() for p in model.lift.scale.parameters())
    assert any(p.grad.any() for p in model.lift.shift.parameters())


def test_training_flows_as_completion_does_afterwards(rings, monkeypatch):
    """Free particles hold their share of the mass, so a gradient step is as long in both."""
    torch.manual_seed(0)
    model = Completer(CompleterConfig(OperatorConfig(latent_dim=16, hidden_dim=4, heads=4))).eval()
    batch = batch_of(rings)
    mask = torch.ones(len(batch.known), 5, dtype=torch.bool)
    mask[0, 3:] = False
    start = torch.randn(*mask.shape, 2, generator=torch.Generator().manual_seed(1))
    flowed = []
    monkeypatch.setattr(
        "ddeq.training.tasks.completion._losses_at",
        lambda batch, points, z, *_: flowed.append(z) or prediction_losses(batch, points, mask, s),
    )
    s = Stage(batches=1)
    losses(model, given(batch, start, mask), s, Euler(step_size=1.0), 4)
    encoded = model.encode(batch.known, batch.known_mask, mask.sum(1))
    settings = RunSettings(Euler(step_size=1.0), Riesz(), Limits()).taking(4)
    expected = flow_of(encoded, model.lift(start), settings).run().particles
    torch.testing.assert_close(flowed[0][mask], expected[mask])


def test_half_precision_is_near_and_is_not_the_losses(rings):
    torch.manual_seed(0)
    model = Completer(CompleterConfig(dataclasses.replace(SIZES, particle_dim=2), "none"))
    some = given(batch_of(rings), torch.randn(6, 5, 2))
    full, half = (
        losses(model, some, Stage(1, unroll=2, precision=precision), Picard(), 2)
        for precision in ("float32", "bfloat16")
    )
    assert half.total.dtype == torch.float32 and half.total != full.total
    torch.testing.assert_close(half.total, full.total, rtol=0.03, atol=0)
    weights = [*model.operator.feed_forward.parameters()]
    slopes = [torch.autograd.grad(found.total, weights) for found in (full, half)]
    for exact, quick in zip(*slopes, strict=True):
        assert quick.dtype == torch.float32
        assert torch.cosine_similarity(exact.flatten(), quick.flatten(), dim=0) > 0.9
    with pytest.raises(ValueError, match="precision"):
        Stage(1, precision="float16")
