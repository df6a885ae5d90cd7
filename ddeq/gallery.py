"""The real MNIST test digits that come with the package, for people who have no MNIST."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ddeq.clouds import PointCloud
from ddeq.datasets.mnist import MnistSplit, pixel_cloud

DIGITS_FILE = Path(__file__).parents[1] / "assets" / "digits" / "digits.npz"
PER_CLASS = 24


@dataclass(frozen=True, eq=False)
class Gallery:
    """The first `PER_CLASS` digits of each class, in the order of the test set: nobody chose them.

    Class 0 comes first; the arrays are read-only.
    """

    images: np.ndarray
    """uint8 (K, 28, 28), ink is bright."""
    labels: np.ndarray
    """int64 (K,), 0 to 9."""
    indices: np.ndarray
    """int64 (K,), positions in the MNIST test set."""

    def cloud(self, i: int) -> PointCloud:
        """Digit `i` of the gallery as the coordinates of its non-zero pixels (M, 2)."""
        name = f"MNIST test digit {self.indices[i]}"
        return PointCloud(pixel_cloud(self.images[i]).astype(np.float64), name)


@cache
def load_gallery() -> Gallery:
    """The gallery in `assets/digits`; see its NOTICE.md for whom to credit."""
    with np.load(DIGITS_FILE, allow_pickle=False) as arrays:
        gallery = Gallery(arrays["images"], arrays["labels"], arrays["indices"])
    for array in (gallery.images, gallery.labels, gallery.indices):
        array.setflags(write=False)  # one gallery is shared by everybody
    return gallery


def choose(test: MnistSplit) -> Gallery:
    """The gallery of a whole MNIST test set."""
    of_class = [np.flatnonzero(test.labels == digit)[:PER_CLASS] for digit in range(10)]
    indices = np.concatenate(of_class).astype(np.int64)  # (K,)
    return Gallery(test.images[indices], test.labels[indices], indices)
