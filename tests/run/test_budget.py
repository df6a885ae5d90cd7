"""Runs that others wait for take no more than they may, and say what they left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.lab.fork import Fork
from ddeq.lab.runs import LabRun
from ddeq.run.budget import Budget, Record, affordable
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Stopped
from ddeq.view.live import BUDGET

POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)


def chosen(**changes):
    plain = {"solver": "picard", "kernel": "riesz", "tolerance": 0, "particles": 5, "steps": 100}
    return RunSettings.from_dict({**plain, **changes})


def recorded(steps, record):
    return [step for step in range(steps + 1) if step in record or step == steps]


@given(st.integers(0, 5000), st.integers(1, 10**6), st.integers(1, 10**9))
def test_a_record_fits_its_budget_and_is_whole_where_it_can_be(steps, numbers, most):
    kept = recorded(steps, affordable(steps, numbers, Budget(numbers=most)))
    assert len(kept) <= max(8, most / numbers)
    assert kept[0] == 0 and kept[-1] == steps
    if (steps + 1) * numbers <= most:
        assert kept == list(range(steps + 1))
    else:
        assert len(kept) >= min(steps + 1, max(8, most // numbers) // 2)


@given(st.integers(100, 5000), st.integers(10, 99))
def test_late_steps_are_recorded_evenly(steps, most):
    kept = recorded(steps, record := affordable(steps, 1, Budget(numbers=most)))
    assert kept[: record.whole] == list(range(record.whole))
    gaps = np.diff(kept[record.whole - 1 : -1])
    assert (gaps == record.every).all()


def test_without_a_budget_everything_is_recorded(tiny):
    run = ClassifierRun(tiny, POINTS, chosen(steps=30))
    assert [frame.step for frame in run] == list(range(31))
    assert run.outcome.recorded_every is None and "recorded_every" not in run.outcome.to_dict()


def test_a_run_leaves_steps_out_and_says_so(tiny):
    whole, thinned = (ClassifierRun(tiny, POINTS, chosen()) for _ in range(2))
    thinned.within(Budget(numbers=20 * 5 * 5 * 16))
    every, some = list(whole), list(thinned)
    assert len(some) <= 20 < len(every) == 101
    for frame in some:  # what is recorded is what it would have been
        np.testing.assert_array_equal(frame.particles, every[frame.step].particles)
        assert frame.evaluations == every[frame.step].evaluations
    assert some[-1].step == 100 and thinned.outcome.steps == 100
    assert thinned.outcome.recorded_every == thinned.outcome.to_dict()["recorded_every"] > 1


def test_a_run_that_stops_early_is_recorded_whole(tiny):
    run = ClassifierRun(tiny, POINTS, chosen(tolerance=0.9))
    run.within(Budget(numbers=20 * 5 * 5 * 16))
    steps = [frame.step for frame in run]
    assert steps == list(range(len(steps))) and run.outcome.stopped is Stopped.CONVERGED
    assert run.outcome.recorded_every is None


def test_a_run_left_early_ends_with_what_was_seen(tiny):
    run = ClassifierRun(tiny, POINTS, chosen())
    run.within(Budget(numbers=20 * 5 * 5 * 16))
    for frame in run:
        if frame.step > 40:
            break
    assert run.outcome.stopped is Stopped.CANCELLED and run.outcome.steps == frame.step


@pytest.mark.parametrize("numbers", [np.inf, 20 * 5 * 5 * 16])
def test_time_ends_a_run_with_the_step_it_is_in(tiny, numbers):
    run = ClassifierRun(tiny, POINTS, chosen(steps=5000))
    run.within(Budget(numbers, seconds=1e-9))
    assert [frame.step for frame in run] == [0]
    assert run.outcome.stopped is Stopped.TIME_LIMIT
    assert run.outcome.to_dict()["stopped"] == "time limit"


@pytest.mark.parametrize("solver", ["broyden", "l-bfgs", "anderson", "picard"])
def test_a_trunk_with_a_budget_can_be_left_where_it_was_recorded(tiny, solver):
    settings = chosen(solver=solver, steps=40)
    trunk = LabRun(tiny, POINTS, settings)
    trunk.within(Budget(numbers=20 * trunk.arrays * 5 * 16))
    frames = list(trunk)
    assert len(trunk.memory.states) <= len(frames) <= 20
    at = frames[-4].step
    assert at > trunk.record.whole
    *_, end = Fork(tiny, POINTS, trunk, frames, at, chosen(solver=solver, steps=40 - at))
    assert end.step == 40
    np.testing.assert_allclose(end.particles, frames[-1].particles, atol=1e-4)


def test_no_link_keeps_more_than_a_visitor_may():
    """A thousand particles of 128 dimensions for 5,000 steps of the solver with most memory."""
    numbers = (5 + 2 * 20) * 1000 * 128
    record = affordable(5000, numbers, BUDGET)
    assert len(recorded(5000, record)) * numbers * 4 < 300e6
    assert Record() == affordable(200, 5 * 10 * 128, BUDGET)  # while the usual runs are whole
