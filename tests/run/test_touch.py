"""Touched particles: each touch changes what it says and nothing else, and the solve goes on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.run.classification import ClassifierRun
from ddeq.run.projection import principal_axes
from ddeq.run.settings import RunSettings
from ddeq.run.touch import KINDS, Touch, TouchedRun, touch_of, touched

N, D = 6, 9
PARTICLES = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
VIEW = principal_axes(PARTICLES, 3)
POINTS = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
SETTINGS = {"solver": "euler", "kernel": "riesz", "steps": 5, "tolerance": 0, "particles": 4}


@given(
    st.integers(0, N - 1),
    st.lists(st.floats(-9, 9), min_size=3, max_size=3).map(tuple),
)
@settings(max_examples=30)
def test_a_thrown_particle_is_where_it_was_thrown_and_the_others_stay(n, to):
    after = touched(Touch("throw", 0, particle=n, to=to), PARTICLES, VIEW)
    np.testing.assert_allclose(VIEW(after)[n], to, atol=1e-4)
    others = np.arange(N) != n
    np.testing.assert_array_equal(after[others], PARTICLES[others])
    across = (after - PARTICLES)[n]
    across = across - VIEW.directions(across) @ VIEW.axes
    np.testing.assert_allclose(across, 0, atol=1e-5)


def test_merging_moves_two_that_are_nearest_to_their_middle():
    after = touched(Touch("merge", 0, particle=2), PARTICLES, VIEW)
    moved = np.flatnonzero((after != PARTICLES).any(1))
    assert len(moved) == 2 and 2 in moved
    [other] = set(moved) - {2}
    gaps = np.linalg.norm(PARTICLES - PARTICLES[2], axis=1)
    assert gaps[other] == np.sort(gaps)[1]
    np.testing.assert_allclose(after[2], (PARTICLES[2] + PARTICLES[other]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(after[2], after[other])


def test_adding_removing_and_shaking():
    added = touched(Touch("add", 3), PARTICLES, VIEW)
    np.testing.assert_array_equal(added[:N], PARTICLES)
    assert added.shape == (N + 1, D)
    removed = touched(Touch("remove", 3, particle=1), PARTICLES, VIEW)
    np.testing.assert_array_equal(removed, np.delete(PARTICLES, 1, 0))
    shaken = touched(Touch("shake", 3), PARTICLES, VIEW)
    assert (shaken != PARTICLES).any(1).all()
    np.testing.assert_array_equal(shaken, touched(Touch("shake", 3), PARTICLES, VIEW))
    assert (shaken != touched(Touch("shake", 4), PARTICLES, VIEW)).any()


@pytest.mark.parametrize(
    "touch, count",
    [
        (Touch("throw", 0, particle=N, to=(0, 0, 0)), N),
        (Touch("throw", 0, particle=0, to=(0, 0)), N),
        (Touch("merge", 0, particle=0), 1),
        (Touch("remove", 0, particle=0), 1),
    ],
)
def test_what_cannot_be_done_is_not(touch, count):
    assert touched(touch, PARTICLES[:count], VIEW) is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        "throw",
        {},
        {"kind": "explode"},
        {"kind": ["throw"]},
        {"kind": "shake", "step": -1},
        {"kind": "shake", "step": "many"},
        {"kind": "shake", "step": math.inf},
        {"kind": "throw", "to": [math.nan, 0, 0]},
        {"kind": "throw", "to": 7},
        {"kind": "remove", "particle": -1},
    ],
    ids=str,
)
def test_what_a_browser_says_is_not_believed(said):
    assert touch_of(said) is None


def test_what_a_browser_says_well_is_taken_up():
    said = {"kind": "throw", "step": 3, "run": 1, "particle": 2, "to": [1, 2.5, 3]}
    assert touch_of(said) == Touch("throw", 3, 1, 2, (1.0, 2.5, 3.0))
    assert str(touch_of(said)) == "particle 3 thrown at step 3"
    assert all(str(Touch(kind, 4)).endswith("at step 4") for kind in KINDS)


def test_a_run_goes_on_from_touched_particles_and_counts_on(tiny):
    chosen = RunSettings.from_dict(SETTINGS)
    frames = list(ClassifierRun(tiny, POINTS, chosen))
    here = frames[3]
    view = principal_axes(here.particles, 2)
    after = touched(Touch("add", 3), here.particles, view)
    branch = TouchedRun(tiny, POINTS, chosen, here, after)
    went = list(branch)
    assert [frame.step for frame in went] == [3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(went[0].particles, after)
    assert went[0].evaluations == here.evaluations + 1
    assert went[-1].seconds >= here.seconds
    assert branch.outcome.evaluations == went[-1].evaluations


def test_untouched_particles_go_where_they_would_have_gone(tiny):
    """By a solver without a schedule or memory, so nothing else of the run is lost on the way."""
    chosen = RunSettings.from_dict({**SETTINGS, "solver": "picard"})
    frames = list(ClassifierRun(tiny, POINTS, chosen))
    went = list(TouchedRun(tiny, POINTS, chosen, frames[2], frames[2].particles))
    for a, b in zip(frames[2:], went[: len(frames) - 2], strict=True):
        np.testing.assert_allclose(a.particles, b.particles, rtol=1e-5, atol=1e-5)
