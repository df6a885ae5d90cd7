"""Recipes are read strictly, and training lowers the loss, resumes, and has a control."""

import dataclasses
import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.optim.swa_utils import AveragedModel

from ddeq.model.classifier import ClassifierConfig
from ddeq.model.kinds import KINDS
from ddeq.model.operator import OperatorConfig
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings
from ddeq.solve.gradients import GRADIENTS
from ddeq.solve.solvers import Momentum, Picard
from ddeq.training.datasets.holes import Holes
from ddeq.training.datasets.packed import Augmentation, PackedClouds
from ddeq.training.loop import TrainingState, endless_batches, train
from ddeq.training.recipes import Recipe, Solve, Stage, load_recipe
from ddeq.training.tasks import TASKS
from ddeq.training.tasks.classification import losses, prediction_losses

TASK = TASKS["classifier"]
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
FAMILY = {
    "modelnet-50k": pytest.approx(50_000, rel=0.2),
    "modelnet-200k": pytest.approx(200_000, rel=0.2),
    "modelnet-800k": pytest.approx(800_000, rel=0.2),
    "modelnet-paper": 1_173_544,
}
PEERS = {
    "modelnet-pointnet": pytest.approx(3.47e6, rel=0.01),
    "modelnet-pointmlp": pytest.approx(400_000, rel=0.2),
}
GOOD = """
name = "small"
seed = 3
validation = 10
[model]
classes = 2
[model.operator]
latent_dim = 16
heads = 4
[card]
labels = ["a", "b"]
points = 20
settings = { solver = "picard", kernel = "riesz" }
[[stages]]
batches = 5
solves = [{ solver = "picard", steps = [1, 8] },
          { solver = "momentum", steps = [3, 3], step_size = 2.0, share = 0.5 }]
"""


def recipe(*stages: Stage, **changes: object) -> Recipe:
    sizes = OperatorConfig(latent_dim=16, hidden_dim=4, heads=4)
    plain = Recipe(
        name="strokes",
        kind="classifier",
        data="digits",
        seed=0,
        model=ClassifierConfig(sizes, classes=2, particles=4),
        augmentation=Augmentation(jitter=0.01),
        holes=Holes(),
        validation=0,
        stages=stages,
        card={},
    )
    return dataclasses.replace(plain, **changes)


def stage(batches: int = 10, steps: tuple[int, int] = (1, 4), **changes: object) -> Stage:
    plain = Stage(batches, (Solve(Picard(), steps),), batch_size=16, points=20, learning_rate=3e-3)
    return dataclasses.replace(plain, **changes)


@pytest.fixture(scope="module")
def clouds() -> PackedClouds:
    """Thick strokes of different numbers of points, half of them rising and half falling."""
    rng = np.random.default_rng(0)
    strokes = []
    for i in range(64):
        t = rng.uniform(-1, 1, size=rng.integers(10, 24))
        stroke = np.stack([t, t if i % 2 else -t], axis=1)
        strokes.append(stroke + 0.1 * rng.normal(size=stroke.shape))
    return PackedClouds.of(strokes, np.arange(64) % 2)


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# Recipes


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_of_the_repository_loads(path):
    found = load_recipe(path)
    assert found.stages and found.card["validation"] == found.validation
    assert found.card["kind"] == found.kind
    if found.kind == "classifier":
        assert len(found.card["labels"]) == found.model.classes
    if all(one.solves for one in found.stages):
        RunSettings.from_dict(found.card["settings"])
    for one in found.stages:
        for batch in (0, one.batches // 2, one.batches - 1):
            assert 0 <= one.learning_rate_at(batch) <= one.learning_rate


def test_every_kind_of_model_has_a_task():
    assert set(TASKS) == set(KINDS)


def test_there_are_recipes():
    assert {"digits", "digits-control"} <= {path.stem for path in RECIPES}


OF_A_FLOW = ("solves", "unroll", "residual_weight", "spread_weight", "spread_target")
"""What a stage says of its flow, and of how equilibria are to be."""
RATE = ("learning_rate", "warmup")


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        ("digits", {}),
        # Going on without a flow, the control needs no new warm-up in its last stage.
        ("completion-digits", {2: RATE}),
    ],
)
def test_the_control_differs_from_the_model_by_its_flow_alone(name, otherwise):
    """In each stage the same clouds, losses and learning rates, but for what is named."""
    model, control = (
        load_recipe(p) for p in (RECIPES[0].parent / f"{n}.toml" for n in (name, f"{name}-control"))
    )
    for k, (ours, theirs) in enumerate(zip(model.stages, control.stages, strict=True)):
        assert all(solve.steps == (0, 0) for solve in theirs.solves) and theirs.unroll == 1
        assert theirs.residual_weight == 0
        assert theirs.spread_weight in (0, ours.spread_weight)
        same = {field: getattr(ours, field) for field in (*OF_A_FLOW, *otherwise.get(k, ()))}
        assert dataclasses.replace(theirs, **same) == ours
    for card in (model.card, control.card):
        settings = card.pop("settings")
        assert (settings["solver"], settings["kernel"]) == ("picard", "riesz")
    assert settings["steps"] == 1  # the control's
    assert control.card.pop("name") == control.name == f"{model.card.pop('name')}-control"
    same = {"name": model.name, "stages": model.stages}
    assert dataclasses.replace(control, **same) == model


@pytest.mark.parametrize(
    "path",
    [p for p in RECIPES if p.stem in {*FAMILY, "objects", "completion-objects"}],
    ids=lambda path: path.stem,
)
def test_a_control_differs_by_the_number_of_applications_alone(path):
    flowing = load_recipe(path)
    control = flowing.control()
    for a, b in zip(flowing.stages, control.stages, strict=True):
        assert b.unroll == 1 and all(solve.steps == (0, 0) for solve in b.solves)
        back = [
            dataclasses.replace(s, steps=t.steps) for s, t in zip(b.solves, a.solves, strict=True)
        ]
        assert dataclasses.replace(b, unroll=a.unroll, solves=tuple(back)) == a
    settings = {**control.card["settings"]}
    assert (settings.pop("steps"), settings.pop("tolerance")) == (1, 0)
    assert settings.items() <= flowing.card["settings"].items()
    same = {"name": flowing.name, "stages": flowing.stages, "card": flowing.card}
    assert dataclasses.replace(control, **same) == flowing


def test_the_family_and_its_peers_differ_by_their_networks_and_schedules_alone(refused):
    """The same data, points, augmentation, labels and way of averaging."""
    found = {name: load_recipe(RECIPES[0].parent / f"{name}.toml") for name in FAMILY | PEERS}
    first = found["modelnet-200k"]
    for name, recipe in found.items():
        with torch.device("meta"):
            model = KINDS[recipe.kind](recipe.model)
        assert sum(p.numel() for p in model.parameters()) == {**FAMILY, **PEERS}[name]
        card = {k: v for k, v in first.card.items() if k not in ("name", "kind", "settings")}
        assert card.items() <= recipe.card.items()
        same = {"name": name, "model": recipe.model, "card": recipe.card, "kind": recipe.kind}
        assert dataclasses.replace(first, **same, stages=recipe.stages) == recipe
        sizes, ours = (
            {(one.points, one.batch_size, one.label_smoothing) for one in of.stages}
            for of in (recipe, first)
        )
        assert sizes == ours
        if name in FAMILY:
            assert recipe.stages == first.stages
    for name in PEERS:
        assert "settings" not in found[name].card
        with refused():
            found[name].control()


def test_a_recipe_may_stand_on_another(tmp_path, refused):
    (tmp_path / "small.toml").write_text(GOOD)
    own = 'base = "small"\nname = "own"\n[model]\nclasses = 2\n[model.operator]\nheads = 2\n'
    (tmp_path / "own.toml").write_text(own)
    base, found = (load_recipe(tmp_path / f"{name}.toml") for name in ("small", "own"))
    assert (found.name, found.card["name"], found.stages) == ("own", "own", base.stages)
    # A table stands for the whole of the base's.
    assert found.model.operator == OperatorConfig(heads=2)
    assert load_recipe(tmp_path / "own.toml", ["stages.0.batches=9"]).stages[0].batches == 9
    for wrong in ("own", "nothing"):
        (tmp_path / "own.toml").write_text(f'base = "{wrong}"\n')
        with refused():
            load_recipe(tmp_path / "own.toml")


def test_the_loss_is_the_mean_along_the_solve_or_its_end(new_classifier, clouds):
    """With a graph over two applications, whose losses can also be had one by one."""
    model = new_classifier().eval()  # without dropout
    batch = clouds.batch(torch.arange(6), 20, torch.Generator().manual_seed(0))
    z0 = torch.randn(6, 4, model.config.operator.latent_dim)
    along = dataclasses.replace(stage(), unroll=2, separation_weight=0.5, separation_target=9.0)
    at_end = dataclasses.replace(along, supervise="last")
    once = dataclasses.replace(along, unroll=1)
    z1 = model.operator(z0, model.operator.encode(batch.x, batch.mask))
    first = losses(model, batch, once, z0, Picard(), 0).total
    second = losses(model, batch, once, z1, Picard(), 0).total
    torch.testing.assert_close(losses(model, batch, at_end, z0, Picard(), 0).total, second)
    found = losses(model, batch, along, z0, Picard(), 0).total
    torch.testing.assert_close(found, (first + second) / 2)


def test_a_recipe_says_what_it_says(tmp_path):
    (tmp_path / "r.toml").write_text(GOOD)
    found = load_recipe(tmp_path / "r.toml")
    assert (found.name, found.seed, found.validation) == ("small", 3, 10)
    assert found.model.operator.latent_dim == 16 and found.model.classes == 2
    assert found.augmentation == Augmentation()
    expected = (Solve(Picard(), (1, 8)), Solve(Momentum(step_size=2.0), (3, 3), 0.5))
    assert found.stages == (Stage(5, expected),)


@pytest.mark.parametrize(
    "old, new",
    [
        (GOOD, "not TOML at all ["),
        (GOOD, ""),
        ('name = "small"', ""),
        ("seed = 3", ""),
        ("latent_dim = 16", "latent_width = 16"),
        ("batches = 5", "batches = 5\ncolour = 3"),
        ("batches = 5", ""),
        ("batches = 5", 'batches = 5\ngradient = "magic"'),
        ('solver = "momentum"', 'solver = "newton"'),
        ("step_size = 2.0", "step_length = 2.0"),
        ("steps = [1, 8]", ""),
        ("[card]", "[augmentation]\nblur = 1.0\n[card]"),
        ("[[stages]]", "[[phases]]"),
    ],
)
def test_a_recipe_with_something_wrong_is_refused(tmp_path, refused, old, new):
    assert old in GOOD
    (tmp_path / "r.toml").write_text(GOOD.replace(old, new))
    with refused():
        load_recipe(tmp_path / "r.toml")


def test_a_recipe_can_be_varied(tmp_path, refused):
    (tmp_path / "r.toml").write_text(GOOD)
    found = load_recipe(tmp_path / "r.toml", ["seed=9", "name=other", "model.operator.heads=2"])
    assert (found.seed, found.name, found.model.operator.heads) == (9, "other", 2)
    assert found.stages == load_recipe(tmp_path / "r.toml").stages
    for wrong in ("seed", "model.colour=3", "nothing.there=1", "model.operator.heads=3"):
        with refused():
            load_recipe(tmp_path / "r.toml", [wrong])


def test_a_missing_recipe_is_refused(tmp_path, refused):
    with refused():
        load_recipe(tmp_path / "nothing.toml")


# Schedules


@given(st.integers(0, 20), st.integers(2, 100))
def test_the_learning_rate_rises_in_a_line_and_falls_along_a_cosine(warmup, length):
    one = stage(warmup + length, learning_rate=2.0, final_learning_rate=0.5, warmup=warmup)
    rates = [one.learning_rate_at(k) for k in range(warmup + length + 1)]
    for k in range(warmup):
        assert rates[k] == pytest.approx(2.0 * (k + 1) / warmup)
    assert rates[warmup] == pytest.approx(2.0) and rates[-1] == pytest.approx(0.5)
    fall = rates[warmup:]
    assert all(a >= b for a, b in pairwise(fall))
    # Antisymmetric about its middle, as a cosine is.
    for early, late in zip(fall, reversed(fall), strict=True):
        assert early + late == pytest.approx(2.5)


def test_a_longer_decay_is_cut_off_where_the_stage_ends():
    short, long = stage(50, decay=100), stage(100)
    for k in range(50):
        assert short.learning_rate_at(k) == long.learning_rate_at(k)


def test_solves_are_drawn_by_their_shares_and_steps_from_their_range():
    solves = (Solve(Picard(), (2, 4), 0.75), Solve(Momentum(), (9, 9), 0.25))
    one, g = stage(solves=solves), torch.Generator().manual_seed(0)
    drawn = [one.draw(g) for _ in range(2000)]
    counts = [n for solver, n in drawn if solver == Picard()]
    assert len(counts) / 2000 == pytest.approx(0.75, abs=0.05)
    for n in (2, 3, 4):
        assert counts.count(n) / len(counts) == pytest.approx(1 / 3, abs=0.05)
    assert {n for solver, n in drawn if solver == Momentum()} == {9}


@given(st.integers(1, 30), st.integers(1, 10))
def test_batches_see_every_cloud_at_most_once_an_epoch(size, batch_size):
    assume(batch_size <= size)
    batches = endless_batches(size, batch_size, torch.Generator().manual_seed(0))
    epoch = torch.cat([next(batches) for _ in range(size // batch_size)])
    assert len(epoch) == size - size % batch_size == len(epoch.unique())
    assert next(batches).shape == (batch_size,)


# Losses


def test_the_loss_is_the_weighted_sum_of_its_terms(new_classifier, clouds):
    model = new_classifier()
    g = torch.Generator().manual_seed(0)
    batch = clouds.batch(torch.arange(8), 20, g)
    z0 = torch.randn(8, 5, 16, generator=g)
    one = stage(residual_weight=0.3, spread_weight=0.7, spread_target=1e3)
    torch.manual_seed(0)
    found = losses(model, batch, one, z0, Picard(), 3)
    # Far below its target, the spread term is log(target / spread), averaged over clouds.
    collapse = (found.total - found.cross_entropy - 0.3 * found.residual) / 0.7
    assert collapse.item() >= math.log(1e3 / found.spread.item()) - 1e-4  # Jensen
    assert collapse.item() == pytest.approx(math.log(1e3 / found.spread.item()), abs=0.1)
    torch.manual_seed(0)
    wide = losses(model, batch, dataclasses.replace(one, spread_target=1e-9), z0, Picard(), 3)
    expected = found.cross_entropy + 0.3 * found.residual
    torch.testing.assert_close(wide.total, expected)
    assert 0 <= found.correct <= 1 and found.residual >= 0


def test_the_residual_is_made_small_by_plain_gradients_in_every_mode(new_classifier, clouds):
    """It is the distance to the next image, which is no equilibrium's business."""
    model = new_classifier().eval()
    g = torch.Generator().manual_seed(0)
    batch = clouds.batch(torch.arange(4), 20, g)
    z0 = torch.randn(4, 5, 16, generator=g)

    def gradient(mode: str, term: str) -> torch.Tensor:
        one = stage(residual_weight=1.0, gradient=mode)
        loss = getattr(losses(model, batch, one, z0, Picard(), 3), term)
        found = torch.autograd.grad(loss, list(model.operator.parameters()))
        return torch.cat([part.flatten() for part in found])

    plain, phantom = gradient("phantom", "residual"), gradient("phantom", "cross_entropy")
    for mode in ("implicit", "phantom-k"):
        torch.testing.assert_close(gradient(mode, "residual"), plain)
        assert (gradient(mode, "cross_entropy") - phantom).norm() > 0.01 * phantom.norm()


def test_smoothing_trains_on_labels_mixed_with_all_classes():
    scores = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(6)
    found = prediction_losses(scores, labels, stage(label_smoothing=0.2)).total
    smooth = 0.8 * torch.nn.functional.one_hot(labels, 10) + 0.02
    torch.testing.assert_close(found, -(smooth * scores.log_softmax(1)).sum(1).mean())


def test_weight_decay_is_decoupled_from_the_gradient(clouds, tmp_path):
    """After one batch ``learning_rate * weight_decay`` of every weight is gone, no more."""
    plain, rate = recipe(stage(batches=1)), 3e-3
    torch.manual_seed(plain.seed)
    before = weights(KINDS[plain.kind](plain.model))
    without = weights(train(plain, clouds, tmp_path / "without"))
    found = weights(train(dataclasses.replace(plain, weight_decay=0.5), clouds, tmp_path / "with"))
    torch.testing.assert_close(found, without - rate * 0.5 * before, rtol=1e-5, atol=1e-7)


def test_averaged_weights_follow_those_that_are_trained(clouds, tmp_path):
    plain = recipe(stage(batches=3))
    seen = [weights(train(plain, clouds, tmp_path / str(k), until=k)) for k in (1, 2, 3)]
    averaged = dataclasses.replace(plain, average=0.75)
    expected = 0.75 * (0.75 * seen[0] + 0.25 * seen[1]) + 0.25 * seen[2]
    torch.testing.assert_close(weights(train(averaged, clouds, tmp_path / "averaged")), expected)


def test_no_steps_are_one_application_of_f_to_the_start(new_classifier, clouds):
    model = new_classifier().eval()
    g = torch.Generator().manual_seed(0)
    batch = clouds.batch(torch.arange(8), 20, g)
    z0 = torch.randn(8, 5, 16, generator=g)
    found = losses(model, batch, stage(), z0, Picard(), 0)
    context = model.operator.encode(batch.x, batch.mask)
    logits = model.logits(model.operator(z0, context))
    torch.testing.assert_close(
        found.cross_entropy, torch.nn.functional.cross_entropy(logits, batch.labels)
    )
    flowed = losses(model, batch, stage(), z0, Picard(), 1)
    twice = model.operator(model.operator(z0, context), context)
    expected = torch.nn.functional.cross_entropy(model.logits(twice), batch.labels)
    torch.testing.assert_close(flowed.cross_entropy, expected)


@pytest.mark.parametrize("kernel", ["riesz", "gaussian"])
def test_validation_solves_as_the_card_says(new_classifier, clouds, kernel):
    model = new_classifier().eval()
    settings = {"solver": "momentum", "kernel": kernel, "steps": 5, "tolerance": 0, "noise": 0.1}
    plan = recipe(stage(), card={"points": 30, "settings": settings})
    found = TASK.validate(model, clouds, plan, "cpu")
    index = torch.arange(64)
    batch = clouds.batch(index, 30, torch.Generator().manual_seed(0))
    chosen, z0 = RunSettings.from_dict(settings), model.start(range(64))
    flow = flow_of(model.eval().encode(batch.x, batch.mask), z0, chosen, range(64), velocity=False)
    expected = float(flow.run().relative_objective.median())
    assert found["validation_relative_objective"] == pytest.approx(expected, rel=1e-3)


# Training


@pytest.mark.parametrize(
    "changes",
    [
        {"residual_weight": 0.1, "spread_weight": 0.1},
        {"solves": (Solve(Momentum(1.0), (3, 3)),)},
        {"solves": (Solve(Picard(), (0, 0)),)},
    ],
    ids=["picard", "flow", "control"],
)
def test_training_lowers_the_loss(clouds, tmp_path, changes):
    train(recipe(stage(50, learning_rate=1e-2, **changes)), clouds, tmp_path)
    (last,) = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    assert (last["stage"], last["batch"]) == (0, 50)
    assert last["cross_entropy"] < 0.3 < math.log(2)  # log 2 is guessing


@pytest.mark.parametrize("gradient", [name for name in GRADIENTS if name != "phantom"])
def test_other_gradients_train_too(gradient, clouds, tmp_path):
    before = train(recipe(stage(0)), clouds, tmp_path / "untrained")
    plan = recipe(stage(3, steps=(20, 20), gradient=gradient, unroll=2))
    after = train(plan, clouds, tmp_path / "trained")
    assert weights(after).isfinite().all()
    assert not torch.equal(weights(before), weights(after))


def test_the_same_recipe_is_the_same_model(clouds, tmp_path):
    one, two = (train(recipe(stage(6)), clouds, tmp_path / n) for n in "ab")
    other = train(recipe(stage(6), seed=1), clouds, tmp_path / "c")
    assert torch.equal(weights(one), weights(two))
    assert not torch.equal(weights(one), weights(other))
    assert not one.training


def test_a_training_may_begin_with_the_weights_of_another(clouds, tmp_path, refused):
    first = train(recipe(stage(6)), clouds, tmp_path / "first")
    same = train(recipe(stage(0), seed=1), clouds, tmp_path / "same", initial=first)
    further = train(recipe(stage(6), seed=1), clouds, tmp_path / "further", initial=first)
    assert torch.equal(weights(same), weights(first))
    fresh = train(recipe(stage(6), seed=1), clouds, tmp_path / "fresh")
    assert not torch.equal(weights(further), weights(fresh))
    wider = dataclasses.replace(first.config, particles=5)
    with refused():
        train(recipe(stage(0), model=wider), clouds, tmp_path / "other", initial=first)


def test_a_resumed_run_goes_on_where_it_stopped(clouds, tmp_path, monkeypatch):
    """Stopped between two stages, it is bit for bit the run that never stopped."""
    calls = []
    monkeypatch.setattr(
        "ddeq.training.tasks.classification.losses", lambda *a: calls.append(1) or losses(*a)
    )

    def batches_trained() -> int:
        count = len(calls)
        calls.clear()
        return count

    straight = train(recipe(stage(4), stage(3)), clouds, tmp_path / "straight")
    assert batches_trained() == 7
    half = train(recipe(stage(4)), clouds, tmp_path)
    assert batches_trained() == 4
    assert torch.load(tmp_path / "state.pt", weights_only=True)["batch"] == 4
    again = train(recipe(stage(4)), clouds, tmp_path, resume=True)
    assert batches_trained() == 0
    assert torch.equal(weights(again), weights(half))
    longer = train(recipe(stage(4), stage(3)), clouds, tmp_path, resume=True)
    assert batches_trained() == 3
    assert torch.load(tmp_path / "state.pt", weights_only=True)["batch"] == 7
    assert torch.equal(weights(longer), weights(straight))
    assert not torch.equal(weights(longer), weights(half))


def test_the_best_weights_on_the_held_out_clouds_are_kept(clouds, tmp_path):
    card = {"points": 20, "settings": {"solver": "picard", "kernel": "riesz", "steps": 3}}
    how = {"card": card, "validate_every": 10, "keep": "best"}
    plan = recipe(stage(30, learning_rate=1e-2), **how)
    best = train(plan, clouds, tmp_path / "a", held_out=clouds)
    lines = [json.loads(line) for line in (tmp_path / "a/log.jsonl").read_text().splitlines()]
    assert best is not None and "validation_cross_entropy" in lines[-1]
    # A much too large rate at the end must not spoil what was found before.
    wild = recipe(stage(30, learning_rate=1e-2), stage(20, learning_rate=50.0), **how)
    kept = train(wild, clouds, tmp_path / "b", held_out=clouds)
    assert torch.equal(weights(kept), weights(best))
    last = train(dataclasses.replace(wild, keep="last"), clouds, tmp_path / "c", held_out=clouds)
    assert not torch.equal(weights(last), weights(best))


def test_a_run_stopped_on_purpose_can_be_resumed(clouds, tmp_path):
    train(recipe(stage(4)), clouds, tmp_path, until=3)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["batch"] == 3
    train(recipe(stage(4)), clouds, tmp_path, resume=True)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["batch"] == 4


def test_without_resume_training_starts_anew(clouds, tmp_path):
    one = train(recipe(stage(4)), clouds, tmp_path)
    two = train(recipe(stage(4)), clouds, tmp_path)
    assert torch.equal(weights(one), weights(two))


def test_the_state_file_restores_everything_that_changes(new_classifier, tmp_path):
    def fresh(seed: int) -> TrainingState:
        torch.manual_seed(seed)
        model = new_classifier()
        optimiser = torch.optim.Adam(model.parameters(), lr=10.0**-seed)
        generator = torch.Generator().manual_seed(seed)
        return TrainingState(model, AveragedModel(model), optimiser, generator)

    state = fresh(2)
    state.model.readout.linear(torch.ones(1, 16)).sum().backward()
    state.optimiser.step()
    state.averaged.update_parameters(new_classifier())
    state.batch, state.seconds = 17, 2.5
    state.save(tmp_path / "state.pt")
    expected = torch.rand(3), torch.rand(3, generator=state.generator)
    other = fresh(5)
    other.restore(tmp_path / "state.pt")
    assert (other.batch, other.seconds) == (17, 2.5)
    assert torch.equal(weights(other.model), weights(state.model))
    assert torch.equal(weights(other.averaged), weights(state.averaged))
    assert not torch.equal(weights(other.averaged), weights(other.model))
    found = torch.rand(3), torch.rand(3, generator=other.generator)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert other.optimiser.param_groups[0]["lr"] == 0.01
    assert [p.name for p in tmp_path.iterdir()] == ["state.pt"]  # no part left behind


@pytest.mark.parametrize("errors", [[math.nan, 0.5, 0.7], [0.9, math.nan, 0.5], [0.5, math.nan]])
def test_a_validation_that_is_not_a_number_is_never_the_best(clouds, tmp_path, monkeypatch, errors):
    told, kept = iter(errors), []
    monkeypatch.setattr(
        TASK,
        "validate",
        lambda model, *_: kept.append(weights(model)) or {TASK.criterion: next(told)},
    )
    stages = [stage(2) for _ in errors]  # each ends with a validation
    found = train(recipe(*stages, keep="best"), clouds, tmp_path, held_out=clouds)
    assert torch.equal(weights(found), kept[errors.index(0.5)])


def test_a_resumed_run_remembers_the_best_error(clouds, tmp_path, monkeypatch):
    told = iter([0.5, 0.7])
    monkeypatch.setattr(TASK, "validate", lambda *_: {TASK.criterion: next(told)})
    how = {"held_out": clouds, "resume": True}
    first = train(recipe(stage(2), keep="best"), clouds, tmp_path, **how)
    second = train(recipe(stage(2), stage(2), keep="best"), clouds, tmp_path, **how)
    assert torch.equal(weights(second), weights(first))


def test_a_run_saved_on_a_gpu_resumes_on_a_cpu(new_classifier, tmp_path, monkeypatch):
    model = new_classifier()
    optimiser = torch.optim.Adam(model.parameters())
    state = TrainingState(model, AveragedModel(model), optimiser, torch.Generator())
    with monkeypatch.context() as gpu:  # the file says where its tensors were
        gpu.setattr("torch.serialization.location_tag", lambda _: "cuda:0")
        state.save(tmp_path / "state.pt")
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(tmp_path / "state.pt", weights_only=True)
    state.restore(tmp_path / "state.pt")
    assert {p.device.type for p in state.model.parameters()} == {"cpu"}


def test_a_resumed_run_goes_on_with_the_gpus_random_numbers(new_classifier, tmp_path, monkeypatch):
    """On a GPU dropout draws from the GPU's own generator."""
    model = new_classifier()
    optimiser = torch.optim.Adam(model.parameters())
    state = TrainingState(model, AveragedModel(model), optimiser, torch.Generator())
    of_gpu, given = torch.arange(16, dtype=torch.uint8), []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.get_rng_state_all", lambda: [of_gpu])
    monkeypatch.setattr("torch.cuda.set_rng_state_all", given.append)
    state.save(tmp_path / "state.pt")
    state.restore(tmp_path / "state.pt")
    assert torch.equal(given[0][0], of_gpu)
