"""What a scan, a cut, holes and thinning leave of a cloud."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.input.partial import Orbit, beyond_plane, outside_sphere, random_holes, seen_from, thinned


def cloud(seed: int = 0, size: int = 200, d: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, d))


def sphere(size: int = 2000) -> np.ndarray:
    points = cloud(size=size)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@given(st.integers(0, 5), st.floats(0.1, 1.0), st.integers(0, 99), st.sampled_from([2, 3]))
def test_holes_remove_the_balls_about_some_points_and_nothing_else(holes, radius, seed, d):
    points = cloud(seed, d=d)
    kept = random_holes(points, holes, radius, np.random.default_rng(seed))
    drawn = np.random.default_rng(seed).choice(len(points), holes, replace=False)
    distance = np.linalg.norm(points[:, None] - points[drawn], axis=2)  # (M, holes)
    np.testing.assert_array_equal(kept, (distance > radius).all(axis=1))
    assert not kept[drawn].any()


def test_holes_have_different_centres():
    points = cloud(size=5)
    assert not random_holes(points, 5, 1e-9, np.random.default_rng(0)).any()
    with pytest.raises(ValueError, match="larger"):
        random_holes(points, 6, 0.1, np.random.default_rng(0))


@given(st.floats(0, 1), st.integers(0, 50), st.integers(0, 99))
def test_thinning_keeps_the_share_it_was_told(share, size, seed):
    kept = thinned(cloud(size=size), share, np.random.default_rng(seed))
    assert kept.shape == (size,) and kept.sum() == round(share * size)


def test_thinning_keeps_every_point_equally_often():
    """Half of 20 points, 2000 times: each about 1000 times, within 5 standard deviations."""
    rng = np.random.default_rng(0)
    counts = sum(thinned(cloud(size=20), 0.5, rng).astype(int) for _ in range(2000))
    assert np.abs(counts - 1000).max() < 5 * math.sqrt(2000 / 4)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_zero_to_one_is_an_error(share):
    with pytest.raises(ValueError, match="share"):
        thinned(cloud(), share, np.random.default_rng(0))


def test_a_sphere_takes_its_inside_and_its_surface():
    points = np.array([[1.0, 0, 0], [3, 0, 0], [1, 2, 0], [1, 2.01, 0]])
    kept = outside_sphere(points, np.array([1.0, 0, 0]), 2.0)
    assert kept.tolist() == [False, False, False, True]


def test_a_plane_keeps_the_side_of_its_normal_whatever_the_normals_length():
    points = np.array([[0.0, 0, 0], [0, 0, 1], [5, 5, 2]])
    for length in (0.1, 1.0, 7.0):
        normal = np.array([0, 0, length])
        assert beyond_plane(points, normal, 1.0).tolist() == [False, True, True]
        assert beyond_plane(points, -normal, -1.0).tolist() == [True, True, False]


@given(st.integers(0, 99), st.floats(-2, 2))
def test_a_plane_and_its_reverse_share_no_point_and_miss_none(seed, offset):
    points, normal = cloud(seed), cloud(seed + 1)[0]
    assert (beyond_plane(points, normal, offset) ^ beyond_plane(points, -normal, -offset)).all()


def test_a_plane_without_a_direction_is_an_error():
    with pytest.raises(ValueError, match="normal"):
        beyond_plane(cloud(), np.zeros(3), 0.0)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "direction"),
    [(0, 0, [1, 0, 0]), (90, 0, [0, 1, 0]), (180, 0, [-1, 0, 0]), (33, 90, [0, 0, 1])],
)
def test_an_orbit_stands_where_its_angles_say(azimuth, elevation, direction):
    box = np.array([[10.0, 20, 30], [13, 24, 42]])  # its diagonal is 13
    position = Orbit(azimuth, elevation, distance=2).position(box)
    np.testing.assert_allclose(position, [11.5, 22, 36] + 26 * np.array(direction), atol=1e-9)


def test_random_orbits_are_uniform_on_the_sphere():
    rng = np.random.default_rng(0)
    unit = np.array([[-0.5, 0, 0], [0.5, 0, 0]])  # centre 0, diagonal 1
    where = np.array([Orbit.random(rng, distance=1).position(unit) for _ in range(3000)])
    np.testing.assert_allclose(np.linalg.norm(where, axis=1), 1)
    np.testing.assert_allclose(where.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(where.T @ where / 3000, np.eye(3) / 3, atol=0.03)


@given(st.floats(0, 360), st.floats(-90, 90))
def test_a_camera_sees_its_side_of_a_ball(azimuth, elevation):
    points = sphere()
    camera = Orbit(azimuth, elevation).position(points)
    kept = seen_from(points, camera)
    # Zero at the horizon, and about -8 at the far pole; points are seen a little beyond it.
    facing = (points * (camera - points)).sum(axis=1)
    assert kept[facing > 0].all()
    assert not kept[facing < -2].any()


def test_a_table_top_hides_the_floor_and_the_floor_the_table_top():
    rng = np.random.default_rng(0)
    height = rng.choice([0.0, 0.5], 2000)
    points = np.column_stack([rng.uniform(-1, 1, (2000, 2)), height])
    from_above = seen_from(points, Orbit(0, 90).position(points))
    from_below = seen_from(points, Orbit(0, -90).position(points))
    np.testing.assert_array_equal(from_above, height > 0)
    np.testing.assert_array_equal(from_below, height == 0)


def test_a_camera_sees_the_inside_of_a_bowl():
    points = sphere()
    points[:, 2] = -np.abs(points[:, 2])
    assert seen_from(points, np.array([0.0, 0, 5])).mean() > 0.95


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.ones((1, 3)), cloud(size=3)])
def test_too_few_points_to_hide_one_another_are_all_seen(points):
    assert seen_from(points, np.array([1.0, 1, 1])).all()
