"""ModelNet40 and ModelNet10, in each of the forms in which they are handed round.

A form is a module with ``has(folder)`` and ``read(folder)``; which one a folder is of is found by
looking. The labels are the classes in the order of the alphabet, or as the folder lists them.

Source: Wu et al. 2015, https://modelnet.cs.princeton.edu.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddeq.errors import UserError
from ddeq.training.datasets.modelnet import hdf5, npz, off, text
from ddeq.training.datasets.modelnet.parts import assign
from ddeq.training.datasets.objects import ObjectClouds, Part

FORMS = {"npz": npz, "hdf5": hdf5, "text": text, "off": off}


@dataclass(frozen=True, eq=False)
class ModelNet:
    """A folder's shapes.

    Attributes:
        folder: where they lie.
        form: a name out of :data:`FORMS`.
        clouds: the shapes with their parts.
        notes: sentences about what is not as in ModelNet40.
    """

    folder: Path
    form: str
    clouds: ObjectClouds
    notes: tuple[str, ...]

    def part(self, name: Part) -> ObjectClouds:
        """The shapes of a part.

        Raises:
            UserError: there are none.
        """
        found = self.clouds.part(name)
        if not len(found):
            raise UserError(
                f"'{self.folder}' has no shapes of the {name} split, so give the folder with all "
                "of ModelNet40."
            )
        return found


def load_modelnet(folder: str | Path) -> ModelNet:
    """The shapes of a folder, or of one in it.

    Raises:
        UserError: there are none, or what is there is broken.
    """
    folder = Path(folder)
    for place in (folder, *sorted(path for path in folder.glob("*/") if path.is_dir())):
        for name, form in FORMS.items():
            if form.has(place):
                clouds, notes = assign(form.read(place))
                return ModelNet(place, name, clouds, notes)
    raise UserError(
        f"'{folder}' holds ModelNet in none of its forms (train.npz; ply_data_train0.h5; "
        "modelnet40_train.txt; class/train/NAME.off), so give the folder to which it was extracted."
    )
