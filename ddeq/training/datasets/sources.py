"""The data there is to train on, by the name that recipes call it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ddeq.errors import UserError
from ddeq.input.images import pixel_cloud
from ddeq.training.datasets.holes import Cut, Holes, Views
from ddeq.training.datasets.mnist import load_mnist
from ddeq.training.datasets.modelnet import load_modelnet
from ddeq.training.datasets.objects import ObjectAugmentation, ObjectClouds, load_furniture
from ddeq.training.datasets.packed import Augmentation, PackedClouds

Clouds = PackedClouds | ObjectClouds
CACHE = "objects.npz"  # in the folder of the data


@dataclass(frozen=True)
class Source:
    """One kind of data.

    Attributes:
        load: from its folder, the number of clouds to hold out where no split is given, and
            whether labels are needed, to the training clouds and those held out.
        augmentation: the dataclass of its random changes.
        holes: the dataclass of how it is cut for completion.
        variable: of the environment, that may say where it is.
    """

    load: Callable[[Path, int, bool], tuple[Clouds, Clouds]]
    augmentation: type
    holes: type[Cut]
    variable: str | None = None


def digits(folder: Path, validation: int, labelled: bool) -> tuple[PackedClouds, PackedClouds]:
    """The MNIST train set as clouds: all but the last ``validation`` digits, and those."""
    train = load_mnist(folder, "train")
    clouds = [pixel_cloud(image) for image in train.images]
    cut = len(clouds) - validation
    return (
        PackedClouds.of(clouds[:cut], train.labels[:cut]),
        PackedClouds.of(clouds[cut:], train.labels[cut:]),
    )


def furniture(folder: Path, validation: int, labelled: bool) -> tuple[ObjectClouds, ObjectClouds]:
    """Objects of the furniture libraries: the training side, and its validation part."""
    return _parts(load_furniture(folder, Path(folder) / CACHE), labelled)


def modelnet(folder: Path, validation: int, labelled: bool) -> tuple[ObjectClouds, ObjectClouds]:
    """ModelNet: its training split, less what is held out of it, and that.

    What is not as in ModelNet40 is said on stderr.
    """
    found = load_modelnet(folder)
    for note in found.notes:
        print(note, file=sys.stderr)
    return found.part("train"), found.part("validation")


def _parts(clouds: ObjectClouds, labelled: bool) -> tuple[ObjectClouds, ObjectClouds]:
    train = clouds.part("train") if labelled else clouds.part("train", "unlabelled")
    return train, clouds.part("validation")


SOURCES = {
    "digits": Source(digits, Augmentation, Holes),
    "furniture": Source(furniture, ObjectAugmentation, Views),
    "modelnet": Source(modelnet, ObjectAugmentation, Views, "DDEQ_MODELNET"),
}


def folder_of(data: str, said: Path | None) -> Path:
    """Where data are: as the command line says, or else the environment.

    Args:
        data: a name out of :data:`SOURCES`.
        said: on the command line, or None.

    Raises:
        UserError: nobody says.
    """
    variable = SOURCES[data].variable
    if said is not None:
        return said
    if variable and (place := os.environ.get(variable)):
        return Path(place)
    also = f" or the environment variable {variable}" if variable else ""
    raise UserError(f"Nothing says where the data {data} are, so give --data FOLDER{also}.")
