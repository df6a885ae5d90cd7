"""MNIST: IDX files in, images and point clouds out.

The format: two zero bytes, a byte for the element type, a byte for the number of dimensions, the
dimensions as big-endian 32-bit integers, then the elements (http://yann.lecun.com/exdb/mnist/).
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ddeq.errors import UserError

Split = Literal["train", "test"]

_UNSIGNED_BYTE = 0x08  # the only element type MNIST uses
_MAX_ELEMENTS = 2**30  # twenty times the largest MNIST file
_PREFIX = {"train": "train", "test": "t10k"}
_SUBFOLDERS = ("", "raw", "MNIST/raw")  # torchvision's layout has the last


@dataclass(frozen=True)
class MnistSplit:
    """One split of MNIST, in the order of its files."""

    images: np.ndarray
    """uint8 (K, 28, 28), ink is bright."""
    labels: np.ndarray
    """int64 (K,), 0 to 9."""


def load_mnist(folder: str | Path, split: Split) -> MnistSplit:
    """Read one split from a folder of IDX files, gzipped or not.

    Args:
        folder: the folder with the files, or one that holds them in `raw/` or `MNIST/raw/`.
        split: "train" (60,000 digits) or "test" (10,000 digits).

    Raises:
        UserError: a file is missing, broken, or not a file of MNIST.
    """
    images_file = _find(Path(folder), f"{_PREFIX[split]}-images", "idx3-ubyte")
    labels_file = _find(Path(folder), f"{_PREFIX[split]}-labels", "idx1-ubyte")
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.shape[1:] != (28, 28) or labels.ndim != 1:
        raise UserError(
            f"The files in '{images_file.parent}' do not hold 28 x 28 images with one label each, "
            "so download MNIST again."
        )
    if len(images) != len(labels) or labels.max(initial=0) > 9:
        raise UserError(
            f"The labels in '{labels_file}' do not belong to the images beside them, "
            "so download MNIST again."
        )
    return MnistSplit(images, labels.astype(np.int64))


def read_idx(path: str | Path) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not; returns uint8 of the declared shape.

    Raises:
        UserError: the file cannot be read, or its header does not fit its content.
    """
    path = Path(path)
    advice = f"'{path}' is not a whole IDX file of bytes, so download it again."
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            header = file.read(4)
            if len(header) < 4 or header[:3] != bytes((0, 0, _UNSIGNED_BYTE)) or header[3] == 0:
                raise UserError(advice)
            sizes = file.read(4 * header[3])
            if len(sizes) < 4 * header[3]:
                raise UserError(advice)
            shape = tuple(np.frombuffer(sizes, ">u4").tolist())
            count = math.prod(shape)
            if count > _MAX_ELEMENTS:
                raise UserError(advice)
            content = file.read(count + 1)  # one more, to notice bytes left over
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(advice) from error
    if len(content) != count:
        raise UserError(advice)
    return np.frombuffer(content, np.uint8).reshape(shape)


def _find(folder: Path, stem: str, kind: str) -> Path:
    names = [f"{stem}{dot}{kind}{zip_}" for dot in "-." for zip_ in ("", ".gz")]
    for subfolder in _SUBFOLDERS:
        for name in names:
            if (path := folder / subfolder / name).is_file():
                return path
    raise UserError(
        f"There is no '{names[0]}' in '{folder}', so give the folder that holds the IDX files of "
        "MNIST, gzipped or not."
    )
