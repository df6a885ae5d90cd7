"""glTF 2.0 scenes: .gltf .glb, read by trimesh once the header is known to be harmless.

Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from ddeq.errors import UserError
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

_JSON_CHUNK = b"JSON"
_TRIANGLES, _STRIP = 4, 5  # the primitive modes that trimesh reads
_LOOKS = ("images", "textures", "materials", "samplers", "cameras", "animations", "skins")
_HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "EXT_texture_")


def parse_gltf(data: bytes, name: str) -> Geometry:
    """A JSON scene whose buffers are in the file itself; see `parse_glb`."""
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        raise broken_mesh(name, "glTF") from None
    return _parse(header, data, "gltf", name)


def parse_glb(data: bytes, name: str) -> Geometry:
    """The triangles of a binary scene, each object where its nodes place it.

    Materials, textures and pictures are not looked at; see `ddeq.input.formats.parse` for the rest.
    """
    if data[:4] != b"glTF" or len(data) < 20 or data[16:20] != _JSON_CHUNK:
        raise broken_mesh(name, "GLB")
    whole, chunk = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12))
    if whole > len(data) or 20 + chunk > whole:
        raise cut_short(name, "data")
    try:
        header = json.loads(data[20 : 20 + chunk])
    except (ValueError, RecursionError):
        raise broken_mesh(name, "GLB") from None
    return _parse(header, data, "glb", name)


def _parse(header: Any, data: bytes, kind: str, name: str) -> Geometry:
    try:
        primitives = [part for mesh in header.get("meshes", []) for part in mesh["primitives"]]
        modes = [part.get("mode", _TRIANGLES) for part in primitives]
        attributes = {key for part in primitives for key in part["attributes"]}
        _check_header(header, len(data), name)
        if not {_TRIANGLES, _STRIP} & set(modes):
            raise no_faces(name)
        points, triangles = _place(data, kind, name)
        objects = sum("mesh" in node for node in header.get("nodes", []))
    except (UserError, MemoryError):
        raise
    except Exception:  # trimesh and odd headers raise a dozen kinds of errors
        raise broken_mesh(name, "glTF") from None
    notes = joined(objects)
    if set(modes) - {_TRIANGLES, _STRIP}:
        notes += ("Parts that are not triangles, such as lines, are ignored.",)
    if any(header.get(look) for look in _LOOKS):
        notes += ("Materials, pictures and movements are ignored.",)
    return Geometry(
        points,
        triangles,
        len(triangles),
        units="m",
        up="y",
        has_colours="COLOR_0" in attributes,
        has_normals="NORMAL" in attributes,
        notes=notes,
    )


def _check_header(header: dict, size: int, name: str) -> None:
    """Refuse what would be fetched from elsewhere, unpacked, or allocated without being there."""
    for buffer in header.get("buffers", []):
        if not buffer.get("uri", "data:").startswith("data:"):
            raise UserError(
                f"'{name}' refers to other files for its points, so export it as one .glb file."
            )
    for extension in header.get("extensionsRequired", []):
        if not extension.startswith(_HARMLESS):
            shown = " ".join(extension.split())[:40]
            raise UserError(
                f"'{name}' needs the glTF extension {shown}, which is not supported, "
                "so export it without compression."
            )
    for accessor in header.get("accessors", []):
        if accessor["count"] > size:  # an item takes a byte at least
            raise cut_short(name, "data")


def _place(data: bytes, kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and triangles (F, 3) of all objects, where the scene places them."""
    import trimesh  # slow to import, and few files need it

    # Without a resolver, trimesh opens no other file.
    scene = trimesh.load_scene(
        io.BytesIO(data), file_type=kind, resolver=None, skip_materials=True, process=False
    )
    points, triangles = [], []
    for node in scene.graph.nodes_geometry:
        transform, key = scene.graph[node]
        mesh = scene.geometry[key]
        if isinstance(mesh, trimesh.Trimesh):
            triangles.append(mesh.faces + sum(map(len, points)))
            points.append(mesh.vertices @ transform[:3, :3].T + transform[:3, 3])
        if sum(map(len, points)) > MAX_POINTS:
            raise too_many_points(name)
        if sum(map(len, triangles)) > MAX_FACES:
            raise too_many_faces(name)
    if not sum(map(len, triangles)):
        raise no_faces(name)
    vertices, faces = np.concatenate(points), np.concatenate(triangles).astype(np.int64)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise IndexError("a corner that is no vertex")
    return vertices, faces
