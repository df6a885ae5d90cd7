"""The table of classifiers of objects: clouds, the nearest-neighbour rule, and the numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.evaluation.classification import predict, predict_at_once
from ddeq.evaluation.descriptors import NearestObjects, describe
from ddeq.evaluation.objects import compare, flow_report, mark
from ddeq.evaluation.samplings import CONDITIONS, copied, evenly_spread, sampled
from ddeq.input.clouds import PointCloud
from ddeq.input.labelled import Labelled
from ddeq.input.prepare import prepare
from ddeq.metrics.intervals import wilson_interval
from ddeq.run.settings import with_defaults
from tests import solids

OBJECTS = solids.solids()
KNOWN, TESTED = OBJECTS.part("train"), OBJECTS.part("test")


# Clouds


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_model_gets_the_same_clouds_and_each_sampling_others(condition):
    one, two = (sampled(TESTED, 50, 3, condition) for _ in range(2))
    assert one.labels.tolist() == 3 * TESTED.labels.tolist() and len(one.clouds) == 3 * len(TESTED)
    for a, b in zip(one.clouds, two.clouds, strict=True):
        assert a.tobytes() == b.tobytes() and a.shape[1] == 3 and len(a) <= 50
    assert one.clouds[0].tobytes() != one.clouds[len(TESTED)].tobytes()
    # More samplings begin with the same.
    assert sampled(TESTED, 50, 1, condition).clouds[0].tobytes() == one.clouds[0].tobytes()


def test_conditions_are_what_they_say():
    plain, turned, scanned = (sampled(TESTED, 300, 1, name).clouds for name in CONDITIONS)
    for before, after in zip(plain, turned, strict=True):
        np.testing.assert_allclose(after[:, 2], before[:, 2], atol=1e-5)
        lengths = (np.linalg.norm(x, axis=1) for x in (before, after))
        np.testing.assert_allclose(*lengths, atol=1e-4)
    assert not np.allclose(plain[0], turned[0], atol=0.1)
    # Of a sphere a camera sees a half, whose points are not equally far from their centre.
    ball = TESTED.labels.tolist().index(1)
    radii = [np.linalg.norm(clouds[ball], axis=1) for clouds in (plain, scanned)]
    assert np.ptp(radii[0]) < 0.3 and np.ptp(radii[1]) > 0.5


def test_evenly_spread_clouds_are_those_of_the_app():
    found = evenly_spread(TESTED, 40)
    card = solids.classifier().card
    for k, cloud in enumerate(found.clouds):
        # All points of a small reservoir are taken, in an order of their own.
        x = TESTED.batch(torch.tensor([k]), 10_000, torch.Generator().manual_seed(k)).x[0].numpy()
        expected = prepare(PointCloud(x.astype(np.float64), "object"), card)
        np.testing.assert_allclose(cloud, expected, atol=1e-5)


def test_only_copies_of_known_objects_are_copies():
    assert not copied(TESTED, OBJECTS.part("unlabelled")).any()
    rng = np.random.default_rng(0)
    balls = np.stack([np.concatenate([solids.ball(rng) for _ in range(20)]) for _ in range(2)])
    boxes = np.stack([np.concatenate([solids.box(rng) for _ in range(20)])])
    one, other, box = (
        replace(TESTED, reservoir=torch.from_numpy(x), ids=tuple("abc"[: len(x)]))
        for x in (balls, balls[:1], boxes)
    )
    # Another sampling of the same sphere, or the very same: both are copies.
    assert copied(one, other).tolist() == [True, True]
    assert copied(one, box).tolist() == [False, False]


# The nearest-neighbour rule


@settings(max_examples=25)
@given(st.floats(0, 360), st.floats(0.01, 100), st.integers(0, 23))
def test_a_description_is_blind_to_yaw_size_and_place(angle, scale, k):
    x = OBJECTS.reservoir[k].double().numpy()
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    moved = scale * x @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + 7
    a, b = describe(x), describe(moved)
    assert a.shape == (66,)
    # A distance on the edge of two bins may fall on the other side of it.
    np.testing.assert_allclose(a, b, atol=2 / solids.POINTS)


def test_a_description_tells_lying_from_standing_and_holds_shares():
    x = OBJECTS.reservoir[-1].double().numpy()
    one, two = describe(x), describe(x[:, [2, 1, 0]])
    np.testing.assert_allclose(one[:32], two[:32], atol=1e-12)  # D2 sees no direction
    assert np.abs(one - two)[32:].max() > 0.1
    for part in (one[:32], one[32:48], one[48:64]):
        assert part.min() >= 0 and 0.9 < part.sum() <= 1 + 1e-9


def test_the_distribution_of_distances_on_a_sphere_is_known():
    """On a unit sphere a distance d has density d / 2 on [0, 2], and its mean is 4 / 3."""
    x = np.concatenate([solids.ball(np.random.default_rng(k)) for k in range(4)])
    edges = np.linspace(0, 3, 33) * 4 / 3
    expected = np.diff(np.minimum(edges, 2) ** 2 / 4)
    np.testing.assert_allclose(describe(x)[:32], expected, atol=0.01)


@pytest.mark.parametrize("axes", [[0], [2], [0, 1], [1, 2]])
def test_a_description_is_finite_of_lines_and_sheets(axes):
    cloud = np.zeros((50, 3))
    cloud[:, axes] = np.random.default_rng(0).normal(size=(50, len(axes)))
    assert np.isfinite(describe(cloud)).all()


def test_plain_shapes_are_told_apart_by_their_neighbours():
    rule = NearestObjects(sampled(KNOWN, 200, 1, "turned"), 3)
    data = sampled(TESTED, 200, 2, "turned")
    found = rule(data)
    np.testing.assert_allclose(found.sum(1), 1)
    assert found.argmax(1).tolist() == data.labels.tolist()


def test_a_nearer_neighbour_counts_for_more():
    known = sampled(KNOWN, 200, 1, "turned")
    first = Labelled(known.clouds[:3], np.array([0, 1, 1]))
    rule = NearestObjects(first, 2)
    # Itself at distance 0 outweighs two others that agree.
    assert rule(Labelled(first.clouds[:1], first.labels[:1]))[0, 0] > 0.999
    # Elsewhere votes are inverse distances.
    query = describe(known.clouds[5])
    away = np.array([np.abs(describe(cloud) - query).sum() for cloud in first.clouds])
    expected = 1 / away[0] / (1 / away).sum()
    found = rule(Labelled(known.clouds[5:6], known.labels[5:6]))
    assert found[0, 0] == pytest.approx(expected, rel=1e-6)


# Numbers


def test_networks_without_a_solver_answer_alike_in_any_batch():
    clouds = [
        cloud[: 60 - 4 * k] for k, cloud in enumerate(sampled(TESTED, 60, 2, "turned").clouds)
    ]
    data = Labelled(clouds, np.zeros(len(clouds), np.int64))
    checkpoint = solids.pointnet()
    together = predict_at_once(checkpoint, data, batch_size=5)
    torch.testing.assert_close(together.sum(1), torch.ones(len(data.clouds)))
    for k, cloud in enumerate(data.clouds):
        alone = predict_at_once(checkpoint, Labelled([cloud], data.labels[[k]]))
        torch.testing.assert_close(together[k], alone[0], atol=1e-5, rtol=1e-4)


def test_marks_are_shares_of_samplings_and_votes_of_mean_probabilities():
    labels = np.array([0, 1])
    sure, unsure, wrong = [0.9, 0.1], [0.45, 0.55], [0.1, 0.9]
    #                    object 0, 1
    good = np.array([sure, wrong, unsure, wrong, unsure, sure])  # in three samplings
    bad = 1 - good
    found = mark([good, bad], labels)
    np.testing.assert_allclose(found.single, [[1 / 3, 2 / 3], [2 / 3, 1 / 3]])
    assert found.vote.tolist() == [[1, 1], [0, 0]]  # of object 0 on average (0.6, 0.4)


def two_trainings() -> dict:
    return {
        "ddeq": {"a": solids.classifier(0), "b": solids.classifier(1)},
        "pointnet": {"a": solids.pointnet(0)},
    }


def test_the_table_counts_what_models_say():
    models = two_trainings()
    table = compare(TESTED, KNOWN, models, points=40, samplings=2)
    assert json.loads(json.dumps(table)) == table
    assert (table["objects"], table["points"], table["samplings"]) == (6, 40, 2)
    assert {*table["methods"]} == {"ddeq", "pointnet", "neighbours"}
    data = sampled(TESTED, 40, 2, "as_it_stands")
    for name, answer in {
        "ddeq": lambda c: predict(c, data, with_defaults(c.card, {})).probabilities,
        "pointnet": lambda c: predict_at_once(c, data),
    }.items():
        row = table["methods"][name]
        answers = {k: answer(c).numpy() for k, c in models[name].items()}
        each = {k: (a.argmax(1) == data.labels).mean() for k, a in answers.items()}
        votes = {k: a.reshape(2, 6, 3).mean(0).argmax(1) for k, a in answers.items()}
        assert row["accuracy"]["mean"] == pytest.approx(np.mean([*each.values()]))
        low, high = row["accuracy"]["interval"]
        assert low <= row["accuracy"]["mean"] <= high
        for k, vote in votes.items():
            correct = int((vote == TESTED.labels.numpy()).sum())
            counted = row["vote"]["counts"][k]
            assert (counted["correct"], counted["total"]) == (correct, 6)
            assert counted["interval"] == pytest.approx(wilson_interval(correct, 6))
            assert sum(c["correct"][k] for c in row["classes"].values()) == correct
        assert [c["total"] for c in row["classes"].values()] == [2, 2, 2]
        if len(each) > 1:
            assert row["accuracy"]["trainings"] == pytest.approx(each)
            assert row["accuracy"]["deviation"] == pytest.approx(np.std([*each.values()], ddof=1))
        assert {*row["conditions"]} == {"turned", "scanned", "evenly_spread"}
    means = {name: row["accuracy"]["mean"] for name, row in table["methods"].items()}
    for name in ("pointnet", "neighbours"):
        gap = table["ddeq_minus"][name]["single"]
        assert gap["mean"] == pytest.approx(means["ddeq"] - means[name])
        assert gap["interval"][0] <= gap["mean"] <= gap["interval"][1]
    assert table["methods"]["neighbours"]["accuracy"]["mean"] > 0.8  # as these shapes are plain
    assert table["methods"]["ddeq"]["parameters"] == models["ddeq"]["a"].parameters > 0


def test_without_copies_leaves_out_exactly_these(monkeypatch):
    copies = np.arange(len(TESTED)) % 2 == 0
    monkeypatch.setattr("ddeq.evaluation.objects.copied", lambda *_: copies)
    table = compare(TESTED, KNOWN, {}, points=40, samplings=1)
    assert table["copies_of_known"] == [TESTED.ids[k] for k in np.flatnonzero(copies)]
    assert table["ddeq_minus"] == {}
    row = table["methods"]["neighbours"]["without_copies"]
    assert row["objects"] == 3
    # The same clouds: those of the rest in the table of all.
    rule = NearestObjects(sampled(KNOWN, 40, 1, "turned"), 3)
    data = sampled(TESTED, 40, 1, "as_it_stands")
    right = rule(data).argmax(1) == data.labels
    assert row["accuracy"]["mean"] == pytest.approx(right[~copies].mean())


def test_settings_that_are_said_are_the_ddeqs_alone(monkeypatch):
    models = {"ddeq": {"a": solids.classifier()}, "control": {"a": solids.classifier()}}
    seen = {}

    def watched(checkpoint, data, settings, *more):
        seen.setdefault(id(checkpoint), set()).add(settings.limits.steps)
        return predict(checkpoint, data, settings, *more)

    monkeypatch.setattr("ddeq.evaluation.objects.predict", watched)
    compare(TESTED, KNOWN, models, points=40, samplings=1, said={"steps": 1})
    assert [seen[id(models[name]["a"])] for name in models] == [{1}, {4}]


def test_the_flow_is_reported_step_by_step():
    checkpoint = solids.classifier()
    settings = with_defaults(checkpoint.card, {})
    found = flow_report(checkpoint, TESTED, settings, points=40, samplings=2)
    assert json.loads(json.dumps(found)) == found
    assert [*found["steps_table"]] == ["0", "1", "2", "4"]
    last = found["steps_table"]["4"]
    row = compare(TESTED, KNOWN, {"ddeq": {"a": checkpoint}}, points=40, samplings=2)
    row = row["methods"]["ddeq"]
    assert last["accuracy"] == pytest.approx(row["accuracy"]["mean"])
    assert last["vote"] == row["vote"]["counts"]["a"]["correct"]
    assert found["equilibrium"] == {k: last[k] for k in found["equilibrium"]}
    assert found["stability"]["steps_5x"] == 20
    objectives = [row["median_relative_objective"] for row in found["steps_table"].values()]
    assert objectives[0] == 1 and objectives[-1] < 1


def test_without_objects_there_is_no_table(refused):
    with refused():
        compare(OBJECTS.part("withheld"), KNOWN, {}, points=40)
