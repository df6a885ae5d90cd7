"""Disturbances do what they say, and what is lost in them is counted input by input."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from ddeq.cli import main
from ddeq.errors import UserError
from ddeq.evaluation.disturbances import CLEAN, DISTURBANCES, OUTLIERS, side_of
from ddeq.evaluation.painted import PICTURES
from ddeq.evaluation.robustness import judge
from ddeq.input.clouds import PointCloud
from ddeq.input.preprocess import standardise
from ddeq.model.checkpoints import save
from ddeq.run.settings import with_defaults
from tests import modelnet, solids
from tests.cli.test_cli import mnist  # noqa: F401
from tools import result_tables

CLOUDS = solids.solids().part("train", "test")
SHAPES = [x.double().numpy() for x in CLOUDS.reservoir[:, :60]]
LABELS = CLOUDS.labels.numpy()
seeds = st.integers(0, 99)


def cloud(seed, count=200):
    return np.random.default_rng(seed).normal(size=(count, 3)) * [1, 2, 3]


def disturbed(name, points, seed=0):
    return DISTURBANCES[name](points, np.random.default_rng((7, seed)))


@pytest.mark.parametrize("name", DISTURBANCES)
@given(seed=seeds)
def test_what_comes_out_is_a_cloud_and_what_went_in_is_as_it_was(name, seed):
    points = cloud(seed)
    before = points.copy()
    found = disturbed(name, points, seed)
    assert found.ndim == 2 and found.shape[1] == 3 and np.isfinite(found).all()
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(disturbed(name, points, seed), found)


@pytest.mark.parametrize("name", ["turned about z", "any of six axes up", "leaning 30 degrees"])
@given(seed=seeds)
def test_turns_keep_distances_and_hands(name, seed):
    points = cloud(seed)
    found = disturbed(name, points, seed)
    np.testing.assert_allclose(pdist(found), pdist(points), rtol=1e-9)
    turn = np.linalg.lstsq(points, found, rcond=None)[0]
    assert np.linalg.det(turn) == pytest.approx(1)


@given(seed=seeds, degrees=st.sampled_from([15, 30]))
def test_what_leans_is_off_the_vertical_by_that_angle(seed, degrees):
    up = disturbed(f"leaning {degrees} degrees", np.array([[0.0, 0.0, 1.0]]), seed)[0]
    assert np.degrees(np.arccos(up[2])) == pytest.approx(degrees)


def test_every_axis_comes_up():
    up = {tuple(disturbed("any of six axes up", np.array([[0, 0, 1.0]]), k)[0]) for k in range(99)}
    assert len(up) == 6


@pytest.mark.parametrize("name", ["rescaled", "shifted"])
@given(seed=seeds)
def test_size_and_place_do_not_matter_to_a_standardised_cloud(name, seed):
    points = cloud(seed)
    first, second = (standardise(x, True).points for x in (points, disturbed(name, points, seed)))
    np.testing.assert_allclose(first, second, atol=1e-5)


@given(seed=seeds)
def test_a_hundredth_of_the_points_lies_elsewhere(seed):
    points = cloud(seed, 300)
    for name, boxes in (("1 % near outliers", 1.5), ("1 % far outliers", 10.0)):
        found = disturbed(name, points, seed)
        moved = (found != points).any(1)
        assert moved.sum() == round(OUTLIERS * len(points))
        middle = (points.min(0) + points.max(0)) / 2
        assert (np.abs(found[moved] - middle) <= boxes / 2 * side_of(points)).all()


@given(seed=seeds)
def test_noise_is_a_share_of_the_longest_side(seed):
    points = cloud(seed, 4000)
    for share in (1, 2, 5):
        error = disturbed(f"noise of {share} %", points, seed) - points
        assert error.std() == pytest.approx(share / 100 * side_of(points), rel=0.05)


def test_parts_are_missing_or_come_several_times():
    points = cloud(0, 400)
    every = {*map(tuple, points)}
    sizes = {"a quarter missing": 300, "half missing": 200, "30 points": 30, "100 points": 100}
    for name, size in sizes.items():
        found = {*map(tuple, disturbed(name, points))}
        assert len(found) == size and found <= every
    repeated = disturbed("one side three times", points)
    _, counts = np.unique(repeated, axis=0, return_counts=True)
    assert sorted(counts) == [1] * 200 + [3] * 200
    floor = disturbed("on a floor", points)[400:]
    assert len(floor) == 200 and (floor[:, 2] == points[:, 2].min()).all()


# what is lost


def reader(disturb):
    return lambda points, rng: PointCloud(disturb(points, rng), "shape")


def nothing(points, rng):
    raise UserError("It cannot be read, so give another.")


def judged(conditions, checkpoint=None):
    checkpoint = checkpoint or solids.classifier()
    settings = with_defaults(checkpoint.card, {})
    return judge(checkpoint, SHAPES, LABELS, conditions, settings)


def test_what_is_lost_is_the_difference_in_accuracy():
    rows = judged({name: reader(DISTURBANCES[name]) for name in (CLEAN, "rescaled", "30 points")})
    assert json.loads(json.dumps(rows)) == rows
    clean = rows[CLEAN]
    assert clean["loss"] == {"mean": 0.0, "interval": [0.0, 0.0]} and clean["total"] == len(LABELS)
    assert rows["rescaled"]["correct"] == clean["correct"]
    for row in rows.values():
        lost = row["loss"]
        assert lost["mean"] == pytest.approx(clean["accuracy"] - row["accuracy"])
        assert lost["interval"][0] <= lost["mean"] <= lost["interval"][1]


def test_what_cannot_be_read_is_wrong():
    rows = judged({CLEAN: reader(DISTURBANCES[CLEAN]), "unreadable": nothing})
    assert rows["unreadable"]["correct"] == 0 and rows["unreadable"]["unread"] == len(LABELS)
    assert rows["unreadable"]["loss"]["mean"] == rows[CLEAN]["accuracy"]


def test_the_table_shows_every_condition(capsys, tmp_path):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    checkpoint = solids.classifier()
    save(checkpoint.model, checkpoint.card, tmp_path / "small.safetensors")
    command = ["evaluate", "robustness", "--data", str(data), "--limit", "4", "--json"]
    assert main([*command, "--model", str(tmp_path / "small.safetensors")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [*found["conditions"]] == [*DISTURBANCES] and found["inputs"] == 4
    rows = result_tables.robustness_table(found).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [*DISTURBANCES]
    assert rows[0].count("%") == 2 and rows[0].endswith("| |")


def test_pictures_of_digits_are_asked_about_where_the_model_is_of_digits(capsys, mnist):  # noqa: F811
    command = ["evaluate", "robustness", "--data", str(mnist), "--model", "digits", "--limit", "3"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [*found["conditions"]] == [*PICTURES]
    assert found["conditions"]["dark on bright"]["unread"] == 0
