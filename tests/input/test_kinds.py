"""Files that are not what their name says, packed ones, and kinds that are not read."""

import gzip

import pytest

from ddeq.errors import UserError
from ddeq.input.clouds import MAX_BYTES, read_cloud, read_file
from ddeq.input.formats import parse
from ddeq.input.formats.limits import MAX_UNPACKED
from tests.input.test_mesh import obj, ply
from tests.sentences import assert_one_sentence

TEXT = b"0 0 0\n1 0 0\n0 1 2\n"

STRANGERS = {
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "a web page": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "web page"),
    "a web page without its kind": (b"\n<html lang='en'>", "web page"),
    "xml": (b"<?xml version='1.0'?><COLLADA/>", "XML"),
    "a pdf": (b"%PDF-1.7", "PDF"),
    "fbx": (b"Kaydara FBX Binary  \0\x1a\0", "Blender"),
    "blend": (b"BLENDER-v300", "Blender"),
    "e57": (b"ASTM-E57\1\0\0\0", "CloudCompare"),
    "bzip2": (b"BZh91AY&SY", "unpack it"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "picture"),
    "a picture of another kind": (b"RIFF\x10\0\0\0WEBPVP8 ", "picture"),
    "a scan of a page": (b"II*\0\x08\0\0\0", "picture"),
    "a zip": (b"PK\3\4" + bytes(30), "zip archive"),
}


@pytest.mark.parametrize(("content", "part"), STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("suffix", [".ply", ".xyz", ".stl", ".glb", ".npy", ".laz"])
def test_a_file_that_is_something_else_is_called_by_its_name(content, part, suffix):
    with pytest.raises(UserError, match=part) as error:
        read_cloud(content, f"a{suffix}")
    assert_one_sentence(error)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a.fbx", "Blender"),
        ("a.STEP", "FreeCAD"),
        ("a.e57", "CloudCompare"),
        ("a.rar", "unpack"),
        ("a.xlsx", ".csv"),
        ("a.odt", ".ply, "),
        ("a.odt.gz", ".ply, "),
        ("a.gz", ".ply, "),
    ],
)
def test_the_sentence_names_a_program_that_helps(name, part):
    with pytest.raises(UserError) as error:
        read_cloud(TEXT, name)
    assert_one_sentence(error)
    assert part in str(error.value)


@pytest.mark.parametrize("name", ["a.xyz.gz", "A.XYZ.GZ", "a.xyz"])
def test_packed_files_are_unpacked(name):
    points = read_cloud(gzip.compress(TEXT), name).points
    assert points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 2]]


def test_packed_meshes_are_unpacked():
    for name, content in (("a.ply.gz", ply()), ("a.obj.gz", obj())):
        assert read_file(gzip.compress(content), name).area == pytest.approx(22)


def test_what_unpacks_to_too_much_gets_one_sentence(monkeypatch):
    monkeypatch.setattr("ddeq.input.formats.MAX_UNPACKED", 100_000)
    monkeypatch.setattr("ddeq.input.clouds.parse_apart", parse)
    assert len(read_cloud(gzip.compress(TEXT * 5_000), "a.xyz.gz").points) == 15_000
    with pytest.raises(UserError, match="unpacks to more") as error:
        read_cloud(gzip.compress(TEXT * 6_000), "a.xyz.gz")
    assert_one_sentence(error)


@pytest.mark.parametrize("content", [gzip.compress(TEXT)[:-9], b"\x1f\x8b" + bytes(30)])
def test_a_broken_packed_file_gets_one_sentence(content):
    with pytest.raises(UserError, match=r"whole \.gz file") as error:
        read_cloud(content, "a.xyz.gz")
    assert_one_sentence(error)


def test_nothing_packed_is_unpacked_in_this_process(monkeypatch):
    apart = []
    monkeypatch.setattr("ddeq.input.clouds.parse_apart", lambda *a: apart.append(a) or parse(*a))
    read_cloud(gzip.compress(TEXT), "a.xyz")
    assert len(apart) == 1


def test_a_packed_file_may_be_as_large_as_one_that_is_not():
    assert MAX_UNPACKED == MAX_BYTES


@pytest.mark.parametrize("suffix", [".ply", ".pcd", ".obj", ".stl", ".las", ".bin", ".glb", ".npy"])
@pytest.mark.parametrize("above", [b"", b"# a comment\n", b"x y z\n"])
def test_plain_text_by_another_name_is_read_and_a_note_says_so(suffix, above):
    reading = read_file(above + TEXT, f"a{suffix}")
    assert reading.cloud.points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 2]]
    assert reading.notes[0] == f"It is no {suffix} file but plain text, and is read as that."


@pytest.mark.parametrize(
    "content", [b"a letter to my friend\n", b"1\n2\n3\n4\n", b"3 words here\n" * 5]
)
def test_a_ply_that_is_something_else_is_told_what_it_lacks(content):
    with pytest.raises(UserError, match="does not begin with 'ply'") as error:
        read_cloud(content, "a.ply")
    assert_one_sentence(error)
