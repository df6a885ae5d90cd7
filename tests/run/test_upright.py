"""Which way is up: the customary one, unless another is recognised better by a margin."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.cli import main
from ddeq.evaluation.upright import MOST_LOST, Z, after_choice, judge, learn_margin
from ddeq.input.clouds import PointCloud
from ddeq.input.formats.axes import UP_AXES, turn_back
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint, save
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults
from ddeq.run.upright import choose_up, find_up, six_ways
from tests import modelnet, solids

CLOUDS = solids.solids().part("train", "test")
SHAPES = [x.double().numpy() for x in CLOUDS.reservoir[:, :60]]
scores = st.lists(st.floats(-10, 10), min_size=6, max_size=6)
axes = st.sampled_from(UP_AXES)


@given(scores, axes, st.floats(0, 20))
def test_what_is_chosen_is_customary_or_better_by_the_margin(found, custom, margin):
    chosen = choose_up(found, custom, margin)
    gain = found[UP_AXES.index(chosen)] - found[UP_AXES.index(custom)]
    assert (
        gain > margin if chosen != custom else max(found) - found[UP_AXES.index(custom)] <= margin
    )


@given(scores, axes)
def test_without_a_margin_the_best_is_chosen_and_with_a_large_one_the_customary(found, custom):
    assert found[UP_AXES.index(choose_up(found, custom, 0))] == max(found)
    assert choose_up(found, custom, 1000) == custom


@given(axes, axes)
def test_a_file_turned_to_another_axis_has_the_same_six_ways(axis, other):
    """What is found does not depend on how the object lies in its file."""
    points = np.random.default_rng(0).normal(size=(9, 3))
    ways = six_ways(turn_back(points, axis))
    again = ways[UP_AXES.index(axis)]
    np.testing.assert_allclose(again, points, atol=1e-12)


def told(margin=None):
    checkpoint = solids.classifier()
    card = checkpoint.card if margin is None else {**checkpoint.card, "up_margin": margin}
    return Checkpoint(checkpoint.model, card)


def test_a_cloud_is_turned_to_where_its_class_score_is_greatest():
    model, card = told().model, told().card
    for points in SHAPES[::3]:
        cloud, row = PointCloud(points, "shape"), []
        for way in six_ways(points):
            ready = prepare(PointCloud(way, "shape"), card)
            run = ClassifierRun(told(), ready, with_defaults(card, {}))
            list(run)
            row.append(float(model.logits(run.flow.solution.particles).max()))
        for custom in ("z", "-x"):
            assert find_up(told(0.0), cloud, custom) == choose_up(row, custom, 0)
            assert find_up(told(1e6), cloud, custom) == custom == find_up(told(), cloud, custom)


def made(seed, count=300):
    """Scores and what is right, where being right goes with a better score."""
    rng = np.random.default_rng(seed)
    right = rng.random((count, 6)) < [0.2, 0.2, 0.9, 0.2, 0.2, 0.3]
    return rng.normal(size=(count, 6)) + right, right


@given(st.integers(0, 99))
def test_the_margin_is_the_least_that_costs_upright_objects_little(seed):
    found, right = made(seed)
    margin = learn_margin(found, right)
    whole = right[:, Z].mean()
    assert whole - after_choice(found, right, Z, margin).mean() <= MOST_LOST
    gains = found.max(1) - found[:, Z]
    for smaller in gains[(gains < margin) & (gains > 0)]:
        assert whole - after_choice(found, right, Z, smaller).mean() > MOST_LOST


def test_accuracy_before_and_after_is_that_of_the_axes_chosen():
    found, right = made(0)
    free, stuck = judge(found, right, 0.0), judge(found, right, 1e6)
    for name in ("upright", "any of six axes up"):
        assert stuck[name]["as_it_comes"] == stuck[name]["chosen"]
    best = right[np.arange(len(right)), found.argmax(1)].mean()
    for row in free.values():  # whatever is customary, the best is chosen
        assert row["chosen"]["accuracy"] == pytest.approx(best)
    assert free["upright"]["as_it_comes"]["accuracy"] == right[:, Z].mean()
    assert free["any of six axes up"]["as_it_comes"]["accuracy"] == pytest.approx(right.mean())


def test_the_command_tells_the_card_which_classify_heeds(capsys, tmp_path):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    weights = tmp_path / "small.safetensors"
    save(told().model, told().card, weights)
    assert (
        main(
            [
                "evaluate",
                "upright",
                "--data",
                str(data),
                "--model",
                str(weights),
                "--card",
                "--json",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["up_margin"] == pytest.approx(found["up_margin"], abs=1e-4)
    assert card["results"]["upright"]["shapes"] == found["shapes"] == 9
    weights.with_suffix(".json").write_text(json.dumps({**card, "up_margin": 0.0}))
    turned = 0
    for k, points in enumerate(SHAPES[:6]):
        path = tmp_path / f"{k}.xyz"
        np.savetxt(path, points)
        notes = {}
        for more in ([], ["--up", "z"]):
            assert main(["classify", str(path), "--model", str(weights), "--json", *more]) == 0
            notes[len(more)] = json.loads(capsys.readouterr().out)["notes"]
        turned += any("recognised best that way; --up says otherwise." in n for n in notes[0])
        assert not any("recognised best" in note for note in notes[2])
    assert turned
