"""The table of completions: cuts, methods and numbers, on a handful of digits and tiny models."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from ddeq.evaluation.completion import compare, decode, difference, score, solve, summary
from ddeq.evaluation.digit_cases import copy_neighbour, cut_digits
from ddeq.evaluation.neighbours import Neighbours
from ddeq.input.gallery import load_gallery
from ddeq.input.hollow import Hollow
from ddeq.input.images import pixel_cloud
from ddeq.input.preprocess import standardise
from ddeq.metrics.distances import chamfer, chamfer_squared, energy_distance, f_score
from ddeq.metrics.transport import emd
from ddeq.model.baselines import PCN, PCNConfig
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.completer import free_count
from ddeq.run.completion import CompleterRun
from ddeq.run.settings import RunSettings, with_defaults


@pytest.fixture
def images() -> np.ndarray:
    """Eight digits of different classes."""
    return load_gallery().images[::30]


@pytest.fixture
def cases(images) -> list:
    return cut_digits(images)[0]


@pytest.fixture
def pcn() -> Checkpoint:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PCN(PCNConfig(width=16, coarse=3, folds=2)).eval().requires_grad_(False)
    return Checkpoint(model, {"name": "pcn", "kind": "pcn", "points": 60})


def alone(**models: Checkpoint) -> dict:
    """Methods of one training each."""
    return {name: {name: checkpoint} for name, checkpoint in models.items()}


def settings(checkpoint: Checkpoint, **said: object) -> RunSettings:
    return with_defaults(checkpoint.card, said)


# Cuts


def test_a_cut_digit_is_the_whole_one_in_two_parts(images, cases):
    assert len(cases) == len(images)
    for case, image in zip(cases, images, strict=True):
        whole = standardise(pixel_cloud(image)).points
        np.testing.assert_allclose(
            np.unique(case.whole, axis=0), np.unique(whole, axis=0), atol=1e-5
        )
        # Two discs of radius 0.6 hold all that is missing, and none of what is known.
        assert len(case.removed) >= 2 and len(case.known) >= 3
        np.testing.assert_allclose(case.pixels.apply(pixel_cloud(case.ink)), case.known, atol=1e-12)
        np.testing.assert_allclose(case.standard.points.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(case.standard.undo(case.standard.points), case.known, atol=1e-5)


def test_holes_are_the_digits_own_whatever_comes_with_it(images, cases):
    few, _ = cut_digits(images[:3])
    for one, two in zip(few, cases, strict=False):
        np.testing.assert_array_equal(one.ink, two.ink)


def test_digits_of_which_too_little_is_left_are_counted(images):
    dots = np.zeros((3, 28, 28), np.uint8)
    dots[0, 4:6, 4:6] = 1  # in a standardised square of four points a hole takes one each
    dots[1, 4, 4:7] = 1
    found, skipped = cut_digits(np.concatenate([dots, images]))
    assert skipped == 3 and [case.number for case in found] == [*range(3, 3 + len(images))]


# Methods


def test_solved_in_a_batch_is_solved_alone_and_as_a_run(tiny_completer, cases):
    tiny_completer.card["points"] = 400
    chosen = settings(tiny_completer)
    together = solve(tiny_completer, cases, chosen, batch_size=3)
    assert together.steps.tolist() == [4] * len(cases)
    for k, case in enumerate(cases):
        alone = solve(tiny_completer, [case], chosen)
        np.testing.assert_allclose(together.free[k], alone.free[0], atol=1e-4)
        assert len(together.free[k]) == free_count(len(case.known))
        seed = settings(tiny_completer, seed=case.number)
        run = CompleterRun(tiny_completer, Hollow(case.known, None, "digit"), seed)
        *_, last = run
        np.testing.assert_allclose(together.free[k], run.completed[len(case.known) :], atol=1e-4)
        assert together.relative_objective[k] == pytest.approx(last.relative_objective, rel=1e-2)
        assert together.spread[k] == pytest.approx(last.spread, rel=1e-3)


def test_another_seed_starts_elsewhere(tiny_completer, cases):
    still = [solve(tiny_completer, cases, settings(tiny_completer, steps=0, seed=s)) for s in "01"]
    assert not np.allclose(still[0].free[0], still[1].free[0])


def test_decoded_in_a_batch_is_decoded_alone(pcn, cases):
    together = decode(pcn, cases, batch_size=3)
    for case, points in zip(cases, together, strict=True):
        assert len(points) == free_count(len(case.known))
        np.testing.assert_allclose(points, decode(pcn, [case])[0], atol=1e-5)


def test_a_neighbour_that_is_the_very_digit_gives_exactly_the_missing_part(images, cases):
    neighbours = Neighbours(images)
    for case in cut_digits(images, 3.0)[0]:  # more points than were removed
        points = copy_neighbour(case, neighbours)
        assert chamfer(points, case.removed) == pytest.approx(0, abs=1e-6)
        assert len(points) == free_count(len(case.known), 3.0)
    for case in cut_digits(images, 1.1)[0]:
        points = copy_neighbour(case, neighbours)
        assert len({*map(tuple, points)}) == len(points) == free_count(len(case.known), 1.1)


def test_the_neighbour_is_the_one_nearest_to_the_known_points(images, cases):
    """By looking at all of them, with other means."""
    case, others = cases[0], images[1:]
    known = pixel_cloud(case.ink)

    def covers(image: np.ndarray) -> float:
        ink = pixel_cloud(image)
        return np.linalg.norm(known[:, None] - ink[None], axis=2).min(1).mean()

    best = others[np.argmin([covers(image) for image in others])]
    new = {*map(tuple, pixel_cloud(best))} - {*map(tuple, known)}
    found = Neighbours(others).missing(case.ink, 500, np.random.default_rng(0))
    assert {*map(tuple, found)} == new


def test_a_neighbour_without_anything_new_is_passed_over(images):
    known = images[0] > 0
    found = Neighbours(images[:2]).missing(known, 20, np.random.default_rng(0))
    assert {*map(tuple, found)} <= {*map(tuple, pixel_cloud((images[1] > 0) & ~known))}
    alone = Neighbours(images[:1]).missing(known, 20, np.random.default_rng(0))
    assert {*map(tuple, alone)} <= {*map(tuple, pixel_cloud(known))}


# Numbers


def test_scores_compare_the_whole_and_the_missing_part(cases):
    free = [case.removed + np.array([0.3, 0.4]) for case in cases]
    found = score(cases, free)
    np.testing.assert_allclose(found["missing"]["emd"], 0.5, rtol=1e-6)
    for k, case in enumerate(cases):
        completed = np.concatenate([case.known, free[k]])
        assert found["whole"]["mmd2"][k] == energy_distance(completed, case.whole)
        assert found["whole"]["chamfer"][k] == chamfer(completed, case.whole)
        assert found["whole"]["chamfer_squared"][k] == chamfer_squared(completed, case.whole)
        assert found["whole"]["emd"][k] == emd(completed, case.whole)
        # A hundredth of a digit's longer side, about three standard deviations.
        radius = 0.01 * np.ptp(case.whole, axis=0).max()
        assert found["whole"]["f_score"][k] == f_score(completed, case.whole, radius)
        assert found["missing"]["f_score"][k] == f_score(free[k], case.removed, radius)
    for region in score(cases, [case.removed for case in cases]).values():
        assert region.pop("f_score").min() == region.pop("f_score_2").min() == 1
        assert all(values.max() < 1e-6 for values in region.values())
    assert {*score(cases, None)} == {"whole"}


def test_differences_are_paired(cases):
    good, bad = ([c.removed + np.array([shift, 0]) for c in cases] for shift in (0.1, 0.4))
    found = difference(score(cases, good), score(cases, bad), cases)
    assert found["missing"]["emd"]["mean"] == pytest.approx(-0.3)
    assert found["missing"]["emd"]["interval"] == pytest.approx([-0.3, -0.3])
    assert {*difference(score(cases, good), score(cases, None), cases)} == {"whole"}


def test_the_table_has_a_row_for_each_method(tiny_completer, pcn, images, cases):
    models = alone(ddeq=tiny_completer, control=tiny_completer, pcn=pcn)
    copy = partial(copy_neighbour, neighbours=Neighbours(images))
    table = compare(cases[:3], models, {"neighbour": copy}, {"steps": 2}, steps_table=True)
    assert json.loads(json.dumps(table)) == table
    assert {*table["methods"]} == {"ddeq", "control", "pcn", "copy", "neighbour"}
    for name, row in table["methods"].items():
        assert ("missing" in row) == (name != "copy")
        low, high = row["whole"]["mmd2"]["interval"]
        assert low <= row["whole"]["mmd2"]["mean"] <= high
    assert table["methods"]["ddeq"]["parameters"] == table["methods"]["control"]["parameters"] > 0
    assert table["methods"]["ddeq"]["mean_steps"] == 2 != table["methods"]["control"]["mean_steps"]
    assert {*table["ddeq_minus"]} == {"control", "pcn", "copy", "neighbour"}
    assert [*table["steps_table"]] == ["0", "1", "2"]
    assert table["steps_table"]["2"]["whole"] == table["methods"]["ddeq"]["whole"]
    assert table["other_seed"]["emd"]["mean"] > 0


def test_trainings_of_a_method_are_averaged_case_by_case(pcn, cases):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        other = replace(pcn, model=PCN(pcn.model.config).eval().requires_grad_(False))
    each = [compare(cases[:3], alone(pcn=one))["methods"]["pcn"] for one in (pcn, other)]
    row = compare(cases[:3], {"pcn": {"pcn-0": pcn, "pcn-1": other}})["methods"]["pcn"]
    assert "trainings" not in each[0]
    for region in ("whole", "missing"):
        for name, found in row[region].items():
            means = [one[region][name]["mean"] for one in each]
            assert found["mean"] == pytest.approx(np.mean(means))
            trainings = row["trainings"][region][name]
            assert [*trainings["means"].values()] == pytest.approx(means)
            assert trainings["deviation"] == pytest.approx(np.std(means, ddof=1))


def test_without_models_the_table_still_has_the_other_methods(cases):
    table = compare(cases[:2], {}, {"neighbour": lambda case: case.removed})
    assert {*table["methods"]} == {"copy", "neighbour"} and table["ddeq_minus"] == {}
    assert table["methods"]["neighbour"]["missing"]["f_score"]["mean"] == 1
    assert "cuts" not in table  # there is only one kind


def test_without_a_case_there_is_no_table(refused):
    with refused():
        compare([], {})


def test_cases_of_one_group_are_drawn_together(cases):
    """Each digit four times over tells no more than once."""
    free = [case.removed + np.array([0.1 * k, 0]) for k, case in enumerate(cases)]
    once = summary(score(cases, free)["missing"]["emd"], cases)
    often = summary(score(4 * cases, 4 * free)["missing"]["emd"], 4 * cases)
    assert often["mean"] == pytest.approx(once["mean"])
    assert often["interval"] == pytest.approx(once["interval"])


def test_each_kind_of_cut_has_its_own_table(tiny_completer, cases):
    mixed = [replace(case, cut="plane" if k < 2 else "scan") for k, case in enumerate(cases[:5])]
    perfect = {"neighbour": lambda case: case.removed}
    table = compare(mixed, alone(ddeq=tiny_completer), perfect)
    assert {*table["cuts"]} == {"plane", "scan"}
    planes = compare(
        mixed[:2], alone(ddeq=tiny_completer), {"neighbour": lambda case: case.removed}
    )["methods"]
    for name, row in table["methods"].items():
        whole = table["cuts"]["plane"][name]["whole"]
        assert whole["chamfer"]["mean"] == pytest.approx(planes[name]["whole"]["chamfer"]["mean"])
        for region in {"whole", "missing"} & {*row}:
            means = [table["cuts"][cut][name][region]["emd"]["mean"] for cut in ("plane", "scan")]
            weighted = (2 * means[0] + 3 * means[1]) / 5
            assert row[region]["emd"]["mean"] == pytest.approx(weighted)
