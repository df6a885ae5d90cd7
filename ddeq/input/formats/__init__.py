"""The bytes of a file of points or of a mesh to arrays; nothing in the bytes is trusted.

Every size a file declares is checked against the bytes that are there before anything is allocated
for it. One module a format, or a few that are alike. `sandbox` runs them in a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ddeq.errors import UserError
from ddeq.input.formats import arrays, gltf, las, obj, off, pcd, ply, stl, text
from ddeq.input.formats.geometry import Geometry

_PARSERS: dict[str, Callable[[bytes, str], Geometry]] = {
    ".ply": ply.parse_ply,
    ".pcd": pcd.parse_pcd,
    ".xyz": text.parse_xyz,
    ".pts": text.parse_xyz,
    ".asc": text.parse_xyz,
    ".csv": text.parse_columns,
    ".txt": text.parse_columns,
    ".npy": arrays.parse_npy,
    ".npz": arrays.parse_npz,
    ".las": las.parse_las,
    ".laz": las.parse_las,
    ".obj": obj.parse_obj,
    ".off": off.parse_off,
    ".stl": stl.parse_stl,
    ".gltf": gltf.parse_gltf,
    ".glb": gltf.parse_glb,
}

SUFFIXES = tuple(_PARSERS)
"""The file name endings that can be read, in lower case."""

# How files begin whose kind is known from their first bytes, and the endings they may have.
_SIGNATURES = {
    rb"ply\r?\n": (".ply",),
    rb"# ?\.PCD": (".pcd",),
    rb"\x93NUMPY": (".npy",),
    rb"LASF": (".las", ".laz"),
    rb"glTF": (".glb",),
    rb"\s*(?:ST|C|N|4)*OFF\s+\d": (".off",),
    rb"solid[^\n]*\n\s*facet": (".stl",),
    rb'\s*\{\s*"': (".gltf",),
}
_ZIP = b"PK\x03\x04"
_BEGINNING = 1_000  # bytes


def parse(data: bytes, suffix: str, name: str) -> Geometry:
    """Decode a file of points or of a mesh.

    Args:
        data: the whole file.
        suffix: one of `SUFFIXES`; it decides the format.
        name: what messages call the file.

    Returns:
        Its points, not yet checked for NaN or for repeated points, and its triangles, if any.

    Raises:
        UserError: the bytes are not a whole file of that format, or hold too many points.
    """
    if not data[:_BEGINNING].strip() and not data.strip():
        raise UserError(f"'{name}' is empty, so export or save it again.")
    _check_kind(data[:_BEGINNING], suffix, name)
    return _PARSERS[suffix](data, name)


def _check_kind(beginning: bytes, suffix: str, name: str) -> None:
    """Refuse a file whose first bytes belong to another ending."""
    if beginning.startswith(_ZIP) and suffix != ".npz":
        raise UserError(f"'{name}' is a zip archive, so unpack it and give one file of it.")
    for signature, suffixes in _SIGNATURES.items():
        if re.match(signature, beginning, re.IGNORECASE) and suffix not in suffixes:
            raise UserError(
                f"'{name}' ends in {suffix} but holds a file of another kind, "
                f"so rename it to end in {suffixes[0]}."
            )
