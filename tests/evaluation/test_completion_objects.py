"""Completions of objects: how they are cut, what a nearest neighbour copies, and the table."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from ddeq.evaluation.cases import Case
from ddeq.evaluation.completion import compare, decode, score, solve
from ddeq.evaluation.mirror import mirror
from ddeq.evaluation.object_cases import CUTS, WORN, cut_objects
from ddeq.evaluation.object_neighbours import RADIUS, ObjectNeighbours
from ddeq.evaluation.recognition import recognition
from ddeq.input.preprocess import standardise
from ddeq.metrics.distances import chamfer
from ddeq.run.settings import with_defaults
from tests import solids

METRICS = {"mmd2", "chamfer", "chamfer_squared", "emd", "f_score", "f_score_2"}
OBJECTS = solids.solids()
TESTED = OBJECTS.part("test")


@pytest.fixture(scope="module")
def cases() -> list:
    return cut_objects(TESTED, 200)[0]


# Cuts


def test_each_object_is_cut_in_three_ways(cases):
    assert [case.cut for case in cases] == list(CUTS) * len(TESTED)
    assert [case.number for case in cases] == list(range(3 * len(TESTED)))
    for k in range(len(TESTED)):
        group = cases[3 * k : 3 * k + 3]
        assert {case.group for case in group} == {int(TESTED.groups[k])}
        wholes = [{*map(tuple, case.whole)} for case in group]
        assert wholes[0] == wholes[1] == wholes[2] and len(wholes[0]) == 200
    for case in cases:
        assert case.free == len(case.removed) >= 1 and len(case.known) >= 3
        np.testing.assert_allclose(case.whole.mean(0), 0, atol=1e-5)
        assert case.whole.var(0).mean() == pytest.approx(1, abs=1e-4)
        # The models see the known points standardised by themselves, with their proportions.
        np.testing.assert_allclose(case.standard.points.mean(0), 0, atol=1e-5)
        assert len({*case.standard.scale}) == 1
        np.testing.assert_allclose(case.standard.undo(case.standard.points), case.known, atol=1e-5)


def test_cuts_are_the_objects_own_whatever_comes_with_it(cases):
    few, _ = cut_objects(OBJECTS.part("test"), 200)
    for one, two in zip(few, cases, strict=True):
        assert one.known.tobytes() == two.known.tobytes()


def test_what_a_cut_removes_lies_where_it_should(cases):
    for case in cases:
        if case.cut == "sphere":
            # As many as the ball of its radius about a point of the object holds.
            gaps = [
                np.linalg.norm(case.whole - centre, axis=1).argsort()[: case.free]
                for centre in case.removed
            ]
            removed = set(range(len(case.known), len(case.whole)))
            assert any({*gap.tolist()} == removed for gap in gaps)
            assert 0.1 < case.free / len(case.whole) < 0.45
        if case.cut == "plane":
            apart = case.known.mean(0) - case.removed.mean(0)
            assert np.linalg.norm(apart) > 0.5
            assert 0.15 < case.free / len(case.whole) < 0.55


def test_objects_of_which_too_little_is_left_are_counted():
    _, skipped = cut_objects(TESTED, 3)
    found, _ = cut_objects(TESTED, 3)
    assert skipped == 3 * len(TESTED) - len(found) > 0


# The nearest neighbour


@pytest.mark.parametrize("turn", range(4))
def test_a_neighbour_that_is_the_object_itself_gives_the_missing_part(turn):
    lopsided = solids.solids()  # so that each quarter turn shows
    lopsided.reservoir[..., 2] += ((lopsided.reservoir[..., :2] > 0).all(-1)).float()
    cases, _ = cut_objects(lopsided.part("test"), solids.POINTS)
    c, s = [(1, 0), (0, 1), (-1, 0), (0, -1)][turn]
    turned = lopsided.part("test", "train")
    matrix = torch.tensor([[c, s, 0], [-s, c, 0], [0, 0, 1]]).float()
    turned.reservoir.copy_(turned.reservoir @ matrix)
    neighbours = ObjectNeighbours(turned)
    for case in cases:
        points = neighbours.complete(case)
        assert len(points) == case.free
        # All that is copied is the object's own and not known.
        assert cKDTree(case.whole).query(points)[0].mean() < 0.15
        assert cKDTree(case.known).query(points)[0].min() > RADIUS
    planes = [case for case in cases if case.cut == "plane"]
    copied = [chamfer(neighbours.complete(case), case.removed) for case in planes]
    elsewhere = [chamfer(case.known, case.removed) for case in planes]
    assert np.mean(copied) < 0.5 * np.mean(elsewhere)


def test_a_neighbour_without_anything_new_is_passed_over(cases):
    case = cases[0]
    whole = torch.from_numpy(case.known.astype(np.float32))[None]
    same = OBJECTS.part("test")
    same = type(same)(
        whole, same.areas[:1], same.labels[:1], ("same",), same.groups[:1], ("test",), same.classes
    )
    points = ObjectNeighbours(same).complete(case)
    assert points.shape == (case.free, 3) and np.isfinite(points).all()


def test_a_neighbour_finds_place_and_size_by_itself(cases):
    """Untold, a cut object is found among others and put where it was."""
    lopsided = solids.solids()
    lopsided.reservoir[..., 2] += ((lopsided.reservoir[..., :2] > 0).all(-1)).float()
    few, _ = cut_objects(lopsided.part("test"), solids.POINTS, ["sphere"])
    neighbours = ObjectNeighbours(lopsided.part("test"))
    found = [chamfer(neighbours.complete_untold(case), case.removed) for case in few]
    elsewhere = [chamfer(case.known, case.removed) for case in few]
    assert np.mean(found) < 0.7 * np.mean(elsewhere)
    case = cases[0]
    for other in (replace(case, known=3 * case.known + 1), case):  # only the standard part counts
        assert len(neighbours.complete_untold(other)) == case.free


# The mirror


def test_the_half_of_a_symmetric_object_is_completed_by_its_mirror_image():
    rng = np.random.default_rng(0)
    half = rng.uniform(0, 1, (300, 3)) * [1, 0.5, 2]  # nothing else about it is symmetric
    half = half[half[:, 0] + half[:, 2] < 1.7]
    whole = np.concatenate([half, half * [-1, 1, 1]])
    keep = whole[:, 0] > -0.4
    known, removed = whole[keep], whole[~keep]
    case = Case(0, 0, "plane", known, removed, standardise(known, True), len(removed))
    found = mirror(case)
    assert found.shape == removed.shape
    assert chamfer(found, removed) < 0.3 * chamfer(known, removed)
    np.testing.assert_array_equal(found, mirror(case))


def test_a_mirror_of_very_little_is_something(cases):
    few = replace(cases[0], known=cases[0].known[:3], free=5)
    assert mirror(few).shape == (5, 3) and np.isfinite(mirror(few)).all()


# Recognition


def test_a_completion_by_the_truth_is_recognised_as_the_whole_is(cases):
    classifier = solids.classifier()
    table = recognition(classifier, cases[:6], [case.removed for case in cases[:6]])
    assert table["completed"] == table["whole"]
    gained = table["completed"]["mean"] - table["known"]["mean"]
    assert table["gained"]["mean"] == pytest.approx(gained)


# Methods


def test_solved_in_a_batch_is_solved_alone(cases):
    checkpoint = solids.completer()
    chosen = with_defaults(checkpoint.card, {})
    together = solve(checkpoint, cases[:5], chosen, batch_size=3)
    for k, case in enumerate(cases[:5]):
        alone = solve(checkpoint, [case], chosen)
        assert together.free[k].shape == (case.free, 3)
        np.testing.assert_allclose(together.free[k], alone.free[0], atol=1e-3)


def test_the_table_has_every_method_metric_and_cut():
    cases, _ = cut_objects(TESTED, 40)
    models = {"ddeq": solids.completer(), "control": solids.completer(1), "pcn": solids.pcn()}
    neighbours = ObjectNeighbours(OBJECTS.part("unlabelled"))
    trainings = {name: {name: checkpoint} for name, checkpoint in models.items()}
    table = compare(
        cases, trainings, {"neighbour": neighbours.complete}, {"steps": 2}, steps_table=True
    )
    assert json.loads(json.dumps(table)) == table
    assert table["cases"] == len(cases) and {*table["cuts"]} == {*CUTS}
    assert {*table["methods"]} == {"ddeq", "control", "pcn", "copy", "neighbour"}
    for name, row in table["methods"].items():
        for region in ("whole", "missing") if name != "copy" else ("whole",):
            assert {*row[region]} - {"unevenness"} == METRICS
            assert 0 <= row[region]["f_score"]["mean"] <= 1
    counts = np.array([sum(case.cut == cut for case in cases) for cut in CUTS])
    means = [table["cuts"][cut]["pcn"]["whole"]["chamfer"]["mean"] for cut in CUTS]
    expected = (counts * means).sum() / counts.sum()
    assert table["methods"]["pcn"]["whole"]["chamfer"]["mean"] == pytest.approx(expected)
    free = decode(models["pcn"], cases)
    found = score(cases, free)["whole"]["emd"].mean()
    assert table["methods"]["pcn"]["whole"]["emd"]["mean"] == pytest.approx(found, rel=1e-4)
    assert table["steps_table"]["2"]["whole"] == table["methods"]["ddeq"]["whole"]


def test_worse_sensors_see_scans_worse():
    striped, noisy, thinned = (cut_objects(TESTED, 500, [cut])[0] for cut in WORN)
    scans = cut_objects(TESTED, 500, ["scan"])[0]
    for k, scan in enumerate(scans):
        surface = cKDTree(scan.whole)
        assert surface.query(striped[k].whole)[0].max() == 0
        assert len(thinned[k].whole) < 500 == len(noisy[k].whole)
        assert surface.query(thinned[k].whole)[0].max() == 0
        away = surface.query(noisy[k].known)[0]
        assert away.min() > 0 and surface.query(noisy[k].removed)[0].max() == 0
