import subprocess
import sys

import numpy as np
import pytest

from ddeq.input.gallery import (
    DIGITS_FILE,
    OBJECT_POINTS,
    OBJECTS_FILE,
    PER_CLASS,
    load_gallery,
    load_objects,
)
from ddeq.input.images import pixel_cloud
from ddeq.training.datasets.furniture import CLASSES, labels
from ddeq.training.datasets.galleries import choose, choose_objects
from ddeq.training.datasets.mnist import MnistSplit
from tests.training.test_furniture import SPIKE, entry, write_package


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
    code = "import sys\nfrom ddeq.input import gallery\ngallery.load_gallery()\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_objects_are_the_test_objects_in_the_public_domain():
    gallery, known = load_objects(), labels()
    assert len(gallery) == 29 and len(set(gallery.ids)) == 29
    assert all(known[i].split == "test" and i.startswith("Blend Swap CC-0#") for i in gallery.ids)
    assert list(gallery.classes) == [CLASSES[known[i].label] for i in gallery.ids]
    assert not any("winchester" in i.lower() for i in gallery.ids)


def test_an_object_is_its_points_in_metres_on_the_floor():
    gallery = load_objects()
    bed = gallery.cloud(gallery.ids.index("Blend Swap CC-0#bed3"))
    assert bed.points.shape == (OBJECT_POINTS, 3) and bed.name == "Bed"
    low, high = bed.points.min(axis=0), bed.points.max(axis=0)
    assert 0 <= low[2] < 0.02 and 1.8 < (high - low)[:2].max() < 2.6 and high[2] < 1.8
    np.testing.assert_allclose((low + high)[:2] / 2, 0, atol=0.02)


def test_the_objects_notice_credits_every_creator():
    gallery = load_objects()
    notice = (OBJECTS_FILE.parent / "NOTICE.md").read_text(encoding="utf-8")
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in notice
    for i in range(len(gallery)):
        assert gallery.credit(i) in notice and gallery.creators[i] in gallery.credit(i)


def test_the_shared_objects_cannot_be_changed():
    assert load_objects() is load_objects()
    with pytest.raises(ValueError, match="read-only"):
        load_objects().steps[0, 0, 0] = 1


def test_choose_objects_takes_the_public_test_objects_class_by_class(tmp_path):
    ids = ["Blend Swap CC-0#table", "Blend Swap CC-0#armchair", "Blend Swap CC-0#bed1", "Other#1"]
    entries = "".join(entry(k, "s.obj").replace(f"Test#{k}", ids[k]) for k in range(4))
    write_package(tmp_path, entries, {"s.obj": SPIKE})
    gallery = choose_objects(tmp_path)
    assert gallery.ids == (ids[1], ids[0]) and gallery.classes == ("chair", "table")
    points = gallery.cloud(0).points
    np.testing.assert_allclose(points.max(axis=0) - points.min(axis=0), 1, atol=0.1)
