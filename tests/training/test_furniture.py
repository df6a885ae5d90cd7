"""Furniture archives: catalogues, labels, and surfaces the right way up and of the right size."""

import csv
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.errors import UserError
from ddeq.input.formats.surface import areas
from ddeq.training.datasets.furniture import CLASSES, LIBRARIES, labels, properties, surfaces
from tests.sentences import assert_one_sentence

# A box 2 wide (x), 1 high (y), 4 deep (z), in quads; one vertex far away belongs to no face.
BOX = """
v 0 0 0
v 2 0 0
v 2 1 0
v 0 1 0
v 0 0 4
v 2 0 4
v 2 1 4
v 0 1 4
v 90 90 90
f 4 3 2 1
f 5 6 7 8
f 1 2 6 5
f 2 3 7 6
f 3 4 8 7
f 4 1 5 8
"""
# A spike on the floor: its tip is up (y), to the right (x), at the front (z).
SPIKE = "v 0 0 0\nv 1 0 0\nv 0 0 1\nv 1 1 1\nf 1 2 3\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"
LAYING = "v 0 0 0\nv 1 0 0\nv 0 -1 0\nv 1 -1 1\nf 1 2 3\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"
TURN = "1 0 0 0 0 1 0 -1 0"  # takes LAYING to SPIKE


def entry(k, model, size=(100, 100, 100), **more):
    width, depth, height = size
    values = {"id": f"Test#{k}", "name": f"Piece {k}", "creator": "Someone", "model": model}
    values |= {"width": width, "depth": depth, "height": height, **more}
    return "".join(f"{key}#{k}={value}\n" for key, value in values.items())


def write_package(folder, entries, models):
    """A package whose first library has these entries, and whose others are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for library in LIBRARIES:
        with zipfile.ZipFile(folder / f"{library}.sh3f", "w") as archive:
            first = library == "BlendSwap-CC-0"
            archive.writestr("PluginFurnitureCatalog.properties", entries if first else "id=x\n")
            for name, content in models.items() if first else ():
                archive.writestr(name, content)


def only_piece(folder):
    ((piece, mesh),) = surfaces(folder)
    return piece, mesh


@pytest.mark.parametrize("below", ["", "usr/share/sweethome3d/furniture"])
def test_a_box_is_stretched_to_the_catalogues_size_and_stands_on_the_floor(tmp_path, below):
    write_package(tmp_path / below, entry(1, "/a/box.obj", (50, 200, 30)), {"a/box.obj": BOX})
    piece, mesh = only_piece(tmp_path)
    assert piece.size == (0.5, 2.0, 0.3) and piece.name == "Piece 1" and piece.licence == "CC0"
    corners = mesh.points[np.unique(mesh.triangles)]
    np.testing.assert_allclose(corners.min(axis=0), [-0.25, -1, 0], atol=1e-12)
    np.testing.assert_allclose(corners.max(axis=0), [0.25, 1, 0.3], atol=1e-12)
    area = 2 * (0.5 * 2 + 2 * 0.3 + 0.5 * 0.3)
    assert areas(mesh.points, mesh.triangles).sum() == pytest.approx(area)


def test_up_is_z_and_the_front_is_minus_y(tmp_path):
    write_package(tmp_path, entry(1, "/s.obj"), {"s.obj": SPIKE})
    np.testing.assert_allclose(only_piece(tmp_path)[1].points[3], [0.5, -0.5, 1])


def test_a_rotation_of_the_catalogue_is_applied_row_by_row(tmp_path):
    entries = entry(1, "s.obj") + entry(2, "l.obj", modelRotation=TURN)
    write_package(tmp_path, entries, {"s.obj": SPIKE, "l.obj": LAYING})
    (_, upright), (_, turned) = surfaces(tmp_path)
    np.testing.assert_allclose(turned.points, upright.points, atol=1e-12)


def test_a_flat_model_stays_flat(tmp_path):
    flat = "v 0 0 0\nv 1 0 0\nv 1 0 2\nv 0 0 2\nf 1 2 3 4\n"
    write_package(tmp_path, entry(1, "f.obj", (100, 300, 5)), {"f.obj": flat})
    _, mesh = only_piece(tmp_path)
    np.testing.assert_allclose(np.ptp(mesh.points, axis=0), [1, 3, 0])


def test_a_concave_polygon_is_covered_once(tmp_path):
    """An L of three unit squares; a fan from its first corner has another area."""
    ell = "v 2 0 0\nv 2 1 0\nv 1 1 0\nv 1 2 0\nv 0 2 0\nv 0 0 0\nv 0 0 1\nf 1 2 3 4 5 6\nf 6 1 7\n"
    write_package(tmp_path, entry(1, "l.obj", (200, 100, 200)), {"l.obj": ell})
    _, mesh = only_piece(tmp_path)
    assert areas(mesh.points, mesh.triangles).sum() == pytest.approx(3 + 1)


@pytest.mark.parametrize(
    ("entries", "models"),
    [
        pytest.param(entry(1, "gone.obj"), {}, id="no such model"),
        pytest.param(entry(1, "e.obj"), {"e.obj": "v 0 0 0\n"}, id="no faces"),
        pytest.param(entry(1, "d.obj"), {"d.obj": "v 0 0 0\nf 1 1 1\n"}, id="no area"),
        pytest.param(entry(1, "b.obj", ("wide", 1, 1)), {"b.obj": BOX}, id="size not a number"),
        pytest.param("id#1=alone\n", {}, id="keys missing"),
        pytest.param(entry(1, "b.obj", modelRotation="1 2"), {"b.obj": BOX}, id="rotation cut"),
    ],
)
def test_a_broken_library_is_refused(tmp_path, entries, models):
    write_package(tmp_path, entries, models)
    with pytest.raises(UserError, match="again") as error:
        list(surfaces(tmp_path))
    assert_one_sentence(error)


def test_a_missing_or_foreign_archive_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"BlendSwap-CC-0\.sh3f") as error:
        next(surfaces(tmp_path))
    assert_one_sentence(error)
    (tmp_path / "BlendSwap-CC-0.sh3f").write_bytes(b"not a zip archive")
    with pytest.raises(UserError, match="whole") as error:
        next(surfaces(tmp_path))
    assert_one_sentence(error)


def test_java_properties_are_read_as_java_reads_them():
    content = (
        b"# comment=1\n  ! another\nplain=value\n spaced : value \nblank value\nkey\\ with\\:=x\n"
        b"euro=20\\u20ac\nlatin=caf\xe9\nlong=one \\\n   two\nbackslash=a\\\\\n"
        b"last=\\t|\r\nempty=\n"
    )
    assert properties(content) == {
        "plain": "value",
        "spaced": "value ",
        "blank": "value",
        "key with:": "x",
        "euro": "20€",
        "latin": "café",
        "long": "one two",
        "backslash": "a\\",
        "last": "\t|",
        "empty": "",
    }


@given(st.dictionaries(st.from_regex(r"[a-z]+#[0-9]{1,3}", fullmatch=True), st.text(max_size=20)))
def test_properties_survive_escaping(entries):
    def escaped(text):
        return "".join(f"\\u{unit:04x}" for unit in np.frombuffer(text.encode("utf-16-le"), "<u2"))

    plain = {key: value for key, value in entries.items() if max(value, default="") < "\ud800"}
    lines = "".join(f"{key}={escaped(value)}\n" for key, value in plain.items())
    assert properties(lines.encode("ascii")) == plain


def test_the_labels_cover_ten_classes_on_both_sides():
    known = labels()
    sides = {(entry.label, entry.split) for entry in known.values()}
    assert sides == {(k, side) for k in range(10) for side in ("train", "test")}
    assert sum(entry.split == "train" for entry in known.values()) == 253
    assert sum(entry.split == "test" for entry in known.values()) == 73
    assert known["Scopia#bed1"].split == "test" and CLASSES[known["Scopia#bed1"].label] == "bed"


PACKAGE = os.environ.get("DDEQ_FURNITURE")


@pytest.mark.skipif(not PACKAGE, reason="DDEQ_FURNITURE does not name the extracted package")
def test_the_whole_package_has_its_catalogues_sizes_and_its_polygons_areas():
    known, pieces = labels(), []
    for piece, mesh in surfaces(PACKAGE):
        used = mesh.points[np.unique(mesh.triangles)]
        extent = np.ptp(used, axis=0)
        np.testing.assert_allclose(extent[extent > 0], np.array(piece.size)[extent > 0], rtol=1e-6)
        pieces.append(piece)
    assert len(pieces) == 820 and set(known) <= {piece.id for piece in pieces}
    with open("ddeq/datasets/furniture_labels.csv", encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for piece in pieces:
        if piece.id in rows:
            row = rows[piece.id]
            assert (piece.library, piece.creator) == (row["library"], row["creator"])
            assert piece.licence == row["licence"]
