"""The furniture libraries of Sweet Home 3D: archives in, surfaces in metres out.

The Debian package `sweethome3d-furniture` 1.8-1 holds five `.sh3f` archives with 820 models made by
artists. A `.sh3f` file is a zip archive with OBJ files and a catalogue, a Java properties file that
numbers the models: `name#1`, `model#1`, `width#1` and so on
(https://www.sweethome3d.com/importModels.jsp).
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.obj import parse_obj
from ddeq.input.formats.surface import areas

LIBRARIES = {
    "BlendSwap-CC-0": "CC0",
    "BlendSwap-CC-BY": "CC-BY-3.0",
    "KatorLegaz": "CC-BY-3.0-US",
    "Reallusion": "CC-BY-3.0-US",
    "Scopia": "CC-BY-3.0",
}
"""The archives and their licences."""

CLASSES = (
    "chair",
    "table",
    "sofa",
    "bed",
    "storage",
    "lamp",
    "plant",
    "person",
    "car",
    "opening",
)
"""The names of labels 0 to 9; an opening is a door or a window."""

# Their own licence, in the archive beside them, is not the one of their library.
_ATTRIBUTION = ("Blend Swap CC-0#winchesterArmchair", "Blend Swap CC-0#winchesterSofa")

_CATALOGUE = "PluginFurnitureCatalog.properties"
_UPRIGHT = "1 0 0 0 1 0 0 0 1"
_INSTALLED = "usr/share/sweethome3d/furniture"  # below the folder the package was extracted to
_LABELS_FILE = Path(__file__).with_name("furniture_labels.csv")
_TO_Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # x right, y up, z front, as in the files


@dataclass(frozen=True)
class Piece:
    """One entry of a catalogue."""

    library: str
    """A key of `LIBRARIES`."""
    id: str
    name: str
    creator: str
    size: tuple[float, float, float]
    """Width, depth and height in metres: the extents along x, y and z of the surface."""
    model: str
    """The path of the OBJ file in the archive."""
    rotation: tuple[float, ...]
    """Row by row (9,): turns the file's vertices upright and to the front."""

    @property
    def licence(self) -> str:
        """Short name of the licence the model is under."""
        return "CC-BY-3.0" if self.id in _ATTRIBUTION else LIBRARIES[self.library]


@dataclass(frozen=True)
class Label:
    """The class of a piece, an index into `CLASSES`, the side it is on, for good, and its name."""

    label: int
    split: Literal["train", "test"]
    name: str


def labels() -> dict[str, Label]:
    """The labels of 326 pieces by their id."""
    with _LABELS_FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Label(
                CLASSES.index(row["class"]),
                "test" if row["split"] == "test" else "train",
                row["name"],
            )
            for row in csv.DictReader(file)
        }


def surfaces(
    folder: str | Path, libraries: Iterable[str] = tuple(LIBRARIES)
) -> Iterator[tuple[Piece, Geometry]]:
    """Every piece of these libraries with its surface (see `surface`).

    Args:
        folder: where the package was extracted to, or the folder of the `.sh3f` files.

    Raises:
        UserError: an archive is missing or broken.
    """
    for library in libraries:
        path = _find(Path(folder), library)
        try:
            with zipfile.ZipFile(path) as archive:
                for piece in catalogue(archive, library):
                    yield piece, surface(archive, piece)
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
            raise UserError(
                f"'{path}' is not a whole furniture library, so extract the package "
                "sweethome3d-furniture again."
            ) from error


def _metres(entries: Mapping[str, str], key: str) -> float:
    return float(entries[key]) / 100


def catalogue(archive: zipfile.ZipFile, library: str) -> list[Piece]:
    """The pieces of one archive, in the order of its numbers.

    Raises:
        KeyError, ValueError: the catalogue is missing or an entry is broken.
    """
    entries = properties(archive.read(_CATALOGUE))
    numbers = sorted(int(key[3:]) for key in entries if key.startswith("id#"))
    return [
        Piece(
            library,
            entries[f"id#{k}"],
            entries[f"name#{k}"],
            entries[f"creator#{k}"],
            (
                _metres(entries, f"width#{k}"),
                _metres(entries, f"depth#{k}"),
                _metres(entries, f"height#{k}"),
            ),
            entries[f"model#{k}"].removeprefix("/"),
            tuple(float(x) for x in entries.get(f"modelRotation#{k}", _UPRIGHT).split()),
        )
        for k in numbers
    ]


def surface(archive: zipfile.ZipFile, piece: Piece) -> Geometry:
    """The surface of a piece in metres: z up, x to the right, y to the back, on the floor z = 0.

    As in Sweet Home 3D, the model is rotated, then its box is stretched to the catalogue's size,
    each side by its own factor; a side without extent stays without. x and y are centred.

    Raises:
        KeyError, ValueError: the OBJ file is missing, broken, or has no area.
    """
    mesh = parse_obj(archive.read(piece.model), piece.model)
    if mesh.triangles is None or not areas(mesh.points, mesh.triangles).sum() > 0:
        raise ValueError(f"{piece.id} has no surface")
    turned = mesh.points @ np.reshape(piece.rotation, (3, 3)).T @ _TO_Z_UP.T  # (V, 3)
    used = turned[np.unique(mesh.triangles)]
    low, high = used.min(axis=0), used.max(axis=0)
    extent = high - low  # (3,)
    scale = np.divide(piece.size, extent, out=np.ones(3), where=extent > 0)
    origin = np.array([*(low + high)[:2] / 2, low[2]])
    return replace(mesh, points=(turned - origin) * scale, up="z", units="m")


def properties(content: bytes) -> dict[str, str]:
    r"""Read a Java properties file: ISO 8859-1, `#` and `!` comments, `\uXXXX` and `\` escapes.

    The format: https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html#load-java.io.Reader-
    """
    text = content.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"^[ \t\f]*[#!].*$", "", text, flags=re.MULTILINE)
    # An odd number of backslashes continues a line; each escape is taken whole to count them.
    text = re.sub(r"\\(?:\n[ \t\f]*|(.))", lambda m: m[0] if m[1] else "", text)
    entries = re.findall(
        r"^[ \t\f]*((?:\\.|[^\\=:\s])+)[ \t\f]*[=: \t\f]?[ \t\f]*(.*)$", text, re.MULTILINE
    )
    return {_unescaped(key): _unescaped(value) for key, value in entries}


def _unescaped(text: str) -> str:
    plain = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda m: chr(int(m[1], 16)) if m[1] else plain.get(m[2], m[2]),
        text,
    )


def _find(folder: Path, library: str) -> Path:
    for place in (folder, folder / _INSTALLED):
        if (path := place / f"{library}.sh3f").is_file():
            return path
    raise UserError(
        f"There is no '{library}.sh3f' in '{folder}', so give the folder to which the package "
        "sweethome3d-furniture was extracted."
    )
