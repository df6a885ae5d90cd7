import subprocess
import sys

import numpy as np
import pytest

from ddeq.datasets.mnist import MnistSplit, pixel_cloud
from ddeq.gallery import DIGITS_FILE, PER_CLASS, choose, load_gallery


def test_the_gallery_has_the_same_number_of_digits_of_every_class():
    gallery = load_gallery()
    assert gallery.images.shape == (240, 28, 28) and gallery.images.dtype == np.uint8
    np.testing.assert_array_equal(gallery.labels, np.repeat(np.arange(10), PER_CLASS))


def test_the_gallery_follows_the_test_set():
    gallery = load_gallery()
    for digit in range(10):
        indices = gallery.indices[gallery.labels == digit]
        assert (np.diff(indices) > 0).all()
    assert len(set(gallery.indices)) == 240
    # The test set starts with 7 2 1 0 4 1 4 9 5 9, and the first of each class are all here.
    order = np.argsort(gallery.indices)
    assert gallery.indices[order[:10]].tolist() == list(range(10))
    assert gallery.labels[order[:10]].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_a_gallery_digit_is_its_pixel_cloud():
    gallery = load_gallery()
    cloud = gallery.cloud(30)
    np.testing.assert_array_equal(cloud.points, pixel_cloud(gallery.images[30]))
    assert cloud.points.dtype == np.float64
    assert str(gallery.indices[30]) in cloud.name


def test_the_shared_gallery_cannot_be_changed():
    gallery = load_gallery()
    assert load_gallery() is gallery
    with pytest.raises(ValueError, match="read-only"):
        gallery.images[0, 0, 0] = 1


def test_choose_takes_the_first_of_each_class():
    labels = np.tile(np.arange(10), 50)
    images = np.arange(500, dtype=np.int64)[:, None, None]  # each image says where it was
    gallery = choose(MnistSplit(images, labels))
    expected = [digit + 10 * k for digit in range(10) for k in range(PER_CLASS)]
    assert gallery.indices.tolist() == gallery.images.ravel().tolist() == expected
    np.testing.assert_array_equal(gallery.labels, labels[expected])


def test_the_notice_credits_mnist():
    notice = (DIGITS_FILE.parent / "NOTICE.md").read_text()
    for part in ("LeCun", "Cortes", "Burges", "https://creativecommons.org/licenses/by-sa/3.0/"):
        assert part in notice


def test_a_gallery_needs_no_torch():
    code = "import sys, ddeq.gallery; ddeq.gallery.load_gallery(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
