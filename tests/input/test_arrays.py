"""Arrays of points in the shapes that people save them in."""

import io

import numpy as np
import pytest

from ddeq.errors import UserError
from ddeq.input.clouds import read_cloud, read_file
from tests.sentences import assert_one_sentence

POINTS = np.random.default_rng(0).normal(size=(40, 3))
FIELDS = np.rec.fromarrays(
    [np.arange(40), *POINTS[:, ::-1].T], names=["label", "z", "y", "x"], formats="i4,f8,f8,f8"
)
DEPTHS = np.rec.fromarrays([POINTS[:, 0], POINTS[:, 1]], names=["z", "label"])
IGNORED = ("Its columns after the third are ignored.",)


def npy(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


SHAPES = {
    "rows": (POINTS, ()),
    "columns": (POINTS.T, ("Its columns are taken for the points.",)),
    "a batch of one": (POINTS[None], ()),
    "points of one": (POINTS[:, None], ()),
    "a picture of points": (POINTS.reshape(5, 8, 3), ()),
    "normals behind": (np.hstack([POINTS, POINTS]), IGNORED),
    "an intensity behind": (np.hstack([POINTS, POINTS[:, :1]]), IGNORED),
    "a batch of one, colours behind": (np.hstack([POINTS, POINTS])[None], IGNORED),
    "fields": (FIELDS, ()),
    "a picture of fields": (np.asarray(FIELDS).reshape(8, 5), ()),
}


@pytest.mark.parametrize(("array", "notes"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays_of_every_shape_are_read(array, notes, version):
    reading = read_file(npy(array, version), "a.npy")
    np.testing.assert_array_equal(reading.cloud.points, POINTS)
    assert reading.notes == notes


def test_columns_of_the_plane_are_read():
    np.testing.assert_array_equal(read_cloud(npy(POINTS[:, :2].T), "a.npy").points, POINTS[:, :2])


@pytest.mark.parametrize("key", ["points", "xyz", "pos", "vertices"])
def test_the_usual_names_of_points_are_known(key):
    file = io.BytesIO()
    np.savez(file, **{key: POINTS, "normals": POINTS, "labels": np.eye(3)})
    np.testing.assert_array_equal(read_cloud(file.getvalue(), "a.npz").points, POINTS)


@pytest.mark.parametrize(
    "array",
    [np.eye(4), POINTS[:, :1], np.zeros((4, 5)), np.zeros((2, 3, 4, 5)), DEPTHS],
    ids=["a motion", "one column", "five columns", "four axes", "fields without x"],
)
def test_arrays_of_something_else_get_one_sentence(array):
    with pytest.raises(UserError, match="holds an array of shape") as error:
        read_cloud(npy(array), "a.npy")
    assert_one_sentence(error)


def test_scans_of_kitti_are_read():
    points = POINTS.astype("<f4")
    reading = read_file(np.hstack([points, points[:, :1]]).tobytes(), "0000.bin")
    np.testing.assert_array_equal(reading.cloud.points, points)
    assert (reading.units, reading.up_axis) == ("m", "z")
    assert reading.notes == ("It is read as a scan of KITTI.",)


@pytest.mark.parametrize("content", [bytes(15), b"\x7f\x7f\x7f\x7f" * 8, b"what is this" * 4])
def test_other_bytes_get_one_sentence(content):
    with pytest.raises(UserError, match="KITTI") as error:
        read_cloud(content, "a.bin")
    assert_one_sentence(error)
