"""The real test data that comes with the package: MNIST digits, and objects in space."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ddeq.input.answers import Answer, about_digit, about_furniture
from ddeq.input.clouds import PointCloud
from ddeq.input.images import pixel_cloud
from ddeq.shipped import ASSETS

DIGITS_FILE = ASSETS / "digits" / "digits.npz"
OBJECTS_FILE = ASSETS / "objects" / "objects.npz"
PER_CLASS = 24
OBJECT_POINTS = 4096
USED_POINTS = 1024  # of an object that is given to a model

STEPS = np.iinfo(np.uint16).max


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

    def answer(self, i: int) -> Answer:
        """What digit `i` is."""
        return about_digit(int(self.labels[i]))


@cache
def load_gallery() -> Gallery:
    """The gallery in `assets/digits`; see its NOTICE.md for whom to credit."""
    with np.load(DIGITS_FILE, allow_pickle=False) as arrays:
        gallery = Gallery(arrays["images"], arrays["labels"], arrays["indices"])
    for array in (gallery.images, gallery.labels, gallery.indices):
        array.setflags(write=False)  # one gallery is shared by everybody
    return gallery


@dataclass(frozen=True, eq=False)
class ObjectGallery:
    """All test objects that are in the public domain, class by class; the arrays are read-only."""

    steps: np.ndarray
    """uint16 (K, `OBJECT_POINTS`, 3), where in its box a point is: 0 to 65,535 along each axis."""
    boxes: np.ndarray
    """float64 (K, 2, 3), lowest and highest corner in metres: z up, x right, y back, floor at 0."""
    ids: tuple[str, ...]
    """As in `ddeq.training.datasets.furniture`."""
    names: tuple[str, ...]
    classes: tuple[str, ...]
    """Of `ddeq.training.datasets.furniture.CLASSES`."""
    creators: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def cloud(self, i: int, count: int = OBJECT_POINTS) -> PointCloud:
        """Object `i` as `count` independent points of its surface (M, 3), in metres.

        They are uniform by area and in no order, so fewer of them are as fair a draw.
        """
        low, high = self.boxes[i]
        return PointCloud(low + self.steps[i, :count] / STEPS * (high - low), self.names[i])

    def answer(self, i: int) -> Answer:
        """What object `i` is, and what a classifier of ModelNet40 may call it."""
        return about_furniture(self.classes[i], self.names[i])

    def credit(self, i: int) -> str:
        """Whom to thank for object `i`, in one sentence."""
        return (
            f"Models from Sweet Home 3D 'Blend Swap CC-0' 1.8, by {self.creators[i]}, converted to "
            "OBJ by Emmanuel Puybaret; CC0; point-sampled by this project."
        )


@cache
def load_objects() -> ObjectGallery:
    """The gallery in `assets/objects`; see its NOTICE.md for whom to credit."""
    with np.load(OBJECTS_FILE, allow_pickle=False) as arrays:
        steps, boxes = arrays["steps"], arrays["boxes"]
        texts = [tuple(arrays[key].tolist()) for key in ("ids", "names", "classes", "creators")]
    for array in (steps, boxes):
        array.setflags(write=False)  # one gallery is shared by everybody
    return ObjectGallery(steps, boxes, *texts)
