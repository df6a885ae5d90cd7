import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ddeq.errors import UserError
from ddeq.input.images import pixel_cloud
from ddeq.training.datasets.mnist import load_mnist, read_idx
from tests.sentences import assert_one_sentence

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([7, 2, 1, 0, 9], np.uint8)


def idx(array):
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write_split(folder, prefix="t10k", dot="-", zipped=False, images=IMAGES, labels=LABELS):
    folder.mkdir(parents=True, exist_ok=True)
    for kind, rank, array in (("images", 3, images), ("labels", 1, labels)):
        name = f"{prefix}-{kind}{dot}idx{rank}-ubyte" + (".gz" if zipped else "")
        content = idx(array)
        (folder / name).write_bytes(gzip.compress(content) if zipped else content)


@pytest.mark.parametrize("subfolder", ["", "raw", "MNIST/raw"])
@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_every_usual_layout_is_found(tmp_path, subfolder, dot, zipped, split, prefix):
    write_split(tmp_path / subfolder, prefix, dot, zipped)
    loaded = load_mnist(tmp_path, split)
    np.testing.assert_array_equal(loaded.images, IMAGES)
    np.testing.assert_array_equal(loaded.labels, LABELS)
    assert loaded.images.dtype == np.uint8
    assert loaded.labels.dtype == np.int64


@given(arrays(np.uint8, st.tuples(*[st.integers(0, 5)] * 3)))
def test_an_idx_file_gives_back_its_array(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(path), array)


WHOLE = idx(LABELS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(WHOLE[:3], id="magic cut short"),
        pytest.param(WHOLE[:6], id="sizes cut short"),
        pytest.param(WHOLE[:-1], id="an element missing"),
        pytest.param(WHOLE + b"\0", id="a byte left over"),
        pytest.param(b"\1" + WHOLE[1:], id="wrong magic"),
        pytest.param(bytes((0, 0, 13)) + WHOLE[3:], id="floats"),
        pytest.param(bytes((0, 0, 8, 0)), id="no dimension"),
        pytest.param(bytes((0, 0, 8, 3)) + b"\xff" * 12, id="2^96 elements"),
        pytest.param(bytes((0, 0, 8, 1, 64, 0, 0, 0)), id="a gigabyte, declared only"),
        pytest.param(gzip.compress(WHOLE)[:-9], id="gzip cut short"),
        pytest.param(b"\x1f\x8b" + bytes(30), id="broken gzip"),
    ],
)
def test_a_broken_idx_file_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_idx(path)
    assert_one_sentence(error)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError) as error:
        read_idx(tmp_path / "nothing")
    assert_one_sentence(error)


@pytest.mark.parametrize(
    "arrays",
    [
        pytest.param({"labels": LABELS[:-1]}, id="a label missing"),
        pytest.param({"labels": LABELS + 1}, id="a label above 9"),
        pytest.param({"labels": LABELS[:, None]}, id="labels of rank 2"),
        pytest.param({"images": IMAGES[:, :-1]}, id="27 rows"),
        pytest.param({"images": IMAGES.reshape(5, 784)}, id="flattened images"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(tmp_path, arrays):
    write_split(tmp_path, **arrays)
    with pytest.raises(UserError) as error:
        load_mnist(tmp_path, "test")
    assert_one_sentence(error)


def test_a_folder_without_the_split_is_refused(tmp_path):
    write_split(tmp_path, "train")
    with pytest.raises(UserError, match="t10k-images") as error:
        load_mnist(tmp_path, "test")
    assert_one_sentence(error)


def test_pixels_stand_upright():
    image = np.array([[0, 0, 9], [1, 0, 0]])  # ink top right, and bottom left
    np.testing.assert_array_equal(pixel_cloud(image), [[2, 0], [0, -1]])
    assert pixel_cloud(image).dtype == np.float32


@given(arrays(np.uint8, (28, 28), elements=st.sampled_from([0, 0, 1, 255])))
def test_a_pixel_cloud_has_a_point_for_each_pixel_with_ink(image):
    x, y = pixel_cloud(image).astype(int).T
    ink = np.zeros((28, 28), bool)
    ink[-y, x] = True
    assert len(x) == np.count_nonzero(image)
    np.testing.assert_array_equal(ink, image > 0)
