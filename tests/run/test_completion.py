"""A completion from a hollow cloud to the completed one, on a tiny random model."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.input.clouds import PointCloud
from ddeq.input.formats.axes import UP_AXES, turn_up
from ddeq.input.hollow import hollow, without_truth
from ddeq.input.preprocess import standardise
from ddeq.metrics.distances import chamfer, chamfer_squared, coverage, energy_distance, f_score
from ddeq.metrics.transport import emd
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.completer import Completer, free_count, scatter
from ddeq.run import completion
from ddeq.run.completion import MAX_FREE, CompleterRun
from ddeq.run.export import completion_csv, completion_npz, in_file_axes
from ddeq.run.frames import CSV_COLUMNS
from ddeq.run.settings import RunSettings
from ddeq.run.truth import COVERAGE_RADIUS, TRUTH_COLUMNS
from ddeq.solve.flow import Stopped

BASE = {"solver": "picard", "kernel": "riesz", "steps": 3, "tolerance": 0}


def settings(**changes: object) -> RunSettings:
    return RunSettings.from_dict({**BASE, **changes})


@pytest.fixture
def cloud() -> PointCloud:
    """40 points far from the origin, wider than high."""
    points = np.random.default_rng(0).normal(size=(40, 2)) * [7, 3] + [100, -30]
    return PointCloud(points, "cloud")


@pytest.fixture
def cut(cloud) -> completion.Hollow:
    """The same without the 10 rightmost points."""
    return hollow(cloud, cloud.points[:, 0] < np.sort(cloud.points[:, 0])[30])


@pytest.fixture
def start(tiny_completer, cut) -> Callable[..., CompleterRun]:
    """Starts a run with some settings changed."""

    def make(what: completion.Hollow = cut, *, more: dict | None = None, **changes: object):
        return CompleterRun(tiny_completer, what, settings(**changes), **(more or {}))

    return make


def solved(run: CompleterRun) -> CompleterRun:
    for _ in run:
        pass
    return run


# Hollow clouds


def test_a_hollow_cloud_is_cut_in_two(cloud):
    keep = np.arange(40) % 3 > 0
    found = hollow(cloud, keep)
    np.testing.assert_array_equal(found.known, cloud.points[keep])
    np.testing.assert_array_equal(found.removed, cloud.points[~keep])
    np.testing.assert_array_equal(found.truth, np.concatenate([found.known, found.removed]))
    partial = without_truth(cloud)
    assert partial.truth is None and partial.removed is None
    np.testing.assert_array_equal(partial.known, cloud.points)


def test_cuts_that_leave_nothing_to_do_are_refused(refused, cloud):
    for left in (40, 0, 2):
        with refused():
            hollow(cloud, np.arange(40) < left)
    assert len(hollow(cloud, np.arange(40) < 3).known) == 3


def test_repeated_points_do_not_count_as_known(refused, cloud):
    points = np.concatenate([np.repeat(cloud.points[:2], 10, axis=0), cloud.points[2:]])
    with refused() as message:
        hollow(PointCloud(points, "x" * 300), np.arange(len(points)) < 20)
    assert "three" in message.text
    with refused():
        without_truth(PointCloud(points[:20], "two"))


# What comes out


def test_known_points_stay_as_they_were_to_the_last_bit(start, cut):
    run = start()
    with pytest.raises(RuntimeError):
        _ = run.completed
    found = solved(run).completed
    assert found.dtype == np.float64 and found[: len(cut.known)].tobytes() == cut.known.tobytes()
    assert found.shape == (30 + free_count(30), 2)
    expected = standardise(cut.known).undo(run.last.points.astype(np.float64))
    np.testing.assert_array_equal(found[30:], expected)


def test_free_particles_begin_as_noise_in_the_units_of_the_known_points(start):
    run = start(steps=0, seed=5, more={"free": 9})
    first = next(iter(run))
    np.testing.assert_array_equal(first.points, scatter([5], [9], 2)[0].numpy())
    assert run.outcome.stopped is Stopped.STEP_LIMIT


def test_the_order_of_known_points_does_not_matter(start, cut):
    turned = completion.Hollow(cut.known[::-1].copy(), cut.truth, "turned")
    one, two = solved(start()), solved(start(turned))
    np.testing.assert_allclose(one.completed[30:], two.completed[30:], rtol=1e-4)


@pytest.mark.parametrize("scale", [(1, 1), (0.01, 0.01), (30, 0.2), (1e6, 1e6)], ids=str)
@pytest.mark.parametrize("shift", [(0, 0), (20, -3)], ids=str)
def test_the_completion_moves_and_scales_with_the_cloud(start, cut, scale, shift):
    scale, shift = np.array(scale), np.array(scale) * shift
    one = solved(start())
    two = solved(start(completion.Hollow(cut.known * scale + shift, None, "moved")))
    expected = one.completed * scale + shift
    np.testing.assert_allclose(two.completed / scale, expected / scale, atol=1e-3)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_more_particles_of_the_same_seed_begin_the_same(few, many, seed):
    few, many = sorted((few, many))
    one, two = scatter([seed], [few], 2)[0], scatter([seed], [many], 2)[0]
    assert torch.equal(two[:few], one)


def test_a_run_can_go_on_from_particles_of_another(start, cut):
    there = solved(start()).completed[30:][:5]
    run = start(more={"start": there})
    first = next(iter(run))
    np.testing.assert_allclose(run.completed[30:], there, rtol=1e-5)
    assert first.points.shape == (5, 2) and run.outcome.free == 5


def test_a_flat_cloud_in_space_is_completed_in_its_plane(start, cloud):
    keep = np.arange(40) < 30
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    for axes in (np.eye(3)[:2], turn[:2]):
        points = cloud.points @ axes + [0, 0, 5]
        what = hollow(PointCloud(points, "tilted"), keep)
        run = solved(start(what))
        found = run.completed
        assert found.shape == (38, 3) and found[:30].tobytes() == what.known.tobytes()
        normal = np.cross(*axes)
        np.testing.assert_allclose((found - points[0]) @ normal, 0, atol=1e-4)
        again = start(what, more={"start": found[30:]})
        assert np.allclose(next(iter(again)).points, run.last.points, atol=1e-4)
    flat = solved(start(hollow(cloud, keep)))
    upright = solved(start(hollow(PointCloud(np.pad(cloud.points, [(0, 0), (0, 1)]), ""), keep)))
    np.testing.assert_allclose(upright.completed[:, :2], flat.completed, rtol=1e-6)


def test_a_large_cloud_is_thinned_for_the_model_but_not_in_the_result(start):
    points = np.random.default_rng(0).normal(size=(3000, 2))
    run = start(hollow(PointCloud(points, "large"), points[:, 0] < 1), steps=1)
    assert len(run.seen) == 60
    assert run.free == free_count(len(run.hollow.known))
    solved(run)
    assert len(run.completed) == len(run.hollow.known) + run.free
    assert 0 <= run.outcome.coverage <= 1 and run.outcome.emd > 0


def test_the_rule_never_asks_for_more_than_fit(start):
    points = np.random.default_rng(0).normal(size=(5000, 2))
    assert start(without_truth(PointCloud(points, "large"))).free == MAX_FREE


def test_the_same_settings_are_the_same_run_and_seeds_are_not(start):
    one, two, other = (solved(start(seed=seed)) for seed in (0, 0, 1))
    assert one.completed.tobytes() == two.completed.tobytes()
    assert not np.array_equal(one.last.points, other.last.points)


# Bad input


def test_a_solid_cloud_is_refused_by_a_model_of_the_plane(refused, start):
    ball = PointCloud(np.random.default_rng(0).normal(size=(50, 3)), "ball")
    with refused() as message:
        start(hollow(ball, np.arange(50) < 40))
    assert "flat" in message.text


@pytest.mark.parametrize("free", [0, -3, MAX_FREE + 1, 10**12])
def test_numbers_of_particles_that_do_not_fit_are_refused(refused, start, free):
    with refused():
        start(more={"free": free})


@pytest.mark.parametrize("particles", [np.zeros((MAX_FREE + 1, 2)), np.full((4, 2), np.nan)])
def test_starts_that_cannot_be_used_are_refused(refused, start, particles):
    with refused():
        start(more={"start": particles})


# Frames


def test_frames_hold_the_exact_parts_of_the_velocity(start, tiny_completer):
    run = start(solver="euler", step_size=0.5)
    frames = list(run)
    assert [f.step for f in frames] == [0, 1, 2, 3]
    for here, after in pairwise(frames):
        assert here.image.shape == here.points.shape == (8, 2)
        velocity = here.attraction + here.repulsion + here.through_operator
        np.testing.assert_allclose(after.points, here.points + 0.5 * velocity, atol=1e-5)
    known = torch.from_numpy(run.standard.points)[None]
    z = tiny_completer.model.lift(torch.from_numpy(frames[0].points)[None])
    image = tiny_completer.model.encode(known, None, [len(z[0])]).operator(z)
    np.testing.assert_allclose(frames[0].image, image[0, :, :2], atol=1e-5)


def test_frames_compare_the_completed_cloud_to_the_truth(start, cut):
    run = start()
    unit = standardise(cut.truth)
    truth, removed = unit.apply(cut.truth), unit.apply(cut.removed)
    for frame in run:
        completed = unit.apply(run.completed)
        assert frame.mmd2 == pytest.approx(energy_distance(completed, truth), rel=1e-6)
        assert frame.chamfer == pytest.approx(chamfer(completed, truth), rel=1e-6)
        squared = chamfer_squared(completed, truth)
        assert frame.chamfer_squared == pytest.approx(squared, rel=1e-6)
        assert frame.emd == pytest.approx(emd(completed, truth), rel=1e-6)
        radius = 0.01 * np.ptp(cut.truth, axis=0).max()
        assert frame.f_score == f_score(run.completed, cut.truth, radius)
        assert frame.coverage == coverage(removed, completed[30:], COVERAGE_RADIUS)


def test_the_truth_itself_is_a_perfect_completion(start, cut):
    frame = next(iter(start(more={"start": cut.removed})))
    assert frame.coverage == frame.f_score == 1
    assert max(frame.mmd2, frame.chamfer, frame.chamfer_squared, frame.emd) < 1e-6


def test_without_a_truth_there_is_nothing_to_compare_with(start, cloud):
    run = start(without_truth(cloud))
    assert {getattr(frame, name) for frame in run for name in TRUTH_COLUMNS} == {None}
    assert not {*TRUTH_COLUMNS, "longest", "label"} & set(run.outcome.to_dict())


def test_the_f_score_compares_all_points_of_a_large_cloud(start):
    points = np.random.default_rng(0).normal(size=(900, 2))
    run = start(hollow(PointCloud(points, "large"), points[:, 0] < 1), more={"start": points[:1]})
    frame = next(iter(run))
    kept = (points[:, 0] < 1).sum()
    share = kept / 900
    least = 2 * share / (1 + share)  # of recall without the removed points, and of precision 1
    assert least <= frame.f_score < least + 0.05


def test_the_longest_side_is_in_the_units_of_the_distances(start, cut):
    sides = np.ptp(standardise(cut.truth).points, axis=0)
    assert solved(start()).outcome.longest == pytest.approx(sides.max())


def test_a_diverged_completion_still_has_frames_and_an_outcome(start, tiny):
    run = start(solver="momentum", step_size=20, momentum=0.99, steps=1, more={"classifier": tiny})
    run.flow.z0 = torch.full_like(run.flow.z0, torch.inf)
    [frame] = run.judge(list(run))
    assert np.isnan(frame.emd) and np.isnan(frame.probabilities).all()
    assert run.outcome.stopped is Stopped.DIVERGED


# The classifier


def test_the_classifier_judges_completed_clouds(start, tiny):
    card = {**tiny.card, "settings": {**BASE, "particles": 4}}
    tiny = type(tiny)(tiny.model, card)
    run = start(more={"classifier": tiny})
    frames = list(run)
    assert run.labels == ("a", "b", "c") and frames[0].probabilities is None
    together = run.judge(frames)
    for frame, judged in zip(frames, together, strict=True):
        assert judged.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert judged.points is frame.points
        [alone] = start(more={"classifier": tiny}).judge([frame])
        np.testing.assert_allclose(alone.probabilities, judged.probabilities, atol=1e-5)
    assert not np.allclose(together[0].probabilities, together[-1].probabilities, atol=1e-7)
    best = together[-1].probabilities.argmax()
    assert run.outcome.label == "abc"[best]
    assert run.outcome.confidence == pytest.approx(together[-1].probabilities[best])


def test_without_a_classifier_frames_stay_as_they_are(start):
    run = start()
    frames = list(run)
    assert run.judge(frames) == frames and run.labels == ()


# Outcome and files


def test_the_outcome_is_the_last_frame(start):
    run = start()
    with pytest.raises(RuntimeError):
        _ = run.outcome
    *_, last = run
    found = json.loads(json.dumps(run.outcome.to_dict()))
    assert (found["known"], found["free"], found["steps"]) == (30, 8, 3)
    assert found["stopped"] == "step limit" and found["device"] == "cpu"
    for name in ("objective", "relative_objective", "spread", "evaluations", *TRUTH_COLUMNS):
        assert found[name] == getattr(last, name)


def test_a_run_left_early_is_cancelled(start):
    run = start()
    for frame in run:
        if frame.step == 1:
            break
    assert run.outcome.stopped is Stopped.CANCELLED and run.outcome.steps == 1
    assert run.outcome.emd == frame.emd


def test_the_csv_parses_back_to_the_frames(start, tiny):
    tiny.card["settings"] = BASE
    run = start(more={"classifier": tiny})
    frames = run.judge(list(run))
    rows = list(csv.DictReader(io.StringIO(completion_csv(frames, run))))
    for row, frame in zip(rows, frames, strict=True):
        for name in (*CSV_COLUMNS, *TRUTH_COLUMNS):
            assert float(row[name]) == getattr(frame, name)
        assert float(row["probability_b"]) == pytest.approx(frame.probabilities[1])


@pytest.mark.parametrize("known", [True, False])
def test_the_npz_loads_without_pickle_and_holds_own_units(start, cut, known):
    run = start(cut if known else completion.Hollow(cut.known, None, "partial"))
    frames = list(run)
    with np.load(io.BytesIO(completion_npz(frames, run)), allow_pickle=False) as arrays:
        found = dict(arrays)
    np.testing.assert_array_equal(found["known"], cut.known)
    np.testing.assert_array_equal(found["points"][-1], run.completed[30:])
    assert RunSettings.from_dict(json.loads(str(found["settings"]))) == run.settings
    np.testing.assert_array_equal(found["objective"], [frame.objective for frame in frames])
    assert ("removed" in found) == ("emd" in found) == known


@pytest.mark.parametrize("up", UP_AXES)
def test_points_go_back_to_the_axes_of_the_file(up):
    points = np.random.default_rng(0).normal(size=(20, 3)) + 1000
    np.testing.assert_array_equal(in_file_axes(turn_up(points, up), up), points)


def test_an_object_that_was_turned_is_saved_in_the_axes_of_its_file(tiny_completer):
    config = tiny_completer.model.config
    config = replace(config, operator=replace(config.operator, input_dim=3))
    card = {**tiny_completer.card, "scaling": "isotropic", "free": "removed"}
    completer = Checkpoint(Completer(config).eval().requires_grad_(False), card)
    points, keep = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) < 30
    run = CompleterRun(
        completer, hollow(PointCloud(turn_up(points, "y"), "object"), keep), settings()
    )
    frames = list(run)
    with np.load(io.BytesIO(completion_npz(frames, run, "y")), allow_pickle=False) as arrays:
        found = dict(arrays)
    assert run.free == 10
    np.testing.assert_array_equal(found["known"], points[keep])
    np.testing.assert_array_equal(found["removed"], points[~keep])
    whole = np.concatenate([found["known"], found["points"][-1]])
    np.testing.assert_array_equal(turn_up(whole, "y"), run.completed)
