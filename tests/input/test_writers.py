"""What is written is read back to the last bit."""

import io

import numpy as np
import open3d as o3d
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten, read_cloud
from ddeq.input.formats import SUFFIXES, parse
from ddeq.input.formats.writers import WRITERS, write_cloud
from tests.sentences import assert_one_sentence

finite = st.floats(allow_nan=False, allow_infinity=False)


def any_points(dim: int) -> st.SearchStrategy:
    return arrays(np.float64, st.tuples(st.integers(1, 20), st.just(dim)), elements=finite)


def bits(points: np.ndarray) -> bytes:
    return np.ascontiguousarray(points, "<f8").tobytes()


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(7, 2)) / 3


@pytest.fixture
def known() -> np.ndarray:
    return np.array([True] * 5 + [False] * 2)


def test_every_format_that_is_written_is_read():
    assert {*WRITERS} <= {*SUFFIXES}


@pytest.mark.parametrize("suffix", WRITERS)
@given(any_points(3))
def test_points_in_space_come_back_bit_for_bit(suffix, points):
    content = write_cloud(points, np.ones(len(points), bool), f"a{suffix}")
    assert bits(parse(content, suffix, "a").points) == bits(points)


@pytest.mark.parametrize("suffix", WRITERS)
@given(any_points(2))
def test_points_of_the_plane_come_back_bit_for_bit(suffix, points):
    content = write_cloud(points, np.ones(len(points), bool), f"a{suffix}")
    found = parse(content, suffix, "a").points
    assert bits(found[:, :2]) == bits(points)
    assert not found[:, 2:].any()


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_flat_cloud_is_the_same_cloud_after_a_round_trip(suffix, points, known):
    name = f"digit{suffix.upper()}"
    again = flatten(read_cloud(write_cloud(points, known, name), name))
    assert bits(again.points) == bits(flatten(PointCloud(points, name)).points)


def test_open3d_reads_the_ply_with_its_flags(points, known, tmp_path):
    path = tmp_path / "cloud.ply"
    path.write_bytes(write_cloud(points, known, path.name))
    found = o3d.t.io.read_point_cloud(path)
    assert bits(found.point.positions.numpy()[:, :2]) == bits(points)
    np.testing.assert_array_equal(found.point["known"].numpy().ravel(), known)


def test_the_csv_names_its_columns_and_tells_known_from_completed(points, known):
    content = write_cloud(points, known, "a.csv").decode()
    assert content.splitlines()[0] == "x,y,known"
    table = np.genfromtxt(io.StringIO(content), delimiter=",", names=True)
    np.testing.assert_array_equal(table["known"], known)
    np.testing.assert_array_equal(table["y"], points[:, 1])


@pytest.mark.parametrize("name", ["cloud.pcd", "cloud", "x" * 500 + ".exe"])
def test_other_formats_are_refused(name, points, known):
    with pytest.raises(UserError) as error:
        write_cloud(points, known, name)
    assert_one_sentence(error)
