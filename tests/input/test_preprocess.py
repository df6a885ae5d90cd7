import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import cKDTree

from ddeq.input.preprocess import collate, standardise, subsample
from ddeq.training.datasets.packed import standardised

coordinates = st.floats(-1e4, 1e4, allow_subnormal=False, width=32)
clouds = st.tuples(st.integers(1, 40), st.integers(2, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=coordinates)
)


@given(clouds)
def test_standardised_points_have_mean_0_and_deviation_1_or_0(points):
    result = standardise(points)
    constant = np.ptp(points, axis=0) == 0
    assert result.points.dtype == np.float32
    np.testing.assert_allclose(result.points.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(result.points.std(axis=0)[~constant], 1, rtol=1e-4)


@given(clouds)
def test_undo_inverts_standardise(points):
    result = standardise(points)
    np.testing.assert_allclose(result.undo(result.points), points, rtol=1e-5, atol=1e-2)


@given(clouds, st.floats(0.1, 10), st.floats(-100, 100))
def test_standardising_forgets_scale_and_place(points, scale, shift):
    points = np.vstack([points, [[1e4] * points.shape[1], [-1e4] * points.shape[1]]])
    moved = standardise(scale * points + shift).points
    np.testing.assert_allclose(moved, standardise(points).points, atol=1e-4)


@given(clouds)
def test_isotropic_standardising_keeps_proportions(points):
    result = standardise(points, isotropic=True)
    np.testing.assert_allclose(result.undo(result.points), points, rtol=1e-5, atol=1e-2)
    assert len(set(result.scale)) == 1
    if np.ptp(points, axis=0).any():
        np.testing.assert_allclose(result.points.var(axis=0).mean(), 1, rtol=1e-3)
    else:
        assert not result.points.any()


def test_isotropic_standardising_is_that_of_training_batches():
    points = np.random.default_rng(0).normal(size=(50, 3)) * [1, 2, 5] + 7
    mask = torch.ones(1, 50, dtype=torch.bool)
    batch = standardised(torch.from_numpy(points)[None], mask, isotropic=True)[0]
    np.testing.assert_allclose(standardise(points, isotropic=True).points, batch, atol=1e-5)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 / 3, -1e-9])
def test_a_cloud_on_a_line_is_centred_there_and_finite(constant):
    points = np.array([[constant, y] for y in np.linspace(0, 1, 100_001)])
    result = standardise(points)
    np.testing.assert_array_equal(result.points[:, 0], 0)
    np.testing.assert_allclose(result.points[:, 1].std(), 1, rtol=1e-6)
    np.testing.assert_allclose(result.undo(result.points), points, rtol=1e-6, atol=1e-6)


def test_a_small_cloud_far_from_the_origin_keeps_its_shape():
    shape = np.random.default_rng(0).normal(size=(50, 2))
    far = 0.01 * shape + [4_512_345.0, 612_345.0]  # a surveyor's coordinates, in metres
    np.testing.assert_allclose(standardise(far).points, standardise(shape).points, atol=1e-5)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.sampled_from([2, 3]))
def test_collate_pads_with_zeros_and_marks_the_real_points(counts, d):
    rng = np.random.default_rng(0)
    batch = [rng.normal(size=(count, d)).astype(np.float32) for count in counts]
    points, mask = collate(batch)
    assert points.shape == (len(counts), max(counts), d)
    assert points.dtype == torch.float32 and mask.dtype == torch.bool
    assert mask.sum(dim=1).tolist() == counts
    for cloud, padded, real in zip(batch, points, mask, strict=True):
        np.testing.assert_array_equal(padded[real].numpy(), cloud)
        assert real[: len(cloud)].all()
    assert not points[~mask].any()


def test_a_real_point_at_the_origin_is_not_padding():
    points, mask = collate([np.zeros((1, 2)), np.ones((2, 2))])
    assert mask.tolist() == [[True, False], [True, True]]
    assert points[0].tolist() == [[0, 0], [0, 0]]


@settings(max_examples=30, deadline=None)  # the first call imports Open3D
@given(clouds, st.integers(1, 50), st.integers(0, 2**32))
def test_a_subsample_is_a_repeatable_part_of_the_cloud(points, limit, seed):
    picked = subsample(points, limit, np.random.default_rng(seed))
    assert len(picked) <= limit or len(points) <= limit
    assert {tuple(point) for point in picked} <= {tuple(point) for point in points}
    assert picked.dtype == points.dtype
    np.testing.assert_array_equal(picked, subsample(points, limit, np.random.default_rng(seed)))


def test_a_cloud_within_the_limit_stays_as_it_is():
    points = np.random.default_rng(0).normal(size=(10, 2))
    np.testing.assert_array_equal(subsample(points, 10, np.random.default_rng(0)), points)


@pytest.mark.parametrize("d", [2, 3])
def test_a_subsample_evens_out_the_density(d):
    rng = np.random.default_rng(0)
    crowd, rest = 0.1 * rng.random((4000, d)), rng.random((400, d))
    points = np.concatenate([crowd, rest])

    def farthest_gap(sample):  # from any point of the cloud to the sample
        return cKDTree(sample).query(points)[0].max()

    even = subsample(points, 100, rng)
    assert len(even) == 100
    assert farthest_gap(even) < 0.6 * farthest_gap(rng.choice(points, 100, replace=False))


@pytest.mark.parametrize("limit", [500, 30_000])
def test_a_million_points_are_thinned_to_the_limit(limit):
    points = np.random.default_rng(0).random((1_000_000, 2)).astype(np.float32)
    picked = subsample(points, limit, np.random.default_rng(1))
    assert picked.shape == (limit, 2)
    assert picked.dtype == np.float32
