"""glTF 2.0 scenes: .gltf .glb.

Read here, because trimesh 5.2 ignores sparse accessors and that whole numbers are normalised,
returns zeros for packed meshes, and takes a time quadratic in the number of nodes.

Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.accessors import Accessors, embedded
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import (
    MAX_FACES,
    MAX_POINTS,
    broken_mesh,
    cut_short,
    no_faces,
    too_many_faces,
    too_many_points,
)
from ddeq.input.formats.meshes import joined
from ddeq.input.formats.nodes import place_meshes
from ddeq.input.formats.plain import decode
from ddeq.input.formats.polygons import fan_triangles, strip_triangles

_JSON_CHUNK, _BINARY_CHUNK = b"JSON", b"BIN\0"
_POINTS, _TRIANGLES, _STRIP, _FAN = 0, 4, 5, 6  # modes of primitives; the others are lines
_LOOKS = ("images", "textures", "materials", "samplers", "cameras", "animations", "skins")
_HARMLESS = (
    "KHR_materials_",
    "KHR_texture_",
    "KHR_lights_",
    "EXT_texture_",
    "KHR_mesh_quantization",
)
_PACKED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")
_COPIES = "EXT_mesh_gpu_instancing"
_BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def parse_gltf(data: bytes, name: str) -> Geometry:
    """A JSON scene whose buffers are in the file itself; see `parse_glb`."""
    try:
        header = json.loads(decode(data))
    except _BROKEN:
        raise broken_mesh(name, "glTF") from None
    return _parse(header, b"", name)


def parse_glb(data: bytes, name: str) -> Geometry:
    """The triangles of a binary scene, each object where its nodes place it; else its points.

    Materials, textures and pictures are not looked at; see `ddeq.input.formats.parse` for the rest.
    """
    if data[:4] != b"glTF" or len(data) < 20 or data[16:20] != _JSON_CHUNK:
        raise broken_mesh(name, "GLB")
    whole, chunk = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12))
    if whole > len(data) or 20 + chunk > whole:
        raise cut_short(name, "data")
    try:
        header = json.loads(data[20 : 20 + chunk])
    except _BROKEN:
        raise broken_mesh(name, "GLB") from None
    at = 20 + chunk
    size, kind = int.from_bytes(data[at : at + 4], "little"), data[at + 4 : at + 8]
    return _parse(header, data[at + 8 : at + 8 + size] if kind == _BINARY_CHUNK else b"", name)


def _parse(header: Any, binary: bytes, name: str) -> Geometry:
    try:
        _check_header(header, name)
        buffers = [
            embedded(buffer["uri"]) if "uri" in buffer else binary
            for buffer in header.get("buffers", [])
        ]
        placed = place_meshes(header)
        geometry = _assemble(header, Accessors(header, buffers), placed, name)
    except UserError:
        raise
    except EOFError:
        raise cut_short(name, "data") from None
    except _BROKEN:
        raise broken_mesh(name, "glTF") from None
    return geometry


def _check_header(header: dict[str, Any], name: str) -> None:
    """Refuse what would be fetched from elsewhere, or what only an extension can read."""
    for buffer in header.get("buffers", []):
        if not buffer.get("uri", "data:").startswith("data:"):
            raise UserError(
                f"'{name}' refers to other files for its points, so export it as one .glb file."
            )
    for extension in header.get("extensionsRequired", []):
        if not extension.startswith(_HARMLESS):
            raise _needs(extension, name)
    # Those that are only used may come with the plain numbers as well, or may not.
    for view in header.get("bufferViews", []):
        for extension in {*view.get("extensions", {})} & {*_PACKED}:
            buffer = header["buffers"][view["buffer"]]
            if "uri" not in buffer and view["buffer"] > 0:
                raise _needs(extension, name)
    accessors = header.get("accessors", [])
    for mesh in header.get("meshes", []):
        for part in mesh["primitives"]:
            packed = [*({*part.get("extensions", {})} & {*_PACKED})]
            position = part["attributes"].get("POSITION")
            if packed and position is not None and "bufferView" not in accessors[position]:
                raise _needs(packed[0], name)


def _needs(extension: str, name: str) -> UserError:
    shown = " ".join(extension.split())[:40]
    return UserError(
        f"'{name}' needs the glTF extension {shown}, which is not supported, "
        "so export it without compression."
    )


def _assemble(
    header: dict[str, Any], accessors: Accessors, placed: dict[int, np.ndarray], name: str
) -> Geometry:
    """The triangles of all objects; the points, if there are none."""
    parts = _primitives(header, placed)
    modes = {part.get("mode", _TRIANGLES) for part, _ in parts}
    surfaces = modes & {_TRIANGLES, _STRIP, _FAN}
    used = surfaces or modes & {_POINTS}
    if not used:
        raise no_faces(name)
    points, triangles, total, faces = [], [], 0, 0
    for part, transforms in parts:
        if part.get("mode", _TRIANGLES) not in used:
            continue
        vertices = accessors.read(part["attributes"]["POSITION"])
        corners = _triangles(part, accessors, len(vertices))
        copies = len(transforms)
        if total + copies * len(vertices) > MAX_POINTS:
            raise too_many_points(name)
        if faces + copies * len(corners) > MAX_FACES:
            raise too_many_faces(name)
        where = vertices @ transforms[:, :3, :3].transpose(0, 2, 1) + transforms[:, None, :3, 3]
        first = total + len(vertices) * np.arange(copies)
        points.append(where.reshape(-1, 3))  # (copies,V,3)
        triangles.append((corners + first[:, None, None]).reshape(-1, 3))
        total, faces = total + copies * len(vertices), faces + copies * len(corners)
    if surfaces and not faces:
        raise no_faces(name)
    attributes = {key for part, _ in parts for key in part["attributes"]}
    return Geometry(
        np.concatenate(points),
        np.concatenate(triangles) if surfaces else None,
        faces,
        units="m",
        up="y",
        has_colours="COLOR_0" in attributes,
        has_normals="NORMAL" in attributes,
        notes=_notes(header, placed, modes - used),
    )


def _primitives(
    header: dict[str, Any], placed: dict[int, np.ndarray]
) -> list[tuple[dict[str, Any], np.ndarray]]:
    """What has positions in the meshes that are placed, with the transforms ``(copies, 4, 4)``."""
    return [
        (part, transforms)
        for mesh, transforms in placed.items()
        for part in header["meshes"][mesh]["primitives"]
        if "POSITION" in part["attributes"]
    ]


def _notes(
    header: dict[str, Any], placed: dict[int, np.ndarray], unused: set[int]
) -> tuple[str, ...]:
    notes = joined(sum(map(len, placed.values())))
    if unused:
        notes += ("Parts that are not triangles, such as lines, are ignored.",)
    if any(_COPIES in node.get("extensions", {}) for node in header.get("nodes", [])):
        notes += ("Copies of objects that an extension describes are left out.",)
    if any(header.get(look) for look in _LOOKS):
        notes += ("Materials, pictures and movements are ignored.",)
    return notes


def _triangles(part: dict[str, Any], accessors: Accessors, count: int) -> np.ndarray:
    """Of a primitive: (F, 3), none if it is of points."""
    mode = part.get("mode", _TRIANGLES)
    if mode == _POINTS:
        return np.zeros((0, 3), np.int64)
    corners = np.arange(count)
    if "indices" in part:
        corners = accessors.read(part["indices"])[:, 0]
        if corners.dtype != np.int64 or (len(corners) and not 0 <= corners.max() < count):
            raise IndexError("a corner that is no vertex")
    if mode == _STRIP:
        return strip_triangles(corners, np.array([len(corners)]))
    if mode == _FAN:
        return fan_triangles(corners)
    return corners[: len(corners) // 3 * 3].reshape(-1, 3)
