"""The bytes of a file of points or of a mesh to arrays; nothing in the bytes is trusted.

Every size a file declares is checked against the bytes that are there before anything is allocated
for it. One module a format, or a few that are alike. `sandbox` runs them in a process of its own.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ddeq.errors import UserError
from ddeq.input.formats import arrays, gltf, las, obj, off, pcd, ply, stl, text
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_UNPACKED

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
    ".bin": arrays.parse_bin,
    ".las": las.parse_las,
    ".laz": las.parse_las,
    ".obj": obj.parse_obj,
    ".off": off.parse_off,
    ".stl": stl.parse_stl,
    ".gltf": gltf.parse_gltf,
    ".glb": gltf.parse_glb,
}

SUFFIXES = tuple(_PARSERS)
"""The file name endings that can be read, in lower case; ".gz" may stand behind any of them."""

PACKED = ".gz"
_GZIP = b"\x1f\x8b"

# Kinds of files that cannot be read here, and what to do instead.
_ELSEWHERE = {
    "open it in Blender and export it as .glb": (
        ".fbx .blend .3ds .dae .x3d .wrl .usd .usda .usdc .usdz .abc"
    ),
    "open it in FreeCAD and export it as .stl": ".step .stp .iges .igs .brep .fcstd .3mf .amf",
    "open it in CloudCompare and save it as .ply": ".e57 .ptx .pcx .rcp .rcs .fls .zfs .dp .vtk",
    "unpack it and give one file of it": ".zip .7z .rar .tar .tgz .bz2 .xz .zst",
    "save its points as .csv or .npy": (
        ".mat .pt .pth .pkl .h5 .hdf5 .parquet .feather .xls .xlsx .ods .json .xml"
    ),
    "read its points with rosbag or mcap and save them as .pcd": ".bag .db3 .mcap",
}


def unknown_kind(suffix: str, name: str) -> UserError:
    """What to say of a file whose name ends in something else than `SUFFIXES`.

    Args:
        suffix: of its name, in lower case.
        name: what the message calls the file.
    """
    for advice, suffixes in _ELSEWHERE.items():
        if suffix in suffixes.split():
            return UserError(f"'{name}' is of a kind that is not read here, so {advice}.")
    return UserError(
        f"'{name}' is not a kind of file that can be read, so give one of {', '.join(SUFFIXES)}."
    )


def kind_of(name: str) -> str:
    """The ending of a name that decides the format, in lower case, whether packed or not."""
    return Path(name.lower().removesuffix(PACKED)).suffix


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
# And how files begin that are not what their name says, and what to do about it.
_STRANGERS = {
    rb"PK\x03\x04": "is a zip archive, so unpack it and give one file of it",
    rb"BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd": "is packed, so unpack it and give one file",
    rb"version https://git-lfs": (
        "is a pointer that Git LFS left in place of the file, so fetch the file with git lfs pull"
    ),
    rb"\s*<(?:!doctype html|html|head|body)": "is a web page, so download the file itself",
    rb"\s*<\?xml": "is an XML file, so export it in another format",
    rb"%PDF": "is a PDF, so export the model itself",
    rb"Kaydara FBX Binary": "is an FBX file, so open it in Blender and export it as .glb",
    rb"BLENDER": "is a file of Blender's own kind, so export it as .glb",
    rb"ASTM-E57": "is an E57 scan, so open it in CloudCompare and save it as .ply",
    rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|RIFF.{4}WEBP|II\*\0|MM\0\*": (
        "is a picture, so rename it to end in the picture's own format"
    ),
}
_BEGINNING = 1_000  # bytes

_PLAIN = (".xyz", ".pts", ".asc", ".csv", ".txt", ".off")  # an .off may leave its first word out
_ROW = re.compile(rb"(?:[+-]?\.?\d[\d.eE+-]*[\s,;]+)+[+-]?\.?\d[\d.eE+-]*[\s,;]*")
_ROWS = 2  # that tell a table of points


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
    if data.startswith(_GZIP):
        data = _unpack(data, name)
    if not data[:_BEGINNING].strip() and not data.strip():
        raise UserError(f"'{name}' is empty, so export or save it again.")
    beginning = data[:_BEGINNING].removeprefix(codecs.BOM_UTF8)
    _check_kind(beginning, suffix, name)
    if suffix not in _PLAIN and _is_table(beginning):
        found = text.parse_xyz(data, name)
        note = f"It is no {suffix} file but plain text, and is read as that."
        return replace(found, notes=(note, *found.notes))
    return _PARSERS[suffix](data, name)


def _is_table(beginning: bytes) -> bool:
    """Whether a file that begins like this is rows of numbers, maybe with names above them."""
    lines = [line.strip() for line in beginning.splitlines()[:-1]]  # the last may be cut
    lines = [line for line in lines if line and not line.startswith((b"#", b"//"))]
    rows = [_ROW.fullmatch(line) is not None for line in lines]
    return all(rows[1:]) and sum(rows) >= _ROWS


def is_packed(beginning: bytes) -> bool:
    """Whether a file that begins like this is unpacked before it is read."""
    return beginning.startswith(_GZIP)


def _unpack(data: bytes, name: str) -> bytes:
    """The content of a file of gzip, unless it is too large."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(data, MAX_UNPACKED)
    except zlib.error:
        raise UserError(f"'{name}' is not a whole .gz file, so pack it again.") from None
    if unpacker.unconsumed_tail:
        raise UserError(
            f"'{name}' unpacks to more than {MAX_UNPACKED / 1e6:,.0f} MB, so thin it out first."
        )
    if not unpacker.eof:
        raise UserError(f"'{name}' is not a whole .gz file, so pack it again.")
    return content


def _check_kind(beginning: bytes, suffix: str, name: str) -> None:
    """Refuse a file whose first bytes belong to another ending."""
    for signature, problem in _STRANGERS.items():
        if re.match(signature, beginning, re.IGNORECASE | re.DOTALL):
            if suffix == ".npz" and beginning.startswith(b"PK"):
                continue
            raise UserError(f"'{name}' {problem}.")
    for signature, suffixes in _SIGNATURES.items():
        if re.match(signature, beginning, re.IGNORECASE) and suffix not in suffixes:
            raise UserError(
                f"'{name}' ends in {suffix} but holds a file of another kind, "
                f"so rename it to end in {suffixes[0]}."
            )
