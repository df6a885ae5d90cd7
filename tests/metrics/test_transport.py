"""Distances of clouds as measures, against assignments and what is known of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from ddeq.metrics.transport import between, emd, transport, w2

few = settings(max_examples=25)
clouds = arrays(np.float64, (6, 3), elements=st.floats(-5, 5))


@few
@given(clouds, st.randoms())
def test_a_measure_does_not_depend_on_the_order_of_its_points(cloud, random):
    order = random.sample(range(len(cloud)), len(cloud))
    assert w2(cloud, cloud[order]) == pytest.approx(0, abs=1e-6)
    assert w2(cloud, np.repeat(cloud[order], 2, axis=0)) == pytest.approx(0, abs=1e-6)


@few
@given(clouds, arrays(np.float64, 3, elements=st.floats(-5, 5)))
def test_a_measure_that_is_moved_is_as_far_away_as_it_was_moved(cloud, move):
    assert w2(cloud, cloud + move) == pytest.approx(np.linalg.norm(move), abs=1e-6)


@few
@given(arrays(np.float64, (4, 6, 3), elements=st.floats(-5, 5)))
def test_distances_are_a_metric(many):
    d = between(many)
    np.testing.assert_allclose(d, d.T)
    np.testing.assert_allclose(np.diag(d), 0, atol=1e-6)
    assert (d[:, :, None] <= d[:, None, :] + d.T[None] + 1e-6).all()


def test_what_is_not_a_number_has_no_distance():
    assert np.isnan(w2(np.full((3, 2), np.nan), np.zeros((3, 2))))


@few
@given(clouds, clouds)
def test_clouds_of_one_size_are_assigned_point_to_point(a, b):
    for power, distance in ((1, emd), (2, w2)):
        cost = cdist(a, b) ** power
        expected = cost[linear_sum_assignment(cost)].mean() ** (1 / power)
        assert distance(a, b) == pytest.approx(expected, abs=1e-6)


@few
@given(clouds, arrays(np.float64, (4, 3), elements=st.floats(-5, 5)))
def test_a_plan_moves_all_mass(a, b):
    found = transport(a, b)
    np.testing.assert_allclose(found.plan.sum(1), 1 / 6)
    np.testing.assert_allclose(found.plan.sum(0), 1 / 4)
    assert found.distance**2 == pytest.approx((found.plan * cdist(a, b) ** 2).sum(), abs=1e-9)


def test_any_distance_can_be_asked_for():
    clouds = [np.zeros((2, 1)), np.array([[0.0], [4.0]])]
    assert between(clouds, emd)[0, 1] == 2
    assert between(clouds)[0, 1] == pytest.approx(8**0.5)
