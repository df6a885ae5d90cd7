"""Points that belong to nothing are left out, and a note counts them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.cli import main
from ddeq.input.clouds import PointCloud
from ddeq.input.gallery import load_objects
from ddeq.input.outliers import MOST, without_outliers

CHAIR = load_objects().cloud(0, 1000).points


def among(points, apart):
    """Both, in an order that tells nothing."""
    both = np.concatenate([points, apart])
    order = np.random.default_rng(1).permutation(len(both))
    return PointCloud(both[order], "scan"), order >= len(points)


@given(st.integers(1, 10), st.floats(2, 100), st.integers(0, 99))
def test_points_far_from_an_object_are_left_out(count, away, seed):
    rng = np.random.default_rng(seed)
    middle, side = CHAIR.mean(0), np.ptp(CHAIR, axis=0).max()
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    far = middle + side * away * directions
    cloud, apart = among(CHAIR, far)
    left, [note] = without_outliers(cloud)
    kept = {*map(tuple, left.points)}
    assert not kept & {*map(tuple, cloud.points[apart])}
    assert len(left.points) >= 0.95 * len(CHAIR)
    gone = len(cloud.points) - len(left.points)
    assert note.startswith(f"{gone} of {len(cloud.points):,} points lie apart")


@given(st.integers(0, 99))
def test_what_is_even_stays_whole(seed):
    """No point of a lattice lies apart, wherever its points have moved a little."""
    rng = np.random.default_rng(seed)
    lattice = np.stack(np.meshgrid(*[np.arange(8.0)] * 3), axis=-1).reshape(-1, 3)
    cloud = PointCloud(lattice + rng.uniform(-0.01, 0.01, lattice.shape), "lattice")
    left, _ = without_outliers(cloud)
    assert len(left.points) >= len(lattice) - 8  # its corners are the farthest from others


@pytest.mark.parametrize("points", [CHAIR[:20], CHAIR[:, :2]])
def test_few_points_and_flat_ones_stay_as_they_are(points):
    cloud = PointCloud(points, "a")
    assert without_outliers(cloud) == (cloud, ())


def test_of_a_large_scan_as_many_points_as_can_be_looked_at_are_drawn():
    large = PointCloud(np.random.default_rng(0).random((MOST + 5000, 3)), "large")
    left, _ = without_outliers(large)
    assert 0.95 * MOST < len(left.points) <= MOST
    assert {*map(tuple, left.points[:100])} <= {*map(tuple, large.points)}


def test_one_far_point_no_longer_changes_what_a_scan_is(capsys, tmp_path):
    """Of a scan; what is completed keeps all points, as they are given back."""
    found = {}
    for name, points in (("chair", CHAIR), ("far", np.append(CHAIR, [[3000, 2000, 0.5]], axis=0))):
        np.savetxt(tmp_path / f"{name}.xyz", points)
        assert main(["classify", str(tmp_path / f"{name}.xyz"), "--json"]) == 0
        found[name] = json.loads(capsys.readouterr().out)
    assert found["far"]["label"] == found["chair"]["label"]
    assert any("lie apart from the others" in note for note in found["far"]["notes"])
