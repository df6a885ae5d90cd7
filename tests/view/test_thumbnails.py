"""Small pictures of clouds: near points cover far ones, and all of the cloud is in the picture."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ddeq.view.picker.thumbnails import AZIMUTH, ELEVATION, thumbnail

CAMERA = np.array(
    [
        np.cos(ELEVATION) * np.cos(AZIMUTH),
        np.cos(ELEVATION) * np.sin(AZIMUTH),
        np.sin(ELEVATION),
    ]
)


@given(st.floats(1e-3, 1e3), st.integers(0, 99))
def test_a_picture_depends_on_the_shape_alone(scale, seed):
    points = np.random.default_rng(seed).normal(size=(200, 3))
    moved = thumbnail(scale * points + [3, -5, 7], 60)
    assert (moved > 0).sum() > 100
    assert (np.abs(moved.astype(int) - thumbnail(points, 60)) > 1).mean() < 0.01  # rounding


def test_the_nearer_of_two_points_is_seen():
    corners = np.array([[1, 1, 1], [-1, -1, -1]]) * 5.0
    near, far = CAMERA, -CAMERA  # one behind the other, in the middle
    both = thumbnail(np.stack([*corners, near, far]), 64)
    alone = thumbnail(np.stack([*corners, near]), 64)
    assert both[32, 32] == alone[32, 32] > thumbnail(np.stack([*corners, far]), 64)[32, 32] > 0


def test_up_is_up():
    pole = np.stack([np.zeros(50), np.zeros(50), np.linspace(0, 1, 50) ** 3], axis=1)
    rows = np.flatnonzero(thumbnail(pole, 64).any(axis=1))
    ink = (thumbnail(pole, 64) > 0).sum(axis=1)
    assert rows.max() - rows.min() > 50
    assert ink[:32].sum() < ink[32:].sum()  # most points are near the floor
