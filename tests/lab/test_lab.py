"""Experiments on the road to equilibrium: what they say must be what single runs say."""

import csv
import io
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from ddeq.lab.early_exit import Exam, Measurement, anytime_csv
from ddeq.lab.equilibria import AS_IT_IS, PADDED, Ends, Search, ends_csv, ends_npz, varied
from ddeq.lab.fork import Fork
from ddeq.lab.measures import COLLAPSED, embed, grouped
from ddeq.lab.phase import Grid, Sweep, axis, fields, map_csv
from ddeq.lab.race import Lane, curves_csv, judge, lanes_npz, standings_csv
from ddeq.lab.runs import LabRun
from ddeq.lab.witness import on_plane, window_of, witness
from ddeq.metrics.transport import w2
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.classification import ClassifierRun
from ddeq.run.projection import principal_axes
from ddeq.run.settings import RunSettings
from ddeq.settings import settings_of
from ddeq.solve.flow import Stopped
from ddeq.solve.kernels import KERNELS, Gaussian, Riesz, mmd2
from ddeq.solve.solvers import SOLVERS

POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
PLAIN = {"solver": "euler", "kernel": "riesz", "steps": 8, "tolerance": 0, "particles": 5}
few = hypothesis.settings(max_examples=25)
clouds = arrays(np.float64, (6, 3), elements=st.floats(-5, 5))


def settings(**changes: object) -> RunSettings:
    return RunSettings.from_dict({**PLAIN, **changes})


# Measures


@few
@given(arrays(np.float64, (7, 2), elements=st.floats(-5, 5)))
def test_an_embedding_keeps_the_distances_of_points_in_the_plane(places):
    distances = cdist(places, places)
    np.testing.assert_allclose(
        cdist(embed(distances), embed(distances)), distances, atol=1e-5 * (1 + distances.max())
    )


def test_groups_are_chains_of_near_runs_and_the_collapsed_come_last():
    distances = np.abs(np.subtract.outer(*[np.array([0, 0, 10.0, 10.7, 11.4, np.nan])] * 2))
    spreads = np.array([COLLAPSED, COLLAPSED / 2, 1, 1, 1, 1])
    found = grouped(distances, spreads, np.ones(6))
    assert found.labels.tolist() == [1, 1, 0, 0, 0, -1]
    assert found.collapsed.tolist() == [True, True, False, False, False, False]
    assert found.count == 2
    assert grouped(distances, spreads, np.ones(6), same=0.5).count == 4


# Runs


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_run_in_the_lab_is_the_run_it_would_be_elsewhere(tiny, solver):
    chosen = settings(solver=solver, steps=3)
    here = list(LabRun(tiny, POINTS, chosen))
    there = list(ClassifierRun(tiny, POINTS, chosen))
    for a, b in zip(here, there, strict=True):
        # Without a gradient attention is computed another way, and steps magnify its rounding.
        np.testing.assert_allclose(a.particles, b.particles, atol=1e-3)
        assert a.evaluations == b.evaluations
        assert a.gradient_norm == pytest.approx(b.gradient_norm, rel=1e-2)
        # The kernel is the paper's, so its objective is the common one.
        assert a.common == pytest.approx(b.relative_objective, rel=1e-2, abs=1e-5)


def test_runs_of_different_kernels_share_one_objective(tiny):
    frames = list(LabRun(tiny, POINTS, settings(kernel="gaussian")))
    first, last = (
        mmd2(*(torch.from_numpy(a)[None].double() for a in (f.particles, f.image)), Riesz())
        for f in (frames[0], frames[-1])
    )
    assert frames[-1].common == pytest.approx(float(last / first), rel=1e-4)


# Forks


@pytest.mark.parametrize(
    ("solver", "kernel"),
    [*((name, "riesz") for name in SOLVERS), ("momentum", "riesz-continued")],
)
def test_a_fork_with_equal_settings_is_the_run_itself(tiny, solver, kernel):
    chosen = settings(solver=solver, kernel=kernel)
    trunk = LabRun(tiny, POINTS, chosen)
    frames = list(trunk)
    branch = list(Fork(tiny, POINTS, trunk, frames, 3, chosen))
    assert [frame.step for frame in branch] == list(range(3 + 8 + 1))
    for a, b in zip(frames, branch, strict=False):
        np.testing.assert_allclose(a.particles, b.particles, atol=1e-4)
        assert a.evaluations == b.evaluations
        assert a.relative_objective == pytest.approx(b.relative_objective, rel=1e-3, abs=1e-7)
        assert a.common == pytest.approx(b.common, rel=1e-3, abs=1e-7)
        assert b.step < 3 or b.seconds >= frames[3].seconds


def test_noise_goes_on_where_it_was(tiny):
    chosen = settings(noise=0.5)
    trunk = LabRun(tiny, POINTS, chosen)
    frames = list(trunk)
    branch = list(Fork(tiny, POINTS, trunk, frames, 4, chosen))
    np.testing.assert_allclose(frames[-1].particles, branch[8].particles, atol=1e-5)


def test_a_fork_stops_where_the_trunk_would(tiny):
    free = list(LabRun(tiny, POINTS, settings(solver="picard", steps=8)))
    tolerance = (free[4].relative_objective + free[5].relative_objective) / 2
    chosen = settings(solver="picard", steps=8, tolerance=tolerance)
    trunk = LabRun(tiny, POINTS, chosen)
    frames = list(trunk)
    branch = Fork(tiny, POINTS, trunk, frames, 2, chosen)
    assert list(branch)[-1].step == frames[-1].step
    assert branch.outcome.stopped is Stopped.CONVERGED
    assert branch.outcome.steps == trunk.outcome.steps


def test_a_fork_with_other_settings_leaves_the_trunk(tiny):
    trunk = LabRun(tiny, POINTS, settings())
    frames = list(trunk)
    other = settings(solver="picard", particles=9, seed=7, steps=2)
    branch = Fork(tiny, POINTS, trunk, frames, 3, other)
    seen = list(branch)
    assert all(a is b for a, b in zip(frames[:3], seen, strict=False))
    np.testing.assert_array_equal(seen[3].particles, frames[3].particles)
    np.testing.assert_allclose(seen[4].particles, frames[3].image, atol=1e-6)
    assert len(seen) == 3 + 2 + 1 and branch.outcome.steps == 5


# Races


def lane(name: str, tiny: Checkpoint, **changes: object) -> Lane:
    run = LabRun(tiny, POINTS, settings(**changes))
    return Lane(name, run.labels, list(run))


def moved(lane: Lane, name: str, scale: float, offset: float = 0.0) -> Lane:
    """The lane with its last particles contracted and moved: another equilibrium."""
    *before, last = lane.frames
    particles = scale * last.particles + offset
    spread = scale * last.spread
    return Lane(name, lane.labels, (*before, replace(last, particles=particles, spread=spread)))


def test_the_winner_needs_least_to_reach_the_target(tiny):
    a = lane("slow", tiny, solver="picard", damping=0.3, steps=6)
    b = lane("quick", tiny, solver="picard", damping=0.6, steps=3)
    target = 0.5
    result = judge([a, b], target)
    first = [next(f for f in each.frames if f.common <= target) for each in (a, b)]
    assert [s.to_target for s in result.standings] == [f.evaluations for f in first]
    assert first[1].evaluations < first[0].evaluations and result.fewest == "quick"
    assert result.distances[0, 1] == pytest.approx(
        w2(a.frames[-1].particles, b.frames[-1].particles)
    )


@pytest.mark.parametrize(("scale", "offset"), [(1e-3, 0.0), (1.0, 50.0)])
def test_a_lane_that_found_another_equilibrium_never_wins(tiny, scale, offset):
    a = lane("honest", tiny, solver="picard", damping=0.3, steps=6)
    b = moved(lane("cheat", tiny, solver="picard", steps=2), "cheat", scale, offset)
    result = judge([a, b], 0.5)
    assert result.fewest is None and result.fastest is None
    honest, cheat = result.standings
    assert honest.equilibrium == 0 and cheat.equilibrium == 1
    assert cheat.collapsed == (scale < 1)


def test_a_lane_on_its_way_is_at_no_equilibrium(tiny):
    a, b = lane("a", tiny, solver="picard"), lane("b", tiny, steps=0)
    result = judge([a, b], 0.5)
    assert result.standings[1].equilibrium == -1 and result.standings[1].to_target is None


def test_a_race_can_be_taken_home(tiny):
    lanes = [lane("a", tiny, solver="picard"), lane("b", tiny, particles=3)]
    arrays = np.load(io.BytesIO(lanes_npz(lanes, POINTS)), allow_pickle=False)
    assert arrays["names"].tolist() == ["a", "b"]
    assert arrays["1_particles"].shape == (9, 3, 16)
    rows = list(csv.DictReader(io.StringIO(curves_csv(lanes))))
    assert len(rows) == 18 and float(rows[8]["common"]) == lanes[0].frames[-1].common
    [first, _] = csv.DictReader(io.StringIO(standings_csv(judge(lanes, 0.5))))
    assert int(first["evaluations"]) == lanes[0].frames[-1].evaluations


# Many starts


def test_every_run_of_a_search_is_the_single_run(tiny):
    chosen = settings(solver="picard", seed=4)
    *_, found = Search(tiny, POINTS, chosen, 2, [5, 3])
    assert found.progress == 1 and len(found.ends) == 8
    for end in found.ends[:4]:
        alone = LabRun(
            tiny, POINTS, settings(solver="picard", seed=end.seed, particles=end.particles)
        )
        last = list(alone)[-1]
        np.testing.assert_allclose(end.measure, last.particles, atol=1e-5)
        assert (end.steps, end.evaluations) == (last.step, last.evaluations)
        assert end.label == alone.outcome.label


def test_shuffling_and_padding_change_nothing(tiny):
    *_, found = Search(tiny, POINTS, settings(solver="picard"), 3, [5])
    assert set(found.control_distances()) == {"shuffled", "padded"}
    assert max(found.control_distances().values()) < 1e-4


def test_a_model_that_minds_padding_is_found_out(tiny, monkeypatch):
    from ddeq.lab import equilibria

    def unmasked(points, variant):
        x, _ = varied(points, variant)
        return x, None

    monkeypatch.setattr(equilibria, "varied", unmasked)
    *_, found = Search(tiny, POINTS, settings(solver="picard"), 2, [5])
    assert found.control_distances()["padded"] > 1e-2


def test_a_search_can_be_taken_home(tiny):
    *_, found = Search(tiny, POINTS, settings(solver="picard"), 2, [5, 3])
    rows = list(csv.DictReader(io.StringIO(ends_csv(found))))
    assert [row["variant"] for row in rows].count(AS_IT_IS) == 4
    arrays = np.load(io.BytesIO(ends_npz(found)), allow_pickle=False)
    np.testing.assert_array_equal(arrays["distances"], found.distances)
    assert arrays["measure_2"].shape == (3, 16)


def test_a_search_left_early_has_the_runs_that_ended(tiny):
    search = iter(Search(tiny, POINTS, settings(solver="picard"), 2, [5]))
    seen: list[Ends] = [next(search)]
    while not seen[-1].ends:
        seen.append(next(search))
    assert [end.variant for end in seen[-1].ends] == [AS_IT_IS] * 2
    progress = [each.progress for each in seen]
    assert progress == sorted(progress) and PADDED not in [e.variant for e in seen[-1].ends]


# Phase diagrams


@pytest.mark.parametrize(
    ("base", "x", "y"),
    [
        ({"solver": "momentum"}, ("step_size", 0.5, 4, 3), ("momentum", 0, 0.9, 2)),
        ({"solver": "euler", "noise": 0.3}, ("step_size", 0.5, 4, 2), ("r", 0.5, 1.5, 3)),
        ({"solver": "armijo", "tolerance": 0.3}, ("step_size", 1, 9, 2), ("eps", 0, 2, 2)),
        ({"solver": "anderson"}, ("window", 2, 4, 3), ("damping", 0.5, 1, 2)),
        (
            {"solver": "l-bfgs", "kernel": "riesz-continued"},
            ("step_size", 1, 5, 2),
            ("window", 2, 9, 2),
        ),
        ({"solver": "armijo", "kernel": "riesz-continued"}, ("eps", 1, 5, 2), ("fade", 2, 9, 2)),
        (
            {"solver": "euler", "kernel": "riesz-sliced"},
            ("projections", 4, 16, 2),
            ("step_size", 0.5, 2, 2),
        ),
    ],
)
def test_every_cell_is_the_single_run(tiny, base, x, y):
    known = settings(**base)
    grid = Grid(known, *(axis(fields(known)[name], *rest) for name, *rest in (x, y)))
    *_, found = Sweep(tiny, POINTS, grid)
    assert found.progress == 1
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            run = LabRun(tiny, POINTS, grid.settings(row, column))
            frames = list(run)
            cell = (row, column)
            assert found.common[cell] == pytest.approx(frames[-1].common, rel=1e-2, abs=1e-5)
            assert found.steps[cell] == frames[-1].step
            assert found.evaluations[cell] == frames[-1].evaluations
            assert run.labels[found.predicted[cell]] == run.outcome.label
            kept = frames[-1].spread / frames[0].spread
            assert found.spread_kept[cell] == pytest.approx(kept, rel=1e-2)


def test_a_large_grid_is_solved_in_batches(tiny, monkeypatch):
    from ddeq.lab import phase

    known = settings(solver="momentum", steps=3)
    grid = Grid(
        known,
        axis(fields(known)["step_size"], 0.5, 4, 4),
        axis(fields(known)["momentum"], 0, 0.9, 3),
    )
    *_, whole = Sweep(tiny, POINTS, grid)
    monkeypatch.setattr(phase, "BATCH", 5)
    seen = list(Sweep(tiny, POINTS, grid))
    np.testing.assert_allclose(seen[-1].common, whole.common, rtol=1e-4)
    assert len(seen) == 3 * 4  # batches, steps from 0 to 3
    assert np.isnan(seen[0].common).sum() == 12 - 5
    assert [each.progress for each in seen] == sorted(each.progress for each in seen)
    rows = list(csv.DictReader(io.StringIO(map_csv(grid, seen[-1], ("a", "b", "c")))))
    assert len(rows) == 12 and float(rows[5]["common"]) == seen[-1].common[1, 1]


def test_an_axis_goes_by_factors_or_by_differences():
    known = fields(settings())
    assert axis(known["step_size"], 0.1, 10, 3).values == (0.1, 1, 10)
    assert axis(known["r"], 0.5, 1.5, 3).values == (0.5, 1, 1.5)
    assert axis(fields(settings(solver="anderson"))["window"], 2, 4, 9).values == (2, 3, 4)


def test_ranges_that_make_no_sense_are_refused(refused):
    known = fields(settings())
    with refused():
        axis(known["step_size"], 2, 2, 4)
    with refused():
        axis(known["step_size"], 1, 1000, 4)
    with refused():
        axis(known["step_size"], 1, 2, 1)
    same = axis(known["r"], 0.5, 1.5, 3)
    with refused():
        Grid(settings(), same, same)


@pytest.mark.parametrize("kernel", KERNELS)
def test_all_numbers_of_solver_and_kernel_can_be_an_axis(kernel):
    known = settings(kernel=kernel)
    kinds = (type(known.solver), KERNELS[kernel])
    assert list(fields(known)) == [field.name for kind in kinds for field in settings_of(kind)]


# Early exits


def test_reading_out_early_is_a_run_with_fewer_steps(tiny, new_classifier):
    rng = np.random.default_rng(1)
    clouds = [rng.normal(size=(n, 2)).astype(np.float32) for n in (9, 12, 15, 12)]
    truth = np.array([0, 1, 2, 1])
    data = Exam(clouds, np.eye(3, dtype=bool)[truth])
    card = {**tiny.card, "settings": {**PLAIN, "solver": "picard", "steps": 1}}
    control = Checkpoint(new_classifier().eval(), card)
    *_, found = Measurement(tiny, control, data, settings(solver="picard", steps=3))
    assert found.progress == pytest.approx(1) and len(found.scores) == 4
    for steps, score in enumerate(found.scores):
        labels = []
        for k, cloud in enumerate(clouds):
            run = LabRun(tiny, cloud, settings(solver="picard", steps=steps, seed=k))
            labels.append(list(run)[-1].probabilities.argmax())
        assert (score.correct, score.total) == ((labels == truth).sum(), 4)
    # The control here has the same weights and takes one step.
    assert found.control == found.scores[1]
    assert (np.diff(found.milliseconds) >= 0).all() and found.milliseconds[0] > 0
    assert found.scores[found.enough()].accuracy >= found.scores[-1].interval[0]
    rows = list(csv.DictReader(io.StringIO(anytime_csv(found))))
    assert [row["steps"] for row in rows] == ["0", "1", "2", "3", "control"]


def test_any_right_class_counts_and_a_control_is_not_needed(tiny):
    clouds = [np.random.default_rng(k).normal(size=(9, 2)).astype(np.float32) for k in range(2)]
    either = np.ones((2, 3), bool)
    chosen = settings(solver="picard", steps=1)
    *_, found = Measurement(tiny, None, Exam(clouds, either), chosen)
    assert [(score.correct, score.total) for score in found.scores] == [(2, 2), (2, 2)]
    *_, never = Measurement(tiny, None, Exam(clouds, ~either), chosen)
    assert [score.correct for score in never.scores] == [0, 0]
    assert found.control is None and found.milliseconds[0] > 0
    rows = list(csv.DictReader(io.StringIO(anytime_csv(found))))
    assert [row["steps"] for row in rows] == ["0", "1"]


# Witness functions


@few
@given(
    arrays(np.float64, (5, 3), elements=st.floats(-5, 5)),
    arrays(np.float64, (5, 3), elements=st.floats(-5, 5)),
    st.sampled_from([Riesz(), Riesz(1.5, 0.3), Gaussian(2.0)]),
)
def test_the_witness_integrates_to_the_squared_mmd(z, image, kernel):
    a, b = torch.from_numpy(z), torch.from_numpy(image)
    gap = witness(a, a, b, kernel).mean() - witness(b, a, b, kernel).mean()
    assert float(gap) == pytest.approx(float(mmd2(a[None], b[None], kernel)), abs=1e-8)


def test_the_plane_goes_through_the_middle_of_the_particles():
    rng = np.random.default_rng(0)
    z, image = rng.normal(size=(2, 6, 8))
    view = principal_axes(np.concatenate([z, image]) + 3, 3)
    low, high = window_of(np.stack([z, image]), view)
    plane = on_plane(z, image, Riesz(), view, (low, high), 5)
    middle = np.concatenate([z, image]).mean(0)
    centre = view(middle)[:2]
    at = middle + (np.array([plane.x[1], plane.y[3]]) - centre) @ view.axes[:2]
    expected = witness(*(torch.from_numpy(a) for a in (at[None], z, image)), Riesz())
    assert plane.values[3, 1] == pytest.approx(float(expected[0]))
    np.testing.assert_allclose(view(at)[:2], [plane.x[1], plane.y[3]])
    for points in (plane.particles, plane.image):
        assert (low < points).all() and (points < high).all()
