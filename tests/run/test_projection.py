"""Principal axes: orthonormal, ordered, reproducible, and what scikit-learn would find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.run.projection import principal_axes


def points(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.linspace(3, 1, d) + rng.normal(size=d)


@given(st.integers(4, 30), st.integers(3, 8), st.integers(0, 99))
def test_axes_are_orthonormal_and_explain_less_and_less(n, d, seed):
    found = principal_axes(points(n, d, seed), 3)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-9)
    assert (np.diff(found.explained) <= 1e-12).all()
    assert found.explained.min() >= 0 and found.explained.sum() <= 1 + 1e-12


@given(st.integers(5, 30), st.integers(3, 8), st.integers(0, 99))
def test_explained_is_the_share_of_variance_of_the_coordinates(n, d, seed):
    cloud = points(n, d, seed)
    found = principal_axes(cloud, 3)
    coordinates = found(cloud)
    np.testing.assert_allclose(coordinates.mean(0), 0, atol=1e-9)
    share = coordinates.var(0) / cloud.var(0).sum()
    np.testing.assert_allclose(found.explained, share, rtol=1e-9, atol=1e-12)
    covariance = np.cov(cloud.T)  # an independent method: its eigenvalues
    eigenvalues = np.linalg.eigvalsh(covariance)[::-1][:3] / np.trace(covariance)
    np.testing.assert_allclose(found.explained, eigenvalues, rtol=1e-6, atol=1e-12)


def test_points_of_a_plane_are_seen_without_distortion():
    flat = np.random.default_rng(0).normal(size=(20, 2))
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(10, 10)))[0][:2]
    found = principal_axes(flat @ basis + 5, 2)
    assert found.explained.sum() == pytest.approx(1)
    seen = found(flat @ basis + 5)
    np.testing.assert_allclose(
        np.linalg.norm(seen[:, None] - seen, axis=-1),
        np.linalg.norm(flat[:, None] - flat, axis=-1),
        atol=1e-9,
    )


@given(st.integers(0, 99))
def test_signs_do_not_depend_on_the_order_or_the_mirror_of_the_points(seed):
    cloud = points(12, 5, seed)
    found, shuffled = principal_axes(cloud, 3), principal_axes(cloud[::-1], 3)
    mirrored = principal_axes(-cloud, 3)
    np.testing.assert_allclose(shuffled.axes, found.axes, atol=1e-7)
    np.testing.assert_allclose(mirrored.axes, found.axes, atol=1e-7)


def test_directions_are_differences_of_coordinates():
    cloud = points(12, 5)
    found, v = principal_axes(cloud, 3), points(12, 5, 1)
    np.testing.assert_allclose(found.directions(v), found(cloud + v) - found(cloud), atol=1e-9)
    assert found(cloud[None, None]).shape == (1, 1, 12, 3)


def test_collapsed_points_have_no_variance_and_lie_at_the_origin():
    found = principal_axes(np.full((9, 5), 2.0), 3)
    assert found.explained.tolist() == [0, 0, 0] and not found(np.full((9, 5), 2.0)).any()
