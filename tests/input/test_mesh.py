"""Meshes: their surfaces against closed forms, and the points drawn from them."""

import base64
import io
import json
import struct
import zipfile

import laspy
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.stats import chisquare

from ddeq.errors import UserError
from ddeq.input.clouds import draw_from, read_cloud, read_file
from ddeq.input.formats import parse, surface
from ddeq.input.formats.axes import UP_AXES, turn_back, turn_up
from ddeq.input.formats.polygons import strip_triangles, triangulate
from tests.sentences import assert_one_sentence


@pytest.fixture(autouse=True, scope="module")
def in_this_process():
    """Files are parsed here: `test_sandbox` covers the process they are parsed in otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ddeq.input.clouds.parse_apart", parse)
        yield


# --- one box in every format: 1 x 2 x 3, so its area is 22 ----------------------------------------

BOX = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], float)
QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
MIXED = [*QUADS[:4], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
TRIANGLES = [[a, *pair] for a, b, c, d in QUADS for pair in ((b, c), (c, d))]
AREA = 22.0


def obj(points=BOX, faces=QUADS, corner="{}"):
    lines = ["v " + " ".join(map(str, point)) for point in np.asarray(points).tolist()]
    lines += ["f " + " ".join(corner.format(i + 1) for i in face) for face in faces]
    return "\n".join(lines).encode()


def off(points=BOX, faces=QUADS, keyword="OFF\n", count=None):
    lines = [f"{keyword}{len(points)} {len(faces) if count is None else count} 0"]
    lines += [" ".join(map(str, point)) for point in np.asarray(points).tolist()]
    lines += [" ".join(map(str, [len(face), *face])) for face in faces]
    return "\n".join(lines).encode()


def stl(points=BOX, faces=TRIANGLES, count=None):
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    records = np.zeros(len(faces), record)
    records["corners"] = np.asarray(points)[np.asarray(faces, int).reshape(-1, 3)]
    return bytes(80) + struct.pack("<I", len(faces) if count is None else count) + records.tobytes()


def stl_text(points=BOX, faces=TRIANGLES, solids=1):
    facets = [
        "facet normal 0 0 0\n outer loop\n"
        + "".join("  vertex {} {} {}\n".format(*points[i]) for i in face)
        + " endloop\nendfacet\n"
        for face in faces
    ]
    parts = np.array_split(facets, solids)
    return "".join(f"solid part\n{''.join(part)}endsolid part\n" for part in parts).encode()


def ply(order="<", points=BOX, faces=QUADS, count=None, more=False):
    form = {"<": "binary_little_endian", ">": "binary_big_endian", "": "ascii"}[order]
    count = len(faces) if count is None else count
    label = "property uchar label\n" if more else ""
    head = (
        f"ply\nformat {form} 1.0\nelement vertex {len(points)}\nproperty double x\n"
        f"property double y\nproperty double z\nelement face {count}\n{label}"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    if not order:
        rows = ["{} {} {}".format(*point) for point in points]
        rows += [" ".join(map(str, [9] * more + [len(face), *face])) for face in faces]
        return head + "\n".join(rows).encode()
    records = [
        b"\x09" * more + bytes([len(face)]) + np.array(face, f"{order}i4").tobytes()
        for face in faces
    ]
    return head + np.asarray(points, f"{order}f8").tobytes() + b"".join(records)


def gltf_scene(nodes, points=BOX, **changes):
    """A header and its buffer: one mesh, the box, placed by the nodes."""
    vertices = np.asarray(points, "<f4")
    faces = np.array(TRIANGLES, "<u2")
    buffer = vertices.tobytes() + faces.tobytes()
    header = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(vertices), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": vertices.nbytes},
            {"buffer": 0, "byteOffset": vertices.nbytes, "byteLength": faces.nbytes},
        ],
        "buffers": [{"byteLength": len(buffer)}],
    }
    return header | changes, buffer


def glb(nodes=({"mesh": 0},), points=BOX, **changes):
    return glb_of(*gltf_scene(list(nodes), points, **changes))


def glb_of(header, buffer):
    header["buffers"] = [{"byteLength": len(buffer)}]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    buffer += bytes(-len(buffer) % 4)
    size = 12 + 8 + len(text) + 8 + len(buffer)
    return (
        struct.pack("<4sII", b"glTF", 2, size)
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(buffer), b"BIN\0")
        + buffer
    )


def edited(change, binary=b""):
    """The box as a binary scene whose header was changed, with more bytes behind its buffer."""
    header, buffer = gltf_scene([{"mesh": 0}])
    change(header)
    return glb_of(header, buffer + binary)


def gltf(uri=None, **changes):
    header, buffer = gltf_scene([{"mesh": 0}], **changes)
    data = "data:application/octet-stream;base64," + base64.b64encode(buffer).decode()
    header["buffers"][0]["uri"] = uri or data
    return json.dumps(header).encode()


def strips(order="<", restart=True):
    """The box as strips of triangles: two of four faces each, joined as exporters join them."""
    around = [0, 1, 2, 3, 6, 7, 4, 5, 0, 1]  # four sides
    ends = [[0, 2, 4, 6], [1, 5, 3, 7]]
    if restart:
        rows = [[*around, -1, *ends[0], -1, *ends[1]]]
    else:
        rows = [around, [*ends[0], 6, 1, *ends[1]]]  # a bridge of triangles without area
    head = ply(order, faces=[]).replace(b"element face 0", b"element tristrips %d" % len(rows))
    head = head.replace(b"list uchar int", b"list int int")
    if not order:
        return head + b"\n" + "\n".join(" ".join(map(str, [len(r), *r])) for r in rows).encode()
    return head + b"".join(np.array([len(row), *row], f"{order}i4").tobytes() for row in rows)


# The first faces stand between the vertices, and count back from where they stand.
RELATIVE = obj(BOX[:4], []) + b"\nf -4 -3 -1 -2\n" + obj(BOX[4:], []) + b"\nf -4 -2 -1 -3\n"
RELATIVE += b"\n".join(b"f %d %d %d %d" % tuple(i - 8 for i in face) for face in QUADS[2:])

BOXES = {
    "obj of quads": ("a.obj", obj(), 6),
    "obj of quads and triangles": ("a.obj", obj(faces=MIXED), 8),
    "obj with textures and normals": ("a.obj", obj(corner="{0}/1/{0}"), 6),
    "obj with normals alone": ("a.obj", obj(corner="{0}//{0}"), 6),
    "obj with textures here and there": ("a.obj", obj().replace(b" 1 ", b" 1/7 "), 6),
    "obj with textures and normals here and there": (
        "a.obj",
        obj(corner="{0}/1").replace(b"f 1/1", b"f 1/1/1 ").replace(b"7/1", b"7"),
        6,
    ),
    "obj that counts back": ("a.obj", RELATIVE, 6),
    "obj with long lines split": ("a.obj", obj().replace(b"f 1 2", b"f 1 \\\n2"), 6),
    "obj with windows lines": ("a.obj", b"# made by hand\r\n" + obj().replace(b"\n", b"\r\n"), 6),
    "obj with colours": (
        "a.obj",
        b"\n".join(line + b" 1 0 0" * line.startswith(b"v") for line in obj().splitlines()),
        6,
    ),
    "obj with weights": (
        "a.obj",
        obj(np.hstack([2 * BOX, np.full((8, 1), 2)])),
        6,
    ),
    "obj with weights of 1": ("a.obj", obj(np.hstack([BOX, np.ones((8, 1))])), 6),
    "obj with comments behind": ("a.obj", obj().replace(b"\n", b" # 1/2\n"), 6),
    "obj of old faces": ("a.obj", obj().replace(b"f ", b"fo "), 6),
    "obj with old mac lines": ("a.obj", obj().replace(b"\n", b"\r"), 6),
    "obj in utf-16": ("a.obj", obj().decode().encode("utf-16"), 6),
    "off of quads": ("a.off", off(), 6),
    "off of quads and triangles": ("a.off", off(faces=MIXED), 8),
    "off without a line break": ("a.off", off(keyword="OFF"), 6),
    "off with comments": ("a.off", off(keyword="OFF # made\n# by hand\n"), 6),
    "off with colours behind faces": ("a.off", off(keyword="COFF\n") + b" 255 0 0", 6),
    "off with its counts behind the keyword": ("a.off", off(keyword="OFF "), 6),
    "off with normals and colours": (
        "a.off",
        off(np.hstack([BOX, np.full((8, 7), 9)]), keyword="NCOFF\n"),
        6,
    ),
    "off with weights": (
        "a.off",
        off(np.hstack([2 * BOX, np.full((8, 1), 2)]), keyword="4OFF\n"),
        6,
    ),
    "off without its keyword": ("a.off", off(keyword=""), 6),
    "off with colours of any length behind faces": (
        "a.off",
        off().replace(b"\n4 0", b" 1 1 1\n4 0"),
        6,
    ),
    "off of quads and triangles with colours behind": (
        "a.off",
        off(faces=MIXED).replace(b"\n3", b" 255 0 0\n3"),
        8,
    ),
    "off with old mac lines": ("a.off", off().replace(b"\n", b"\r"), 6),
    "binary stl": ("a.stl", stl(), 12),
    "binary stl with bytes behind": ("a.stl", stl() + bytes(2), 12),
    "binary stl that calls itself solid, with bytes behind": (
        "a.stl",
        b"solid" + stl()[5:] + bytes(2),
        12,
    ),
    "binary stl without its count": ("a.stl", stl(count=0), 12),
    "ascii stl without its end": ("a.stl", stl_text()[: -len("endsolid part\n")], 12),
    "ascii stl with text behind": ("a.stl", stl_text() + b"\nmade by hand\n", 12),
    "ascii stl with old mac lines": ("a.stl", stl_text().replace(b"\n", b"\r"), 12),
    "binary stl that calls itself solid": ("a.stl", b"solid" + stl()[5:], 12),
    "ascii stl": ("a.stl", stl_text(), 12),
    "ascii stl of two solids": ("a.stl", stl_text(solids=2), 12),
    "little-endian ply of quads": ("a.ply", ply("<"), 6),
    "big-endian ply of quads": ("a.ply", ply(">"), 6),
    "ascii ply of quads": ("a.ply", ply(""), 6),
    "little-endian ply of quads and triangles": ("a.ply", ply("<", faces=MIXED), 8),
    "big-endian ply of quads and triangles": ("a.ply", ply(">", faces=MIXED), 8),
    "ascii ply of quads and triangles": ("a.ply", ply("", faces=MIXED), 8),
    "ply with a label on each face": ("a.ply", ply("<", more=True), 6),
    "ply with a label on each of several faces": ("a.ply", ply(">", faces=MIXED, more=True), 8),
    "ascii ply with a label on each face": ("a.ply", ply("", more=True), 6),
    **{
        f"ply of {'one strip' if restart else 'strips'} of triangles, order '{order}'": (
            "a.ply",
            strips(order, restart),
            12,
        )
        for restart in (True, False)
        for order in ("<", ">", "")
    },
    "glb": ("a.glb", glb(), 12),
    "gltf": ("a.gltf", gltf(), 12),
    "gltf with a byte-order mark": ("a.gltf", b"\xef\xbb\xbf" + gltf(), 12),
    "gltf in utf-16": ("a.gltf", gltf().decode().encode("utf-16"), 12),
}


@pytest.mark.parametrize(("name", "content", "faces"), BOXES.values(), ids=BOXES)
def test_a_box_has_its_area_in_every_format(name, content, faces):
    reading = read_file(content, name)
    assert reading.kind == "mesh"
    assert reading.faces == faces
    assert reading.area == pytest.approx(AREA)
    assert reading.extent == (1, 2, 3)
    assert reading.points == (36 if name == "a.stl" else 8)


@pytest.mark.parametrize("suffix", [".obj", ".off", ".stl", ".ply", ".glb"])
def test_meshes_that_trimesh_writes_keep_their_area(suffix):
    mesh = trimesh.creation.torus(2.0, 0.5, major_sections=12, minor_sections=8)
    content = mesh.export(file_type=suffix[1:])
    content = content.encode() if isinstance(content, str) else content
    reading = read_file(content, f"torus{suffix}")
    assert reading.area == pytest.approx(mesh.area, rel=1e-5)
    assert reading.faces == len(mesh.faces)


CLOUDS = {
    "obj": ("a.obj", obj(faces=[])),
    "obj of points": ("a.obj", obj(faces=[]) + b"\np 1 2 3\np 4 5 6 7 8"),
    "glb": ("a.glb", glb(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}])),
    "off": ("a.off", off(faces=[])),
    "off with colours": ("a.off", off(np.hstack([BOX, BOX]), [], keyword="COFF\n")),
}


@pytest.mark.parametrize(("name", "content"), CLOUDS.values(), ids=CLOUDS)
def test_files_of_meshes_without_faces_are_clouds(name, content):
    reading = read_file(content, name)
    assert (reading.kind, reading.faces) == ("cloud", 0)
    np.testing.assert_array_equal(reading.cloud.points, BOX)


def test_weights_are_divided_by_and_a_note_says_so():
    note = "Its points are divided by their weights, the fourth numbers."
    for weight, notes in ((2, (note,)), (1, ())):
        points = np.hstack([weight * BOX, np.full((8, 1), weight)])
        for name, content in (
            ("a.obj", obj(points)),
            ("a.off", off(points, keyword="4OFF\n")),
        ):
            reading = read_file(content, name)
            assert reading.extent == (1, 2, 3) and reading.notes == notes


def test_a_text_stl_without_its_end_is_read_with_a_note():
    reading = read_file(stl_text()[: -len("endsolid part\n")], "a.stl")
    assert reading.notes == ("It ends without 'endsolid', so it may have lost triangles.",)


def test_strips_are_wound_alike():
    """So that normals, were they needed, would all point outwards or all inwards."""
    triangles = strip_triangles(np.array([0, 1, 2, 3, 4, -1, 2, 1, 0]), np.array([9]))
    assert triangles.tolist() == [[0, 1, 2], [2, 1, 3], [2, 3, 4], [2, 1, 0]]


def test_nodes_place_their_meshes():
    half = np.sqrt(0.5)
    turned = {"rotation": [0, 0, half, half], "translation": [10, 0, 0], "scale": [2, 2, 2]}
    reading = read_file(glb([{"mesh": 0} | turned]), "a.glb")
    assert reading.area == pytest.approx(4 * AREA)
    np.testing.assert_allclose(reading.extent, [4, 2, 6], atol=1e-5)
    corners = reading.mesh.points
    np.testing.assert_allclose(corners.min(axis=0), [6, 0, 0], atol=1e-5)


def quantised(dtype, normalised):
    """The box as whole numbers, of the largest for 3 m where they are normalised."""
    whole = BOX / 3 * np.iinfo(dtype).max if normalised else BOX
    numbers = np.zeros((8, 4), dtype)  # rows begin at multiples of four bytes
    numbers[:, :3] = whole.round()

    def change(header):
        kind = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123}[np.dtype(dtype).str[1:]]
        header["accessors"][0] |= {"componentType": kind, "bufferView": 2}
        header["accessors"][0] |= {"normalized": True} if normalised else {}
        header["bufferViews"].append(
            {
                "buffer": 0,
                "byteOffset": BOX.astype("<f4").nbytes + 72,
                "byteLength": numbers.nbytes,
                "byteStride": 4 * numbers.itemsize,
            }
        )
        header["extensionsUsed"] = ["KHR_mesh_quantization"]

    return edited(change, numbers.tobytes())


@pytest.mark.parametrize("dtype", ["<i1", "<u1", "<i2", "<u2"])
@pytest.mark.parametrize("normalised", [True, False])
def test_whole_coordinates_are_scaled_as_they_say(dtype, normalised):
    reading = read_file(quantised(dtype, normalised), "a.glb")
    size = np.array([1, 2, 3]) / (3 if normalised else 1)
    np.testing.assert_allclose(reading.extent, size, atol=0.01)


@pytest.mark.parametrize("whole", [True, False], ids=["over others", "over zeros"])
def test_sparse_coordinates_override_others(whole):
    corner = np.array([5, 6, 7], "<f4").tobytes()

    def change(header):
        begin = BOX.astype("<f4").nbytes + 72
        header["bufferViews"] += [
            {"buffer": 0, "byteOffset": begin, "byteLength": 2},
            {"buffer": 0, "byteOffset": begin + 2, "byteLength": 12},
        ]
        header["accessors"][0]["sparse"] = {
            "count": 1,
            "indices": {"bufferView": 2, "componentType": 5123},
            "values": {"bufferView": 3},
        }
        if not whole:
            del header["accessors"][0]["bufferView"]

    content = edited(change, np.array([7], "<u2").tobytes() + corner)
    if whole:
        assert read_file(content, "a.glb").extent == (5, 6, 7)
    else:  # all other corners are one point, so no triangle has any area
        with pytest.raises(UserError, match="different points"):
            read_file(content, "a.glb")


@pytest.mark.parametrize(
    ("mode", "corners", "area"),
    [(5, [0, 1, 2, 3], 6), (6, [0, 1, 3, 2], 6), (4, [0, 1, 2, 3, 2], 3)],
    ids=["strip", "fan", "triangles that are cut off"],
)
def test_every_kind_of_triangles_is_read(mode, corners, area):
    def change(header):
        header["meshes"][0]["primitives"][0]["mode"] = mode
        header["accessors"][1] |= {"bufferView": 2, "count": len(corners)}
        begin = BOX.astype("<f4").nbytes + 72
        header["bufferViews"].append({"buffer": 0, "byteOffset": begin, "byteLength": 99})

    content = edited(change, np.array(corners, "<u2").tobytes())
    assert read_file(content, "a.glb").area == pytest.approx(area)


def test_an_extension_that_is_used_but_not_required_may_have_been_followed_or_not():
    draco = "KHR_draco_mesh_compression"

    def plain(header):
        header["extensionsUsed"] = [draco]
        header["meshes"][0]["primitives"][0]["extensions"] = {draco: {"bufferView": 0}}

    def packed(header):
        plain(header)
        del header["accessors"][0]["bufferView"]

    assert read_file(edited(plain), "a.glb").area == pytest.approx(AREA)
    with pytest.raises(UserError, match=draco) as error:
        read_file(edited(packed), "a.glb")
    assert_one_sentence(error)


def test_copies_that_an_extension_describes_are_missed_aloud():
    nodes = [{"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {}}}}]
    note = "Copies of objects that an extension describes are left out."
    assert note in read_file(glb(nodes), "a.glb").notes


def test_many_nodes_take_no_longer_than_a_click():
    """A time quadratic in their number would be minutes."""
    nodes = [{"mesh": 0, "translation": [i, 0, 0]} for i in range(5_000)]
    nodes += [{"children": [i]} for i in range(5_000)]
    scene = [{"nodes": list(range(5_000, 10_000))}]
    reading = read_file(glb(nodes, scenes=scene), "a.glb")
    assert reading.faces == 60_000 and reading.extent == (5_000, 2, 3)


def test_a_long_chain_of_nodes_takes_no_longer_than_a_click():
    nodes = [{"translation": [0, 0, 1], "children": [i + 1]} for i in range(3_000)]
    reading = read_file(glb([*nodes, {"mesh": 0}], scenes=[{"nodes": [0]}]), "a.glb")
    np.testing.assert_allclose(reading.mesh.points[:, 2].min(), 3_000)


def test_a_scene_of_one_mesh_needs_no_nodes():
    header, buffer = gltf_scene([])
    del header["scenes"], header["nodes"], header["scene"]
    assert read_file(glb_of(header, buffer), "a.glb").area == pytest.approx(AREA)


def test_nodes_inherit_from_their_parents():
    nodes = [{"translation": [5, 0, 0], "children": [1]}, {"translation": [0, 7, 0], "mesh": 0}]
    reading = read_file(glb(nodes, scenes=[{"nodes": [0]}]), "a.glb")
    np.testing.assert_allclose(reading.mesh.points.min(axis=0), [5, 7, 0])


def test_the_objects_of_a_scene_are_joined_and_a_note_says_so():
    nodes = [{"mesh": 0}, {"mesh": 0, "translation": [10, 0, 0]}]
    for name, content, area in [
        ("a.glb", glb(nodes), 2 * AREA),
        ("a.obj", b"o one\n" + obj() + b"\no two\n" + obj(), 2 * AREA),
        ("a.stl", stl_text(solids=2), AREA),
    ]:
        reading = read_file(content, name)
        assert "Its 2 objects are joined into one." in reading.notes
        assert reading.area == pytest.approx(area)


def test_what_only_changes_the_looks_is_ignored():
    looks = {"images": [{"uri": "https://example.org/wood.png"}], "materials": [{"name": "wood"}]}
    reading = read_file(glb(**looks), "a.glb")
    assert reading.area == pytest.approx(AREA)
    assert any("pictures" in note for note in reading.notes)


# --- polygons -------------------------------------------------------------------------------------


def shoelace(polygon):
    x, y = polygon.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def is_inside(points, polygon):
    """Even-odd rule: bool (P,)."""
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > points[:, 1]) != (y1 > points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            at = x0 + (points[:, 1] - y0) / (y1 - y0) * (x1 - x0)
        inside ^= crosses & (points[:, 0] < at)
    return inside


@st.composite
def stars(draw):
    """Simple polygons that see their centre, most of them concave."""
    radii = draw(st.lists(st.floats(0.2, 1.0), min_size=3, max_size=14))
    angles = 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.array(radii)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@st.composite
def combs(draw):
    """Simple polygons that no point sees whole: teeth on a bar."""
    teeth = draw(st.lists(st.floats(0.5, 3.0), min_size=2, max_size=8))
    ridge = [point for i, h in enumerate(teeth) for point in [(i, 0), (i, h), (i + 0.5, h * 0.9)]]
    ridge = [
        point for i, p in enumerate(ridge) for point in ([p, (p[0], 0)] if i % 3 == 2 else [p])
    ]
    return np.array([*ridge, (len(teeth), -1), (0, -1)], float)


@given(
    polygon=st.one_of(stars(), combs()),
    first=st.integers(0, 20),
    backwards=st.booleans(),
    turn=st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_a_polygon_in_any_plane_keeps_its_area_and_its_inside(polygon, first, backwards, turn):
    polygon = np.roll(polygon, first, axis=0)[:: -1 if backwards else 1]
    rotation = trimesh.transformations.euler_matrix(*turn)[:3, :3]
    vertices = np.insert(polygon, 2, 0.7, axis=1) @ rotation.T
    triangles = triangulate(vertices, np.arange(len(polygon)), np.array([len(polygon)]))
    assert len(triangles) == len(polygon) - 2
    area = surface.areas(vertices, triangles)
    assert area.sum() == pytest.approx(shoelace(polygon))
    solid = triangles[area > 1e-9]
    assert is_inside(polygon[solid].mean(axis=1), polygon).all()


def test_a_polygon_of_many_corners_takes_no_longer_than_a_click():
    """Cutting its ears off one by one, each found among all corners, would take a minute."""
    turns = 2 * np.pi * np.arange(20_000) / 20_000
    radii = np.where(np.arange(20_000) % 2, 1.5, 1.0)
    star = np.stack([radii * np.cos(turns), radii * np.sin(turns), 0 * turns], axis=1)
    reading = read_file(obj(star, [range(20_000)]), "star.obj")
    assert reading.faces == 1
    assert reading.area == pytest.approx(shoelace(star[:, :2]))


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("write", [obj, off, lambda points, faces: ply("<", points, faces)])
def test_a_concave_polygon_has_the_area_of_its_inside(write, first):
    notched = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [1, 1, 0], [0, 2, 0]], float)
    content = write(points=notched, faces=[np.roll(np.arange(5), first).tolist()])
    name = {b"OFF": "a.off", b"ply": "a.ply"}.get(content[:3], "a.obj")
    reading = read_file(content, name)
    assert reading.faces == 1 and reading.area == pytest.approx(3)


# --- points on the surface ------------------------------------------------------------------------


def faces_of_the_box(points):
    """How far points (M, 3) are from each of the six faces, (M, 6)."""
    return np.concatenate([np.abs(points), np.abs(points - [1, 2, 3])], axis=1)


@pytest.mark.parametrize("sampling", ["uniform", "poisson disk"])
def test_points_lie_on_the_surface(sampling):
    reading = read_file(obj(), "a.obj", count=500, sampling=sampling)
    points = reading.cloud.points
    assert points.shape == (500, 3)
    assert (points >= -1e-9).all() and (points <= BOX.max(axis=0) + 1e-9).all()
    assert (faces_of_the_box(points).min(axis=1) < 1e-9).all()


def test_points_are_uniform_by_area():
    count = 20_000
    points = read_cloud(obj(faces=MIXED), "a.obj", count=count).points
    on = faces_of_the_box(points).argmin(axis=1)
    expected = count * np.array([6, 3, 2, 6, 3, 2]) / AREA
    assert chisquare(np.bincount(on, minlength=6), expected).pvalue > 1e-3
    # And within a face: the four quarters of x = 0.
    side = points[on == 0]
    quarter = 2 * (side[:, 1] > 1) + (side[:, 2] > 1.5)
    assert chisquare(np.bincount(quarter, minlength=4)).pvalue > 1e-3


def test_poisson_disk_points_keep_their_distance():
    nearest = {}
    for sampling in ("uniform", "poisson disk"):
        points = read_file(obj(), "a.obj", count=400, sampling=sampling).cloud.points
        nearest[sampling] = cKDTree(points).query(points, k=2)[0][:, 1].min()
    assert nearest["poisson disk"] > 5 * nearest["uniform"]


def test_a_mesh_is_drawn_from_again_and_a_cloud_stays():
    reading = read_file(obj(), "a.obj", count=100)
    again = draw_from(reading, 50, seed=1)
    assert len(again.cloud.points) == 50 and again.area == reading.area
    np.testing.assert_array_equal(draw_from(again, 100).cloud.points, reading.cloud.points)
    cloud = read_file(b"0 0 0\n1 0 0\n0 1 1\n", "a.xyz")
    assert draw_from(cloud, 50) is cloud


@pytest.mark.parametrize("count", [0, 2, 10**9])
def test_impossible_numbers_of_points_get_one_sentence(count):
    with pytest.raises(UserError) as error:
        read_file(obj(), "a.obj", count=count)
    assert_one_sentence(error)


# --- what is said about a file --------------------------------------------------------------------


def las(count=50, packed=False, version="1.2", coloured=True):
    rng = np.random.default_rng(0)
    header = laspy.LasHeader(version=version, point_format=3 if coloured else 1)
    header.offsets, header.scales = [500_000, 4_000_000, 0], [0.001] * 3
    scan = laspy.LasData(header)
    scan.x, scan.y, scan.z = (rng.integers(0, 9_999, (3, count)) / 1000) + [
        [500_000],
        [4_000_000],
        [0],
    ]
    file = io.BytesIO()
    scan.write(file, do_compress=packed)
    return file.getvalue(), np.stack([scan.x, scan.y, scan.z], axis=1)


@pytest.mark.parametrize("packed", [False, True])
def test_laser_scans_are_read_with_their_scale(packed):
    content, points = las(packed=packed)
    reading = read_file(content, "a.laz" if packed else "a.las")
    np.testing.assert_allclose(reading.cloud.points, points)
    assert reading.kind == "cloud" and reading.has_colours and not reading.has_normals
    assert reading.up_axis == "z"
    assert "Its colours are ignored." in reading.notes


@pytest.mark.parametrize(("code", "unit"), [(9001, "m"), (9002, "ft")])
def test_a_laser_scan_may_declare_its_unit(code, unit):
    scan = laspy.read(io.BytesIO(las()[0]))
    keys = struct.pack("<8H", 1, 1, 0, 1, 3076, 0, 1, code)
    record = laspy.vlrs.VLR("LASF_Projection", 34735, record_data=keys)
    scan.header.vlrs.append(record)
    file = io.BytesIO()
    scan.write(file)
    assert read_file(file.getvalue(), "a.las").units == unit


def test_a_coordinate_system_in_words_declares_its_unit():
    scan = laspy.read(io.BytesIO(las()[0]))
    words = b'PROJCS["a",GEOGCS["b",UNIT["degree",0.017]],UNIT["metre",1]]\0'
    scan.header.vlrs.append(laspy.vlrs.VLR("LASF_Projection", 2112, record_data=words))
    file = io.BytesIO()
    scan.write(file)
    assert read_file(file.getvalue(), "a.las").units == "metre"


@pytest.mark.parametrize(
    ("name", "content", "units", "up"),
    [
        ("a.glb", glb(), "m", "y"),
        ("a.obj", obj(), None, "y"),
        ("a.stl", stl(), None, "z"),
        ("a.off", off(), None, "z"),
        ("a.ply", ply(), None, "z"),
        ("a.xyz", b"0 0 0\n1 0 0\n0 1 1\n", None, "z"),
        ("a.csv", b"0,0\n1,0\n0,1\n", None, "y"),
    ],
)
def test_units_and_the_up_axis_follow_the_format(name, content, units, up):
    reading = read_file(content, name)
    assert (reading.units, reading.up_axis) == (units, up)


def test_colours_and_normals_are_ignored_and_a_note_says_so():
    rows = b"0 0 0 0 0 1 255\n1 0 0 0 0 1 255\n0 1 1 0 0 1 255\n"
    names = ("x", "y", "z", "nx", "ny", "nz", "red")
    head = "ply\nformat ascii 1.0\nelement vertex 3\n"
    head += "".join(f"property float {name}\n" for name in names)
    reading = read_file(f"{head}end_header\n".encode() + rows, "a.ply")
    assert (reading.kind, reading.points, reading.faces) == ("cloud", 3, 0)
    assert reading.has_colours and reading.has_normals
    assert reading.notes == ("Its colours and normals are ignored.",)


@pytest.mark.parametrize("axis", UP_AXES)
def test_turning_up_is_a_rotation_that_brings_the_axis_up(axis):
    turn = turn_up(np.eye(3), axis)  # rows: where x, y and z go
    np.testing.assert_array_equal(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
    named = np.eye(3)["xyz".index(axis[-1])] * (-1 if axis[0] == "-" else 1)
    np.testing.assert_array_equal(turn_up(named[None], axis), [[0, 0, 1]])
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(turn_back(turn_up(points, axis), axis), points)


# --- files that are refused -----------------------------------------------------------------------

FLAT = BOX.sum(axis=1, keepdims=True) * [1, 0, 0]  # every triangle on one line
NAN = np.where(BOX == 3, np.nan, BOX)
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("a.obj", obj())
LAS, LAZ, LAS_1_4 = las()[0], las(packed=True)[0], las(version="1.4")[0]
LAZ_TABLE = struct.unpack_from("<q", LAZ, struct.unpack_from("<I", LAZ, 96)[0])[0]
LIES = dict(
    accessors=[{"componentType": 5126, "count": 2**40, "type": "VEC3"}] * 2,
)

BAD_MESHES = {
    "obj of lines": ("a.obj", obj(faces=[]) + b"\nl 1 2 3", "without faces"),
    "off without points": ("a.off", off([], []), "holds no points"),
    "binary off": ("a.off", b"OFF BINARY\n" + bytes(50), "as text"),
    "stl without faces": ("a.stl", stl(faces=[]), "without faces"),
    "ascii stl without faces": ("a.stl", b"solid\nendsolid", "without faces"),
    "glb without faces": ("a.glb", glb(nodes=[{}]), "without faces"),
    "glb of lines": (
        "a.glb",
        glb(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "mode": 1}]}]),
        "without faces",
    ),
    "faces of two corners": ("a.obj", obj(faces=[[0, 1]]), "without faces"),
    **{
        f"triangles without area in {name}": (name, write(points=FLAT), "has any area")
        for name, write in [("a.obj", obj), ("a.off", off), ("a.stl", stl), ("a.glb", glb)]
    },
    "obj named ply": ("a.ply", obj(), "begin with 'ply'"),
    "ply named obj": ("a.obj", ply(), "end in .ply"),
    "glb named gltf": ("a.gltf", glb(), "end in .glb"),
    "gltf named glb": ("a.glb", gltf(), "end in .gltf"),
    "off named stl": ("a.stl", off(), "end in .off"),
    "stl named obj": ("a.obj", stl_text(), "end in .stl"),
    "laz named ply": ("a.ply", LAZ, "end in .las"),
    "a zip named obj": ("a.obj", ZIP.getvalue(), "zip archive"),
    "a zip named glb": ("a.glb", ZIP.getvalue(), "zip archive"),
    "a picture named stl": ("a.stl", b"\x89PNG\r\n\x1a\n" + bytes(200), ""),
    "stl cut short": ("a.stl", stl()[:-1], "ends before"),
    "ascii stl cut short": ("a.stl", stl_text()[:-30], "ends before"),
    "stl too short": ("a.stl", stl()[:50], "STL"),
    "ply cut short": ("a.ply", ply()[:-1], "ends before"),
    "mixed ply cut short": ("a.ply", ply(faces=MIXED)[:-1], "ends before"),
    "ascii ply cut short": ("a.ply", ply("")[:-10], "ends before"),
    "ply without its faces": ("a.ply", ply(faces=[], count=6), "ends before"),
    "off cut short": ("a.off", off()[:-20], "ends before"),
    "glb cut short": ("a.glb", glb()[:-1], "ends before"),
    "glb of which the header is left": ("a.glb", glb()[:40], "ends before"),
    "gltf cut short": ("a.gltf", gltf()[:-1], "glTF"),
    "las cut short": ("a.las", LAS[:-1], "ends before"),
    "laz cut short": ("a.laz", LAZ[:-20], "so "),
    "las of which the header is left": ("a.las", LAS[:100], "LAS"),
    "stl that lies": ("a.stl", stl(count=4_000_000), "ends before"),
    "stl that lies a lot": ("a.stl", stl(count=2**32 - 1), "more than 5,000,000 faces"),
    "ply that lies": ("a.ply", ply(count=4_000_000), "ends before"),
    "ply that lies a lot": ("a.ply", ply(count=10**30), "more than 5,000,000 faces"),
    "off that lies": ("a.off", off(count=4_000_000), "ends before"),
    "off that lies a lot": ("a.off", off(count=10**30), "more than 5,000,000 faces"),
    "las that lies": ("a.las", LAS[:107] + struct.pack("<I", 4_000_000) + LAS[111:], "ends before"),
    "las that lies a lot": ("a.las", LAS[:107] + b"\xff" * 4 + LAS[111:], "ends before"),
    "laz that lies a lot": ("a.laz", LAZ[:107] + b"\xff" * 4 + LAZ[111:], "ends before"),
    "las with a billion records": ("a.las", LAS[:100] + b"\0\0\0\x40" + LAS[104:], "not a whole"),
    "laz with billions of pieces": (
        "a.laz",
        LAZ[: LAZ_TABLE + 4] + b"\xff" * 4 + LAZ[LAZ_TABLE + 8 :],
        "not a whole",
    ),
    "laz with a billion records": ("a.laz", LAZ[:100] + b"\0\0\0\x40" + LAZ[104:], "not a whole"),
    "las with records before its points": (
        "a.las",
        LAS[:96] + b"\xff" * 4 + LAS[100:],
        "not a whole",
    ),
    "las with a billion records at its end": (
        "a.las",
        LAS_1_4[:243] + b"\0\0\0\x40" + LAS_1_4[247:],
        "not a whole",
    ),
    "glb that lies": ("a.glb", glb(**LIES), "ends before"),
    "obj with NaN": ("a.obj", obj(points=NAN), "4 of 8 points with NaN"),
    "off with NaN": ("a.off", off(points=NAN), "4 of 8 points with NaN"),
    "stl with NaN": ("a.stl", stl(points=NAN), "points with NaN"),
    "ply with NaN": ("a.ply", ply(points=NAN), "4 of 8 points with NaN"),
    "glb with NaN": ("a.glb", glb(points=NAN), "4 of 8 points with NaN"),
    "obj with a corner too many": ("a.obj", obj(faces=[[0, 1, 8]]), "OBJ"),
    "obj with a corner before the first": ("a.obj", obj() + b"\nf -9 -1 -2", "OBJ"),
    "obj with a corner 0": ("a.obj", obj() + b"\nf 0 1 2", "OBJ"),
    "obj with a word": ("a.obj", obj() + b"\nf one 2 3", "OBJ"),
    "obj with a vertex of two numbers": ("a.obj", b"v 0 0\n" + obj(), "OBJ"),
    "off with a corner too many": ("a.off", off(faces=[[0, 1, 8]]), "OFF"),
    "off with a face of too many corners": ("a.off", off() + b"\b9", "OFF"),
    "ply with a strip of a corner too many": (
        "a.ply",
        strips("").replace(b" 5 3 7", b" 5 3 8"),
        "PLY",
    ),
    "ply with a strip cut short": ("a.ply", strips()[:-1], "ends before"),
    "ply with a corner too many": ("a.ply", ply(faces=[[0, 1, 8]]), "PLY"),
    "ply with a corner below zero": ("a.ply", ply(faces=[[0, 1, -1]]), "PLY"),
    "glb with a corner too many": ("a.glb", glb(points=BOX[:7]), ""),
    "gltf that points outside itself": ("a.gltf", gltf(uri="box.bin"), "refers to other files"),
    "gltf that points to the disk": (
        "a.gltf",
        gltf(uri="file:///etc/passwd"),
        "refers to other files",
    ),
    "gltf that points to the web": (
        "a.gltf",
        gltf(uri="https://example.org/a.bin"),
        "refers to other files",
    ),
    "glb packed by an extension": (
        "a.glb",
        glb(extensionsRequired=["KHR_draco_mesh_compression"]),
        "KHR_draco_mesh_compression",
    ),
    "glb of nodes in a circle": (
        "a.glb",
        glb([{"mesh": 0, "children": [1]}, {"children": [0]}]),
        "glTF",
    ),
    "glb of a mesh before the first": ("a.glb", glb([{"mesh": -1}]), "glTF"),
    "a header that nests without end": ("a.gltf", b'{"a":' + b"[" * 100_000, "glTF"),
    "a header that is a list": ("a.gltf", b"[]", "glTF"),
}


@pytest.mark.parametrize(("name", "content", "part"), BAD_MESHES.values(), ids=BAD_MESHES)
def test_a_bad_mesh_gets_one_sentence(name, content, part, capfd):
    with pytest.raises(UserError) as error:
        read_file(content, name)
    assert_one_sentence(error)
    assert part in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_some_triangles_without_area_are_ignored_and_a_note_says_so():
    reading = read_file(obj(faces=[*QUADS, [0, 0, 1], [2, 2, 2]]), "a.obj")
    assert "2 triangles without area are ignored." in reading.notes
    assert reading.area == pytest.approx(AREA)


def test_faces_without_three_corners_are_ignored_and_a_note_says_so():
    reading = read_file(obj(faces=[*QUADS, [0, 1]]), "a.obj")
    assert "1 faces of fewer than three corners are ignored." in reading.notes
    assert reading.faces == 6


SEEDS = [(name, content) for name, content, _ in [*BOXES.values(), *BAD_MESHES.values()]]


@settings(max_examples=150)
@given(
    st.sampled_from([seed for seed in SEEDS if not seed[0].endswith((".las", ".laz"))]),
    st.integers(0, 600),
    st.integers(0, 20),
    st.binary(max_size=20),
)
def test_damaged_files_give_a_cloud_or_a_user_error(seed, at, lost, inserted):
    name, content = seed
    try:
        cloud = read_cloud(content[:at] + inserted + content[at + lost :], name, count=20)
    except UserError:
        return
    assert np.isfinite(cloud.points).all() and len(cloud.points) >= 3
