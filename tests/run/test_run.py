"""A run from settings to outcome, on a tiny random model."""

import csv
import dataclasses
import io
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud
from ddeq.input.prepare import prepare
from ddeq.run.classification import ClassifierRun
from ddeq.run.device import pick_device
from ddeq.run.export import metrics_csv, trajectory_npz
from ddeq.run.frames import CSV_COLUMNS
from ddeq.run.settings import Limits, RunSettings, card_defaults, with_defaults
from ddeq.settings import settings_of
from ddeq.solve.flow import Stopped
from ddeq.solve.kernels import KERNELS, Gaussian, Riesz
from ddeq.solve.solvers import SOLVERS, Euler, Momentum, Picard

BASE = {"solver": "euler", "kernel": "riesz", "steps": 6, "tolerance": 0, "particles": 5}


def instances(kind: type) -> st.SearchStrategy:
    """Settings objects with every number anywhere in its range."""

    def values(s) -> st.SearchStrategy:
        whole = isinstance(s.default, int)
        return st.integers(int(s.low), int(s.high)) if whole else st.floats(s.low, s.high)

    return st.builds(kind, **{s.name: values(s) for s in settings_of(kind)})


everything = st.builds(
    RunSettings,
    st.sampled_from(list(SOLVERS.values())).flatmap(instances),
    st.sampled_from(list(KERNELS.values())).flatmap(instances),
    instances(Limits),
)


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)


@pytest.fixture
def start(tiny, points):
    """Starts a run with some settings changed."""

    def make(**changes: object) -> ClassifierRun:
        return ClassifierRun(tiny, points, RunSettings.from_dict({**BASE, **changes}))

    return make


# Settings


@given(everything)
def test_settings_survive_the_way_through_plain_values_text_and_json(chosen):
    plain = chosen.to_dict()
    assert RunSettings.from_dict(plain) == chosen
    assert RunSettings.from_dict({k: str(v) for k, v in plain.items()}) == chosen  # as in a link
    assert RunSettings.from_dict(json.loads(json.dumps(plain))) == chosen


def test_no_two_settings_of_a_run_share_a_name():
    for solver in SOLVERS.values():
        for kernel in KERNELS.values():
            names = [s.name for kind in (solver, kernel, Limits) for s in settings_of(kind)]
            assert len({*names, "solver", "kernel"}) == len(names) + 2


def test_what_is_not_named_takes_its_default_and_what_is_foreign_is_ignored():
    found = RunSettings.from_dict({"solver": "picard", "kernel": "gaussian", "momentum": "junk"})
    assert found == RunSettings(Picard(), Gaussian(), Limits())


@pytest.mark.parametrize(
    "wrong",
    [
        {"solver": "newton"},
        {"kernel": ""},
        {"solver": None},
        {"steps": -1},
        {"steps": 2.5},
        {"steps": "all"},
        {"particles": 0},
        {"particles": 10**9},
        {"noise": "nan"},
        {"seed": "-1"},
        {"step_size": 1e9},
        {"r": 2},
        {"tolerance": "<script>" * 50},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
def test_bad_values_are_refused(refused, wrong):
    with refused():
        RunSettings.from_dict({**BASE, **wrong})


CARD = {
    "settings": {"solver": "momentum", "kernel": "riesz", "momentum": 0.6, "steps": 90, "r": 1.2}
}


def test_a_card_fills_up_what_a_person_did_not_say():
    expected = RunSettings(Momentum(momentum=0.6, step_size=2.0), Riesz(1.2), Limits(steps=90))
    assert with_defaults(CARD, {"step_size": "2"}) == expected
    louder = with_defaults(CARD, {"momentum": 0.1, "steps": 7})
    assert (louder.solver.momentum, louder.limits.steps) == (0.1, 7)


def test_another_solver_or_kernel_brings_its_own_defaults():
    card = {"settings": {**CARD["settings"], "step_size": 4.0}}
    found = with_defaults(card, {"solver": "euler", "kernel": "gaussian"})
    assert found == RunSettings(Euler(), Gaussian(), Limits())
    assert card_defaults(card, "momentum", "riesz") == card["settings"]


def test_an_unknown_solver_is_refused_with_a_card_too(refused):
    with refused():
        with_defaults(CARD, {"solver": "newton"})


# Input


def test_prepared_points_are_standardised_thinned_and_of_the_models_dimension(tiny):
    rng = np.random.default_rng(0)
    flat = np.pad(rng.normal(size=(200, 2)) * [3, 1] + 5, [(0, 0), (0, 1)])
    found = prepare(PointCloud(flat, "flat"), tiny.card)
    assert found.shape == (30, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(0), 1, rtol=1e-5)
    again = prepare(PointCloud(flat, "flat"), tiny.card)
    np.testing.assert_array_equal(found, again)
    few = prepare(PointCloud(flat[:7], "few"), tiny.card)
    assert few.shape == (7, 2)


def test_a_cloud_in_space_is_refused_by_a_model_of_the_plane_only(tiny, refused):
    cloud = PointCloud(np.random.default_rng(0).normal(size=(50, 3)), "ball")
    with refused():
        prepare(cloud, tiny.card)
    operator = {**tiny.card["architecture"]["operator"], "input_dim": 3}
    card = {**tiny.card, "architecture": {**tiny.card["architecture"], "operator": operator}}
    assert prepare(cloud, card).shape == (30, 3)


# Frames


def test_frames_are_consistent_and_frozen(start, tiny):
    run = start()
    frames = list(run)
    assert [f.step for f in frames] == list(range(7))
    assert [f.evaluations for f in frames] == list(range(1, 8))
    for frame in frames:
        assert frame.particles.shape == frame.image.shape == (5, 16)
        assert frame.probabilities.shape == (3,)
        assert frame.probabilities.sum() == pytest.approx(1, abs=1e-5)
        z = torch.from_numpy(frame.particles)[None]
        expected = torch.softmax(tiny.model.readout(z), -1)[0].numpy()
        np.testing.assert_allclose(frame.probabilities, expected, atol=1e-6)
        velocity = frame.attraction + frame.repulsion + frame.through_operator
        norm = np.sqrt((velocity**2).sum(1).mean())
        assert norm == pytest.approx(frame.gradient_norm, rel=1e-4)
        centre = frame.particles.mean(0)
        expected = np.linalg.norm(frame.particles - centre, axis=1).mean()
        assert frame.spread == pytest.approx(expected, rel=1e-5)
    for here, after in pairwise(frames):
        velocity = here.attraction + here.repulsion + here.through_operator
        moved = here.particles + here.step_size * velocity
        np.testing.assert_allclose(after.particles, moved, atol=1e-4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        frames[0].step = 3


def test_frames_come_one_by_one(start):
    run = start(steps=5000, step_size=0.5)
    first = next(iter(run))
    assert first.step == 0 and run.flow.objective.evaluations == 1


def test_the_outcome_is_the_last_frame(start, tiny):
    run = start(solver="picard", tolerance=0.05, steps=100)
    with pytest.raises(RuntimeError):
        _ = run.outcome
    *_, last = run
    found = run.outcome
    best = int(last.probabilities.argmax())
    assert found.label == tiny.card["labels"][best]
    assert found.confidence == pytest.approx(max(last.probabilities))
    assert list(found.probabilities) == ["a", "b", "c"]
    assert (found.steps, found.evaluations) == (last.step, last.step + 1)
    assert found.relative_objective == last.relative_objective <= 0.05
    assert found.spread == last.spread
    assert found.stopped is Stopped.CONVERGED
    plain = json.loads(json.dumps(found.to_dict()))
    assert next(iter(plain)) == "label"  # what the kind of run says itself comes first
    assert plain["stopped"] == "converged" and plain["device"] == "cpu"


def test_a_tolerance_below_rounding_is_told_from_one_that_was_reached(start):
    run = start(solver="picard", kernel="gaussian", tolerance=1e-30, steps=200)
    *_, last = run
    assert last.objective == 0 and run.outcome.to_dict()["stopped"] == "below rounding"


def test_a_run_left_early_is_cancelled_with_the_last_frame_it_showed(start):
    run = start()
    for frame in run:
        if frame.step == 2:
            break
    assert run.outcome.stopped is Stopped.CANCELLED
    assert run.outcome.steps == 2 and run.outcome.objective == frame.objective


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("noise", [0, 0.1])
def test_every_combination_runs_to_its_limit(start, solver, kernel, noise):
    run = start(solver=solver, kernel=kernel, noise=noise, steps=3)
    frames = list(run)
    assert len(frames) == 4 and run.outcome.stopped is Stopped.STEP_LIMIT
    for frame in frames[:-1]:
        assert np.isfinite(frame.objective) and np.isfinite(frame.gradient_norm)


@pytest.mark.parametrize("changes", [{"steps": 0}, {"particles": 1}, {"particles": 40}], ids=str)
def test_extreme_sizes_run(start, changes):
    assert len(list(start(**changes))) == changes.get("steps", 6) + 1


@pytest.mark.parametrize("changes", [{}, {"noise": 0.2, "steps": 3}], ids=["quiet", "noise"])
def test_the_same_settings_are_the_same_run_bit_for_bit(start, changes):
    one, two = list(start(**changes)), list(start(**changes))
    other = list(start(**changes, seed=1))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.particles, b.particles) and a.objective == b.objective
        assert np.array_equal(a.probabilities, b.probabilities)
    assert not np.array_equal(one[0].particles, other[0].particles)


def test_noise_does_not_repeat_the_numbers_of_the_start(start):
    run = start(noise=1.0, steps=1)
    seen = []
    operator = run.flow.objective.operator
    run.flow.objective.operator = lambda z: seen.append(z.detach().clone()) or operator(z)
    next(iter(run))
    plain, shaken = seen
    correlation = np.corrcoef(plain.flatten(), (shaken - plain).flatten())[0, 1]
    assert abs(correlation) < 0.4


def test_the_projection_is_known_before_the_first_step_and_costs_the_run_nothing(start):
    run = start()
    early = run.projection()
    assert early.axes.shape == (3, 16)
    assert run.flow.objective.evaluations == 0
    frames = list(run)
    np.testing.assert_array_equal(run.projection().axes, early.axes)
    assert frames[-1].evaluations == 7
    np.testing.assert_allclose(early(frames[0].particles).shape, (5, 3))


# Files


def test_the_csv_parses_back_to_the_frames(start):
    run = start()
    frames = list(run)
    rows = list(csv.DictReader(io.StringIO(metrics_csv(frames, run.labels))))
    assert len(rows) == len(frames)
    assert list(rows[0]) == [*CSV_COLUMNS, *(f"probability_{label}" for label in "abc")]
    for row, frame in zip(rows, frames, strict=True):
        for name in CSV_COLUMNS:
            assert float(row[name]) == getattr(frame, name)
        found = [float(row[f"probability_{label}"]) for label in "abc"]
        assert found == frame.probabilities.tolist()


def test_the_npz_loads_without_pickle_and_matches_the_frames(start, points):
    run = start()
    frames = list(run)
    content = trajectory_npz(frames, points, run.settings)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = dict(arrays)
    np.testing.assert_array_equal(found["input"], points)
    assert RunSettings.from_dict(json.loads(str(found["settings"]))) == run.settings
    assert found["particles"].shape == (7, 5, 16)
    for name in ("particles", "image", "probabilities", *CSV_COLUMNS):
        for value, frame in zip(found[name], frames, strict=True):
            np.testing.assert_array_equal(value, getattr(frame, name))


# Devices


def test_devices(refused):
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with refused():
        pick_device("abacus")


def test_a_missing_gpu_is_reported(monkeypatch, refused):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refused():
        pick_device("cuda")
    assert pick_device("auto") == torch.device("cpu")


# Objects in space


SPATIAL = {"architecture": {"operator": {"input_dim": 3}}, "points": 100, "scaling": "isotropic"}


def test_an_object_keeps_its_proportions():
    points = np.random.default_rng(0).normal(size=(60, 3)) * [1, 2, 5]
    found = prepare(PointCloud(points, "object"), SPATIAL)
    np.testing.assert_allclose(found.var(axis=0).mean(), 1, rtol=1e-5)
    np.testing.assert_allclose(
        found.std(axis=0) / found.std(axis=0)[0], points.std(0) / points.std(0)[0], rtol=1e-4
    )
    plain = prepare(PointCloud(points, "object"), {**SPATIAL, "scaling": "per coordinate"})
    np.testing.assert_allclose(plain.std(axis=0), 1, rtol=1e-4)


def test_a_flat_cloud_is_no_object():
    flat = PointCloud(np.random.default_rng(0).normal(size=(60, 2)), "digit")
    with pytest.raises(UserError, match="'digit' is flat"):
        prepare(flat, SPATIAL)


def test_networks_without_an_operator_have_a_dimension_too():
    points = np.random.default_rng(0).normal(size=(60, 3))
    card = {**SPATIAL, "architecture": {"input_dim": 3}}
    np.testing.assert_array_equal(
        prepare(PointCloud(points, "object"), card), prepare(PointCloud(points, "object"), SPATIAL)
    )


@pytest.mark.parametrize("solver", ["picard", "euler", "armijo", "anderson"])
def test_finished_without_a_record_a_run_comes_to_the_same(tiny, solver):
    """Only its last step makes a frame, and no gradient is computed that nobody needs."""
    points = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    settings = RunSettings(SOLVERS[solver](), Riesz(), Limits(steps=6, tolerance=0.01))
    recorded, finished = (ClassifierRun(tiny, points, settings) for _ in range(2))
    *_, expected = recorded
    velocities = []
    evaluate = finished.flow.objective.__class__.__call__

    def counted(self, z, velocity=True, *more, **named):
        velocities.append(velocity)
        return evaluate(self, z, velocity, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(finished.flow.objective), "__call__", counted)
        finished.finish()
    np.testing.assert_array_equal(finished.last.particles, expected.particles)
    np.testing.assert_allclose(finished.last.attraction, expected.attraction, rtol=1e-5, atol=1e-6)
    same = {"seconds": 0.0}
    assert dataclasses.replace(finished.outcome, **same) == dataclasses.replace(
        recorded.outcome, **same
    )
    if not settings.solver.needs_velocity:
        assert velocities[:-1] == [False] * (len(velocities) - 1)  # but for the last frame
