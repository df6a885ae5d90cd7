"""Numbers about particles, predictions and clouds against closed forms and other people's code."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from ddeq.metrics.distances import (
    chamfer,
    chamfer_squared,
    coverage,
    energy_distance,
    f_score,
    f_score_radius,
    unevenness,
)
from ddeq.metrics.intervals import crossed_interval, mean_interval, wilson_interval
from ddeq.metrics.particles import spread
from ddeq.metrics.transport import emd
from ddeq.solve.kernels import Riesz, mmd2


def test_spread_is_the_mean_distance_from_the_centre():
    square = torch.tensor([[[1.0, 1], [1, -1], [-1, 1], [-1, -1]]])
    torch.testing.assert_close(spread(3 * square + 7), torch.tensor([3 * 2**0.5]))


@given(st.integers(1, 6), st.floats(-50, 50), st.floats(0, 20))
def test_spread_is_blind_to_place_and_proportional_to_size(n, shift, scale):
    z = torch.randn(2, n, 3, generator=torch.manual_seed(n), dtype=torch.float64)
    torch.testing.assert_close(spread(scale * z + shift), scale * spread(z), atol=1e-9, rtol=1e-9)


def test_spread_of_collapsed_particles_is_exactly_0_and_can_be_differentiated():
    z = torch.full((1, 5, 3), 0.25, requires_grad=True)
    value = spread(z)
    value.sum().backward()
    assert value.item() == 0 and z.grad.isfinite().all()


def test_padding_does_not_count():
    z = torch.randn(2, 6, 3, generator=torch.manual_seed(0))
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, False]])
    expected = torch.cat([spread(z[:1]), spread(z[1:, [0, 2, 3]])])
    torch.testing.assert_close(spread(z, mask), expected)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counts):
    correct, total = counts
    found, normal = correct / total, 1.959964
    low, high = wilson_interval(correct, total)
    assert 0 <= low <= found <= high <= 1
    # Each end is a share from which what was found is 1.96 standard deviations away, or 0 or 1.
    ends = [low] * (correct > 0) + [high] * (correct < total)
    for end in ends:
        deviation = (end * (1 - end) / total) ** 0.5
        assert abs(found - end) == pytest.approx(normal * deviation, rel=1e-5)


# Clouds

coordinates = st.floats(-50, 50).map(lambda x: round(x, 3))
clouds = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=coordinates)
DISTANCES = {chamfer: 1, chamfer_squared: 2, emd: 1, energy_distance: 1}  # in units to this power


def test_two_points_have_their_distance():
    a, b = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert chamfer(a, b) == emd(a, b) == 5
    assert chamfer_squared(a, b) == 25 + 25
    assert energy_distance(a, b) == 10


@pytest.mark.parametrize("distance", DISTANCES)
@given(clouds, clouds)
def test_a_distance_of_clouds_is_symmetric_and_zero_only_on_the_diagonal(distance, a, b):
    assert distance(a, a) == pytest.approx(0, abs=1e-12)
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9, abs=1e-9)
    assert distance(a, b) >= -1e-12
    if {*map(tuple, a.tolist())} != {*map(tuple, b.tolist())}:
        assert distance(a, b) > 0


@pytest.mark.parametrize("distance", DISTANCES)
@given(clouds, clouds, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(distance, a, b, random):
    shuffled = np.array(random.sample(a.tolist(), len(a)))
    assert distance(shuffled, b) == pytest.approx(distance(a, b), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
@given(clouds, clouds, st.floats(0.1, 10), coordinates)
def test_distances_move_and_grow_with_the_clouds(distance, a, b, scale, shift):
    found = distance(scale * a + shift, scale * b + shift)
    expected = scale ** DISTANCES[distance] * distance(a, b)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(clouds, arrays(np.float64, 2, elements=coordinates))
def test_the_emd_of_a_shift_is_its_length(a, shift):
    assert emd(a, a + shift) == pytest.approx(np.linalg.norm(shift), rel=1e-6, abs=1e-6)


@given(st.integers(1, 12), st.integers(0, 99))
def test_the_emd_of_equal_sizes_is_the_best_assignment(n, seed):
    a, b = np.random.default_rng(seed).normal(size=(2, n, 3))
    cost = cdist(a, b)
    assert emd(a, b) == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-6)


@given(clouds, clouds)
def test_on_a_line_emd_and_energy_distance_have_closed_forms(a, b):
    a, b = a[:, :1], b[:, :1]
    of_ranks = stats.wasserstein_distance(a[:, 0], b[:, 0])
    assert emd(a, b) == pytest.approx(of_ranks, rel=1e-6, abs=1e-6)
    # scipy returns the root.
    of_ranks = stats.energy_distance(a[:, 0], b[:, 0]) ** 2
    assert energy_distance(a, b) == pytest.approx(of_ranks, rel=1e-6, abs=1e-6)


@given(clouds, clouds)
def test_the_energy_distance_is_the_squared_mmd_of_the_riesz_kernel(a, b):
    expected = mmd2(torch.from_numpy(a)[None], torch.from_numpy(b)[None], Riesz()).item()
    assert energy_distance(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_emd_of_unequal_sizes_splits_mass():
    a, b = np.array([[0.0], [3.0]]), np.array([[0.0], [1.0], [3.0]])
    # From each of the two points a mass of 1/6 goes to the one between them.
    assert emd(a, b) == pytest.approx((1 + 2) / 6)


def test_chamfer_ignores_how_often_a_point_is_there_and_means_both_ways():
    a, b = np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [1.0]])
    assert chamfer(a, b) == 0 and emd(a, b) > 0
    line, point = np.array([[0.0], [4.0]]), np.array([[0.0]])
    assert chamfer(line, point) == pytest.approx((4 / 2 + 0) / 2)


def test_the_squared_chamfer_distance_sums_the_mean_squares_both_ways():
    line, point = np.array([[0.0], [4.0]]), np.array([[1.0]])
    assert chamfer_squared(line, point) == pytest.approx((1 + 9) / 2 + 1)


@given(clouds, clouds)
def test_the_two_chamfer_distances_are_of_the_same_nearest_points(a, b):
    nearest = cdist(a, b)
    there, back = nearest.min(axis=1), nearest.min(axis=0)
    assert chamfer(a, b) == pytest.approx((there.mean() + back.mean()) / 2, rel=1e-6, abs=1e-6)
    squares = (there**2).mean() + (back**2).mean()
    assert chamfer_squared(a, b) == pytest.approx(squares, rel=1e-6, abs=1e-6)


def test_coverage_counts_the_missing_points_that_were_reached():
    missing = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0], [0.0, 3.0]])
    free = np.array([[0.0, 0.5], [1.0, 0.25]])
    assert coverage(missing, free, 0.5) == 0.5  # the distance itself counts
    assert coverage(missing, free, 0.4) == 0.25
    assert coverage(missing, missing[::-1], 0) == 1


def test_the_f_score_is_the_harmonic_mean_of_precision_and_recall():
    truth = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert f_score(truth[::-1], truth, 1e-3) == 1
    assert f_score(truth + 5, truth, 0.1) == 0
    # All that is there is right, and a half of what should be.
    assert f_score(truth[:2], truth, 0.1) == pytest.approx(2 * 1 * 0.5 / 1.5)
    # A third point is nowhere.
    more = np.concatenate([truth[:2], [[9.0, 9, 9]]])
    assert f_score(more, truth, 0.1) == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 3), st.floats(0.05, 2))
def test_the_f_score_agrees_with_a_tree_of_scipys(n, m, d, radius):
    rng = np.random.default_rng(n + 97 * m)
    a, b = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    precision = (cKDTree(b).query(a)[0] < radius).mean()
    recall = (cKDTree(a).query(b)[0] < radius).mean()
    expected = 2 * precision * recall / max(precision + recall, 1e-12)
    assert f_score(a, b, radius) == pytest.approx(expected, abs=1e-6)
    # Far from the origin, as surveyors' coordinates are, in whatever units.
    scaled = f_score(1e3 * a + 1e9, 1e3 * b + 1e9, 1e3 * radius)
    assert scaled == pytest.approx(expected, abs=1e-6)


def test_the_radius_of_the_f_score_is_a_hundredth_of_the_longest_side():
    box = np.array([[0.0, 0, 0], [2, 5, 1], [1, 1, 1]])
    assert f_score_radius(box) == pytest.approx(0.05)
    assert f_score_radius(box - 7) == pytest.approx(0.05)


def test_the_bootstrap_interval_is_the_normal_one_of_many():
    values = np.random.default_rng(0).gamma(2.0, size=2000)
    half = 1.959964 * values.std() / len(values) ** 0.5
    expected = values.mean() - half, values.mean() + half
    assert mean_interval(values) == pytest.approx(expected, rel=0.01)
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(np.array([2.5])) == (2.5, 2.5)


def test_values_of_one_group_are_drawn_together():
    values = np.random.default_rng(0).gamma(2.0, size=300)
    # Repeating every value tells nothing new, so the interval stays as wide as it was.
    repeated, groups = np.repeat(values, 5), np.repeat(np.arange(300), 5)
    assert mean_interval(repeated, groups) == pytest.approx(mean_interval(values))
    low, high = mean_interval(repeated)
    assert high - low < 0.6 * np.ptp(mean_interval(values))
    # Groups of different sizes, in any order, under any name: each value counts as one.
    order = np.random.default_rng(1).permutation(len(repeated))
    names = np.array([f"object {g}" for g in groups])
    assert mean_interval(repeated[order], names[order]) == pytest.approx(
        mean_interval(repeated, names)
    )
    assert mean_interval(np.array([1.0, 1, 0]), np.array([7, 7, 7])) == pytest.approx((2 / 3,) * 2)


def test_the_crossed_interval_counts_rows_and_columns():
    """With additive effects of rows and columns the variance of the mean is known."""
    rng = np.random.default_rng(0)
    rows, columns = 12, 400
    values = rng.normal(size=(rows, 1)) + rng.normal(size=columns)
    low, high = crossed_interval(values)
    row, column = values.mean(1).var(ddof=1) / rows, values.mean(0).var() / columns
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(row + column), rel=0.1)
    # Without differences between rows, and with one row, it is that of the columns.
    alone = mean_interval(values[0])
    assert crossed_interval(np.repeat(values[:1], 3, axis=0)) == pytest.approx(alone, abs=0.02)
    assert crossed_interval(values[:1]) == pytest.approx(alone, abs=0.02)


def test_a_difference_is_paired_by_columns_and_not_by_rows():
    rng = np.random.default_rng(0)
    cases = 5 * rng.normal(size=500)
    a, b = (gap + rng.normal(size=(3, 1)) + 0 * cases for gap in (1.0, 0.0))
    low, high = crossed_interval(cases + a, cases + b)
    assert low <= a.mean() - b.mean() <= high
    # What the cases have in common cancels, what rows have does not.
    assert (low, high) == pytest.approx(crossed_interval(a, b))
    assert high - low > 0.5
    assert crossed_interval(cases[None], cases[None]) == (0, 0)


def test_points_are_as_uneven_as_their_nearest_distances_say():
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), -1).reshape(-1, 2)
    rng = np.random.default_rng(0)
    poisson = rng.random((400, 2))
    assert unevenness(grid, poisson) == 0  # a lattice
    assert unevenness(poisson, rng.random((400, 2))) == pytest.approx(1, abs=0.2)
    assert unevenness(5 * poisson + 1, poisson) == pytest.approx(1)
    heaps = np.concatenate([poisson[:200] * 0.01, poisson[200:]])
    assert unevenness(heaps, poisson) > 1.5
    assert np.isnan(unevenness(poisson[:1], poisson))
