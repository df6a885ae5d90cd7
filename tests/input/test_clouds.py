import io
import zipfile

import numpy as np
import open3d as o3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ddeq.errors import UserError
from ddeq.input.clouds import MAX_BYTES, PointCloud, flatten, read_cloud, read_file, validate
from ddeq.input.formats import SUFFIXES, parse
from ddeq.input.preprocess import standardise, subsample
from tests.sentences import assert_one_sentence


@pytest.fixture(autouse=True, scope="module")
def in_this_process():
    """Files are parsed here: `test_sandbox` covers the process they are parsed in otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ddeq.input.clouds.parse_apart", parse)
        yield


# --- files that can be read: written by NumPy, Open3D or as plain text, read back equal -----------


def saved(save, *args, **kwargs):
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return file.getvalue()


def table(separator, header="", decimal="."):
    def write(points):
        rows = [separator.join(map(repr, row)).replace(".", decimal) for row in points.tolist()]
        return "\n".join([*([header] if header else []), *rows]).encode()

    return write


def open3d_file(suffix, tmp_path, **kwargs):
    def write(points):
        cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
        path = tmp_path / f"cloud{suffix}"
        assert o3d.io.write_point_cloud(str(path), cloud, **kwargs)
        return path.read_bytes()

    return write


PLAIN_WRITERS = {
    "commas": (".csv", table(",")),
    "commas and spaces": (".csv", table(" , ")),
    "semicolons": (".csv", table(";")),
    "decimal commas": (".csv", table(";", decimal=",")),
    "tabs": (".txt", table("\t")),
    "spaces": (".txt", table("   ")),
    "windows lines": (".txt", lambda points: table(" ")(points).replace(b"\n", b"\r\n")),
    "old mac lines": (
        ".txt",
        lambda points: (b"# long\n" * 999 + table(" ")(points)).replace(b"\n", b"\r"),
    ),
    "byte order mark": (".csv", lambda points: b"\xef\xbb\xbf" + table(",")(points)),
    "unnamed header": (".csv", table(",", header="a,b")),
    "comments": (".txt", lambda points: b"# a\n\n" + table(" ")(points) + b"  # b\n\n# c"),
    "numpy text": (".txt", lambda points: saved(np.savetxt, points, header="x y", fmt="%.17g")),
    "xyz": (".xyz", table(" ")),
    "pts": (".pts", table(" ")),
    "counted pts": (".pts", lambda points: b"%d\n" % len(points) + table(" ")(points)),
    "npy": (".npy", lambda points: saved(np.save, points)),
    "big-endian fortran npy": (
        ".npy",
        lambda points: saved(np.save, np.asfortranarray(points.astype(">f8"))),
    ),
    "npz": (".npz", lambda points: saved(np.savez, points=points, other=np.zeros((4, 5)))),
    "npz with x": (".npz", lambda points: saved(np.savez_compressed, x=points, y=np.eye(3))),
    "npz with one matrix": (".npz", lambda points: saved(np.savez, cloud=points, label=3)),
}
numbers = st.integers(-(10**6), 10**6).map(lambda n: n / 1000)


@pytest.mark.parametrize(("suffix", "write"), PLAIN_WRITERS.values(), ids=PLAIN_WRITERS)
@settings(max_examples=20, deadline=None)
@given(
    points=st.sampled_from([2, 3]).flatmap(lambda d: arrays(np.float64, (6, d), elements=numbers))
)
def test_plain_files_give_back_their_points(suffix, write, points):
    points[:3, :2] = [[0, 0], [1, 0], [0, 1]]  # at least three distinct ones
    cloud = read_cloud(write(points), f"cloud{suffix}")
    np.testing.assert_array_equal(cloud.points, points)
    assert cloud.points.dtype == np.float64
    assert cloud.name == f"cloud{suffix}"


@pytest.mark.parametrize("suffix", [".ply", ".pcd", ".xyz", ".pts"])
@pytest.mark.parametrize("write_ascii", [True, False])
@pytest.mark.parametrize("compressed", [True, False])
def test_what_open3d_writes_is_read_back(tmp_path, suffix, write_ascii, compressed):
    points = np.random.default_rng(0).normal(size=(40, 3))
    content = open3d_file(suffix, tmp_path, write_ascii=write_ascii, compressed=compressed)(points)
    cloud = read_cloud(content, f"cloud{suffix}")
    np.testing.assert_allclose(cloud.points, points, rtol=1e-5, atol=1e-6)  # as written


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv", table(",")),
        ("a.npy", lambda points: saved(np.save, points)),
        ("a.ply", lambda points: ply(count=str(len(points))) + table(" ")(points)),
        ("a.pcd", lambda points: pcd(points=str(len(points))) + table(" ")(points)),
        ("a.pcd", lambda points: pcd("binary", points=str(len(points))) + points.tobytes()),
    ],
)
@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_points_without_coordinates_are_left_out_and_a_note_says_so(name, write, missing):
    content = write(np.insert(POINTS, [0, 2], [[missing] * 3, [0, 1, missing]], axis=0))
    reading = read_file(content, name)
    np.testing.assert_array_equal(reading.cloud.points, POINTS)
    note = "2 of 5 points have no coordinates (NaN or infinite) and are left out."
    assert reading.notes == (note,)


def test_a_path_is_read_like_its_content(tmp_path):
    path = tmp_path / "CLOUD.CSV"
    path.write_bytes(b"0,0\n1,0\n0,1\n")
    assert read_cloud(path, path.name).points.tolist() == [[0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"x,y,label\n0,0,7\n1,0,7\n0,1,7", id="a label behind"),
        pytest.param(b",x,y\n0,0,0\n1,1,0\n2,0,1", id="an index in front, as pandas writes it"),
        pytest.param(b"Y;X\n0;0\n0;1\n1;0", id="another order"),
        pytest.param(b'"x", "y", "name"\n0, 0, a\n1, 0, b\n0, 1, c', id="quotes and words"),
    ],
)
def test_named_columns_are_found(content):
    assert read_cloud(content, "a.csv").points.tolist() == [[0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize("suffix", [".xyz", ".pts"])
def test_colours_and_normals_behind_the_coordinates_are_dropped(suffix):
    content = b"0 0 0 255 0 0\n1 0 0 255 0 0\n0 1 2 255 0 0\n"
    assert read_cloud(content, f"a{suffix}").points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 2]]


POINTS = np.array([[0, 0, 0.1], [1, 0, 0.2], [0, 1, 0.3]])


XYZ = "double x|double y|double z"


def ply(encoding="ascii", properties=XYZ, count="3", more="", before=""):
    head = f"ply\nformat {encoding} 1.0\ncomment made by hand\n"
    for kind in filter(None, (before, f"vertex {count}|{properties}")):
        first, *lines = kind.split("|")
        head += f"element {first}\n" + "".join(f"property {line}\n" for line in lines)
    return f"{head}{more}end_header\n".encode()


def packed(content):
    """As in a packed PCD file: its sizes, and LZF that repeats nothing."""
    parts = [content[at : at + 32] for at in range(0, len(content), 32)]
    body = b"".join(bytes([len(part) - 1]) + part for part in parts)
    return np.array([len(body), len(content)], "<u4").tobytes() + body


def pcd(data="ascii", fields="x y z", size="8 8 8", kind="F F F", count="1 1 1", points="3"):
    return (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE {size}\nTYPE {kind}\nCOUNT {count}\n"
        f"WIDTH {points}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA {data}\n"
    ).encode()


ROWS = table(" ")(POINTS)
FACES = "element face 1\nproperty list uchar int vertex_indices\n"
COLOURED = np.rec.fromarrays([np.full(3, 9, "u1"), *POINTS.T], formats="u1,f8,f8,f8")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.ply", ply() + ROWS, id="ascii ply"),
        pytest.param(
            "a.ply", ply(more=FACES.replace("1", "0")) + ROWS, id="ply with an empty list of faces"
        ),
        pytest.param(
            "a.ply",
            ply("binary_big_endian") + POINTS.astype(">f8").tobytes(),
            id="big-endian ply",
        ),
        pytest.param(
            "a.ply",
            ply("binary_little_endian", "uchar red|double x|double y|double z")
            + COLOURED.tobytes(),
            id="ply with colours in front",
        ),
        pytest.param("a.ply", ply().replace(b"\n", b"\r\n") + ROWS, id="windows ply"),
        pytest.param("a.pcd", pcd() + ROWS, id="ascii pcd"),
        pytest.param("a.pcd", pcd("binary") + POINTS.tobytes(), id="double precision pcd"),
        pytest.param(
            "a.pcd",
            pcd("ascii", "normal x y z", "4 4 4 4", "F F F F", "3 1 1 1")
            + table(" ")(np.hstack([np.ones((3, 3)), POINTS])),
            id="pcd with a longer field in front",
        ),
        pytest.param(
            "a.ply",
            ply("binary_little_endian", before="camera 2|float fx|list uchar short lens")
            + np.float32(3).tobytes()
            + b"\x01\x05\x00"
            + np.float32(4).tobytes()
            + b"\x02\x05\x00\x06\x00"
            + POINTS.tobytes(),
            id="ply with other records in front",
        ),
        pytest.param(
            "a.ply",
            ply(before="camera 2|float fx|list uchar short lens") + b"3 1 5\n4 2 5 6\n" + ROWS,
            id="ascii ply with other records in front",
        ),
        pytest.param(
            "a.ply",
            ply("binary_big_endian", f"{XYZ}|list uint double more")
            + b"".join(p.astype(">f8").tobytes() + bytes(4) for p in POINTS),
            id="ply with empty lists",
        ),
        pytest.param(
            "a.ply",
            ply("binary_little_endian", f"uchar red|list uchar short more|{XYZ}")
            + b"".join(
                b"\x07" + bytes([i]) + bytes(2 * i) + point.tobytes()
                for i, point in enumerate(POINTS)
            ),
            id="ply with lists of any length",
        ),
        pytest.param(
            "a.ply",
            ply(properties=f"list uchar short more|{XYZ}")
            + b"\n".join(
                b"%d %s" % (i, b"5 " * i + row) for i, row in enumerate(ROWS.splitlines())
            ),
            id="ascii ply with lists of any length",
        ),
        pytest.param(
            "a.ply",
            ply(properties=f"{XYZ}|list uchar short more")
            + b"\n".join(row + b" %d" % i + b" 5" * i for i, row in enumerate(ROWS.splitlines())),
            id="ascii ply with lists behind",
        ),
        pytest.param(
            "a.ply", ply(properties=XYZ.upper().replace("DOUBLE", "double")) + ROWS, id="X Y Z"
        ),
        pytest.param("a.ply", (ply() + ROWS).replace(b"\n", b"\r"), id="old mac ply"),
        pytest.param(
            "a.ply",
            ply("binary_little_endian").replace(b"\n", b"\r\n") + POINTS.tobytes(),
            id="windows lines above a binary body",
        ),
        pytest.param("a.pcd", (pcd() + ROWS).replace(b"\n", b"\r"), id="old mac pcd"),
        pytest.param("a.pcd", pcd().replace(b"FIELDS", b"COLUMNS") + ROWS, id="pcd of columns"),
        pytest.param(
            "a.pcd",
            pcd("binary", "_ x y z _", "2 8 8 8 4", "U F F F U", "3 1 1 1 0")
            + b"".join(bytes(6) + point.tobytes() for point in POINTS),
            id="pcd with padding and a field of no numbers",
        ),
        pytest.param(
            "a.pcd",
            pcd("binary").replace(b"POINTS 3\n", b"") + POINTS.tobytes(),
            id="pcd without the number of points",
        ),
        pytest.param(
            "a.pcd",
            pcd("binary_compressed", "_ X Y Z _", "2 8 8 8 4", "U F F F U", "3 1 1 1 0").replace(
                b"POINTS 3\n", b""
            )
            + packed(bytes(18) + POINTS.T.tobytes()),
            id="packed pcd with padding and without the number of points",
        ),
    ],
)
def test_unusual_ply_and_pcd_files_are_read(name, content):
    np.testing.assert_array_equal(read_cloud(content, name).points, POINTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", ply(properties="double x|double y") + table(" ")(POINTS[:, :2])),
        ("a.pcd", pcd("ascii", "x y", "4 4", "F F", "1 1") + table(" ")(POINTS[:, :2])),
    ],
)
def test_ply_and_pcd_may_have_two_coordinates(name, content):
    np.testing.assert_array_equal(read_cloud(content, name).points, POINTS[:, :2])


@pytest.mark.parametrize("data", ["ascii", "binary"])
def test_organised_points_without_a_return_are_left_out(data):
    """A depth camera writes a point for each of its pixels, NaN where it saw nothing."""
    points = np.vstack([POINTS, np.full((3, 3), np.nan)])
    head = pcd(data, points="6").replace(b"WIDTH 6\nHEIGHT 1", b"WIDTH 3\nHEIGHT 2")
    reading = read_file(
        head + (points.tobytes() if data == "binary" else table(" ")(points)), "a.pcd"
    )
    np.testing.assert_array_equal(reading.cloud.points, POINTS)
    assert reading.notes[0].startswith("3 of 6 points have no coordinates")


def test_faint_gaussian_splats_are_left_out_and_a_note_says_so():
    properties = f"{XYZ}|double opacity|double f_dc_0|double scale_0|double rot_0"
    opacity = np.array([[3.0], [-3], [5], [9]])
    points = np.insert(POINTS, 1, 7, axis=0)
    body = np.hstack([points, opacity, np.zeros((4, 3))]).tobytes()
    reading = read_file(ply("binary_little_endian", properties, count="4") + body, "a.ply")
    np.testing.assert_array_equal(reading.cloud.points, POINTS)
    assert reading.notes == ("1 of 4 splats are faint and are left out.",)


def test_a_million_points_are_read_and_thinned():
    points = np.random.default_rng(0).random((1_000_000, 2)).astype(np.float32)
    cloud = read_cloud(saved(np.save, points), "million.npy")
    assert len(cloud.points) == 1_000_000
    thin = subsample(cloud.points, 500, np.random.default_rng(0))
    assert np.isfinite(standardise(thin).points).all() and len(thin) == 500


# --- files that are refused, each with one sentence -----------------------------------------------


def npy(array, **changes):
    """A .npy file whose header says something else than its content."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape} | changes
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a file was unpickled",)


PICKLED = saved(np.save, np.array([Trap()] * 3, object), allow_pickle=True)
WHOLE_NPZ = saved(np.savez, POINTS)
PACKED = pcd("binary_compressed")

BAD_FILES = {
    "unknown suffix": ("digit.docx", b"0 0"),
    "no suffix": ("digit", b"0 0"),
    **{f"empty {suffix}": (f"a{suffix}", b"") for suffix in SUFFIXES},
    "only white space": ("a.csv", b" \n\n "),
    "only a header": ("a.csv", b"x,y\n"),
    "only comments": ("a.txt", b"# nothing\n# here\n"),
    "words": ("a.txt", b"this is\nnot a cloud\n"),
    "a word among numbers": ("a.csv", b"x,y\n0,0\n1,one\n0,1\n"),
    "a missing number": ("a.csv", b"0,0\n1,\n0,1\n"),
    "a row too short": ("a.txt", b"0 0\n1\n0 1\n"),
    "a row too long": ("a.txt", b"0 0\n1 0\n0 1 2\n"),
    "one column": ("a.csv", b"1\n2\n3\n"),
    "one column of xyz": ("a.xyz", b"1\n2\n3\n"),
    "five columns": ("a.csv", b"0,0,0,0,0\n1,0,0,0,0\n0,1,0,0,0\n"),
    "a named column that is missing": ("a.csv", b"a,b,x,y\n0,0\n1,0\n0,1\n"),
    "bytes instead of text": ("a.xyz", bytes(range(256))),
    "zeros instead of text": ("a.csv", bytes(100)),
    "an endless line": ("a.csv", b"1," * 1_000_000),
    "a wrong count": ("a.pts", b"4\n0 0 0\n1 0 0\n0 1 0\n"),
    "a picture named text": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(50)),
    # broken headers
    "no ply": ("a.ply", b"plx\n" + ply()[4:] + ROWS),
    "ply without end": ("a.ply", ply()[:-12]),
    "ply of unknown format": ("a.ply", ply("utf8") + ROWS),
    "ply without format": ("a.ply", ply().replace(b"format ascii 1.0\n", b"") + ROWS),
    "ply of unknown type": ("a.ply", ply(properties="half x|half y") + ROWS),
    "ply with a list": ("a.ply", ply(properties="list uchar int x|float y") + ROWS),
    "ply without vertices": ("a.ply", ply().replace(b"vertex", b"face") + ROWS),
    "ply without elements": ("a.ply", b"ply\nformat ascii 1.0\nend_header\n" + ROWS),
    "ply without y": ("a.ply", ply(properties="float x|float z") + ROWS),
    "ply with no number of points": ("a.ply", ply(count="many") + ROWS),
    "ply with -3 points": ("a.ply", ply(count="-3") + ROWS),
    "ply with 0 points": ("a.ply", ply(count="0")),
    "ply with a word": ("a.ply", ply() + ROWS.replace(b"0.2", b"two")),
    "ply without numbers": ("a.ply", ply()),
    "ply cut short": ("a.ply", ply() + ROWS[:-12]),
    "binary ply cut short": ("a.ply", ply("binary_little_endian") + POINTS.tobytes()[:-1]),
    "ply that lies": ("a.ply", ply("binary_little_endian", count="4000000") + ROWS),
    "ply that lies a lot": ("a.ply", ply(count="9" * 30) + ROWS),
    "ply with an endless header": ("a.ply", b"ply\n" + b"comment a\n" * 100_000),
    "no pcd": ("a.pcd", b"\x00" * 500),
    "pcd without fields": ("a.pcd", pcd().replace(b"FIELDS", b"FELDER") + ROWS),
    "pcd without a type": ("a.pcd", pcd(kind="F F") + ROWS),
    "pcd of unknown type": ("a.pcd", pcd(kind="F F C") + ROWS),
    "pcd of unknown size": ("a.pcd", pcd(size="8 8 3") + ROWS),
    "pcd with huge fields": ("a.pcd", pcd("binary", count="1 1 999999999") + ROWS),
    "pcd of unknown data": ("a.pcd", pcd("zipped") + ROWS),
    "pcd with long coordinates": ("a.pcd", pcd(count="3 1 1") + ROWS),
    "pcd with a word": ("a.pcd", pcd() + ROWS.replace(b"0.2", b"two")),
    "pcd with bytes that are no text": ("a.pcd", pcd() + ROWS.replace(b"0.2", b"0\x84")),
    "ply with bytes that are no text": ("a.ply", ply() + ROWS.replace(b"0.2", b"\xff")),
    "pcd cut short": ("a.pcd", pcd() + ROWS[:-12]),
    "binary pcd cut short": ("a.pcd", pcd("binary") + POINTS.tobytes()[:-1]),
    "pcd that lies": ("a.pcd", pcd("binary", points="4000000") + ROWS),
    "packed pcd without content": ("a.pcd", PACKED),
    "packed pcd cut short": ("a.pcd", PACKED + bytes((50, 0, 0, 0, 72, 0, 0, 0)) + bytes(20)),
    "packed pcd of another size": ("a.pcd", PACKED + bytes((1, 0, 0, 0, 9, 0, 0, 0, 0))),
    "packed pcd that does not unpack": (
        "a.pcd",
        PACKED + bytes((20, 0, 0, 0, 72, 0, 0, 0)) + b"\xff" * 20,
    ),
    "no npy": ("a.npy", b"\x93NUMPZ" + bytes(100)),
    "npy without its header": ("a.npy", saved(np.save, POINTS)[:40]),
    "npy cut short": ("a.npy", saved(np.save, POINTS)[:-1]),
    "npy that lies": ("a.npy", npy(POINTS, shape=(4_000_000, 3))),
    "npy with a negative shape": ("a.npy", npy(POINTS, shape=(-3, 3))),
    "npy with words": ("a.npy", saved(np.save, POINTS.astype(str))),
    "npy with complex numbers": ("a.npy", saved(np.save, POINTS.astype(complex))),
    "npy of rank 1": ("a.npy", saved(np.save, POINTS[0])),
    "npy with four columns": ("a.npy", saved(np.save, np.eye(4))),
    "pickled npy": ("a.npy", PICKLED),
    "no npz": ("a.npz", b"PK\x03\x04" + bytes(50)),
    "npz cut short": ("a.npz", WHOLE_NPZ[:-30]),
    "npz with a broken member": ("a.npz", WHOLE_NPZ.replace(b"NUMPY", b"MUMPS")),
    "npz without arrays": ("a.npz", zipped({"readme.txt": "nothing"})),
    "npz with two matrices": ("a.npz", saved(np.savez, a=POINTS, b=POINTS)),
    "npz packed unusually": ("a.npz", zipped({"points.npy": b"0"}, zipfile.ZIP_LZMA)),
    "pickled npz": ("a.npz", zipped({"points.npy": PICKLED})),
    # points that cannot be used
    "a NaN among three": ("a.csv", b"0,0\n1,0\nnan,1\n"),
    "an infinity among three": ("a.npy", saved(np.save, np.vstack([POINTS[:2], [[np.inf] * 3]]))),
    "a NaN in a ply": ("a.ply", ply() + ROWS.replace(b"0.2", b"nan")),
    "one point": ("a.csv", b"1,2\n"),
    "two distinct points": ("a.csv", b"0,0\n1,0\n0,0\n1,0\n"),
    "all points equal": ("a.csv", b"1,2\n" * 50),
    "no points": ("a.npy", saved(np.save, np.zeros((0, 2)))),
    "points too far apart": ("a.csv", b"0,0\n1e200,0\n0,1e308\n"),
    "points too close together": ("a.csv", b"0,0\n1e-200,0\n0,1e-200\n"),
}


@pytest.mark.parametrize(("name", "content"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_gets_one_sentence(name, content, capfd):
    with pytest.raises(UserError) as error:
        read_cloud(content, name)
    assert_one_sentence(error)
    assert capfd.readouterr() == ("", "")  # no library talks over the message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", b"1 2\n" * 5_000_001, id="text"),
        pytest.param("a.xyz", b"\n" * 6_000_000 + b"1", id="empty lines"),
        pytest.param("a.npy", npy(POINTS, shape=(5_000_001, 3)), id="npy"),
        pytest.param("a.npy", npy(POINTS, shape=(2**62, 3)), id="huge npy"),
        pytest.param("a.ply", ply(count="5000001") + ROWS, id="ply"),
        pytest.param("a.pcd", pcd(points="5000001") + ROWS, id="pcd"),
        pytest.param("a.pcd", pcd("binary_compressed", points="5000001") + ROWS, id="packed pcd"),
        pytest.param("a.npz", zipped({"x.npy": bytes(250_000_000)}), id="zip bomb"),
    ],
)
def test_more_than_five_million_points_get_one_sentence(name, content):
    with pytest.raises(UserError, match="more than 5,000,000 points") as error:
        read_cloud(content, name)
    assert_one_sentence(error)


def test_a_200_mb_file_gets_one_sentence(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES)  # sparse: takes no room
    for data in (path, bytes(MAX_BYTES)):
        with pytest.raises(UserError, match="200 MB") as error:
            read_cloud(data, "large.csv")
        assert_one_sentence(error)


def test_a_path_that_is_not_there_gets_one_sentence(tmp_path):
    with pytest.raises(UserError) as error:
        read_cloud(tmp_path / "nothing.csv", "nothing.csv")
    assert_one_sentence(error)


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.docx", b"0", ", ".join(SUFFIXES)),
        ("a.csv", b"0,0\nnan,1\n1,inf\n0,1\n", "2 of 4 points"),
        ("a.csv", b"0,0\n1,0\n1,one\n0,1\n", "1,one"),
        ("a.csv", b"1,1\n1,1\n", "All 2 points"),
        ("a.csv", b"0,0\n1,1\n0,0\n", "only 2 different points"),
        ("a.ply", ply(count="4") + ROWS, "ends before all the points"),
        ("a.csv", b"1," * 1_000_000, "overlong lines"),
        ("two\nlines " + "x" * 300 + ".csv", b"", "two lines xxx"),
    ],
)
def test_the_sentence_says_what_is_wrong(name, content, part):
    with pytest.raises(UserError) as error:
        read_cloud(content, name)
    assert part in str(error.value) or part in " ".join(str(error.value).split())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param((2**32 - 1, 72), id="more packed bytes than there are"),
        pytest.param((20, 2**32 - 1), id="more unpacked bytes than the points take"),
    ],
)
def test_open3d_never_sees_a_packed_file_that_lies(sizes, monkeypatch):
    monkeypatch.setattr(o3d.t.io, "read_point_cloud", lambda path: pytest.fail("it was read"))
    body = np.array(sizes, "<u4").tobytes() + bytes(20)
    with pytest.raises(UserError, match="ends before"):
        read_cloud(PACKED + body, "a.pcd")


def garbage():
    seeds = [*(content for _, content in BAD_FILES.values()), WHOLE_NPZ, ply() + ROWS]
    mutated = st.tuples(st.sampled_from(seeds), st.integers(0, 400), st.binary(max_size=30)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
    return st.one_of(st.binary(max_size=300), mutated)


@pytest.mark.filterwarnings("ignore:.*Python 2")  # what NumPy says about some broken headers
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60, deadline=None)
@given(content=garbage())
def test_garbage_gives_a_cloud_or_a_user_error(suffix, content):
    try:
        cloud = read_cloud(content, f"a{suffix}")
    except UserError:
        return
    assert np.isfinite(cloud.points).all() and len(cloud.points) >= 3


@pytest.mark.parametrize("points", [np.zeros((3, 2)), np.full((3, 2), np.nan), np.zeros((0, 3))])
def test_validate_refuses_what_no_model_can_use(points):
    with pytest.raises(UserError) as error:
        validate(PointCloud(points, "a"))
    assert_one_sentence(error)


# --- flat clouds ----------------------------------------------------------------------------------

planar = arrays(np.float64, (12, 2), elements=numbers).map(
    lambda points: np.vstack([points, [[0, 0], [500, 0], [0, 400]]])
)


def rotation(axis, angle):
    return o3d.geometry.get_rotation_matrix_from_axis_angle(angle * np.asarray(axis, float))


@given(planar, st.sampled_from([0, 1, 2]), st.floats(-1e3, 1e3))
def test_an_axis_parallel_plane_keeps_its_coordinates(points, dropped, height):
    in_space = np.insert(points, dropped, height, axis=1)
    flat = flatten(PointCloud(in_space, "a"))
    np.testing.assert_array_equal(flat.points, points)


@given(planar, st.floats(0, 2 * np.pi), st.floats(-40, 40))
def test_a_plane_that_leans_is_turned_back_upright(points, direction, degrees):
    axis = [np.cos(direction), np.sin(direction), 0]
    turn = rotation(axis, np.radians(degrees))
    tilted = np.insert(points, 2, 0, axis=1) @ turn.T
    flat = flatten(PointCloud(tilted, "a")).points
    # The same cloud, up to the turn in its plane that a tilt about an oblique axis leaves open.
    twist = np.linalg.lstsq(points, flat, rcond=None)[0]
    np.testing.assert_allclose(points @ twist, flat, atol=1.5)  # 1/1000 of the extent may go
    np.testing.assert_allclose(twist @ twist.T, np.eye(2), atol=2e-2)
    assert np.linalg.det(twist) > 0
    assert twist[0, 0] > 0.9


@given(planar, st.floats(1, 44), st.sampled_from([[1, 0, 0], [0, 1, 0]]))
def test_a_plane_tilted_about_an_axis_comes_back_exactly(points, degrees, axis):
    tilted = np.insert(points, 2, 0, axis=1) @ rotation(axis, np.radians(degrees)).T
    flat = flatten(PointCloud(tilted, "a")).points
    np.testing.assert_allclose(flat, points, atol=1e-6)


@given(planar, arrays(np.float64, 3, elements=st.floats(-3, 3)))
def test_flattening_keeps_distances(points, turn):
    in_space = np.insert(points, 2, 0, axis=1) @ rotation(turn, 1.0).T
    flat = flatten(PointCloud(in_space, "a")).points
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    flattened = np.linalg.norm(flat[:, None] - flat, axis=-1)
    np.testing.assert_allclose(flattened, distances, atol=4.0)  # a thin slant may be dropped


def test_a_cloud_in_the_plane_stays_as_it_is():
    cloud = PointCloud(POINTS[:, :2], "a")
    assert flatten(cloud) is cloud


@pytest.mark.parametrize("thickness", [0.01, 0.1, 1.0])
def test_a_cloud_that_is_not_flat_gets_one_sentence(thickness):
    points = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, thickness]
    with pytest.raises(UserError, match="not flat") as error:
        flatten(PointCloud(points, "ball.ply"))
    assert_one_sentence(error)


@pytest.mark.parametrize("far", [[3000, 2000, 0], [0, 0, 1e5], [900, 900, 900]])
def test_a_far_point_makes_nothing_flat_and_a_note_tells_of_it(far):
    ball = np.random.default_rng(0).normal(size=(400, 3))
    reading = read_file(saved(np.save, np.vstack([ball, [far]])), "chair.npy")
    assert reading.notes == ("1 of 401 points lie far from the others.",)
    with pytest.raises(UserError, match="not flat"):
        flatten(reading.cloud)
    assert read_file(saved(np.save, ball), "chair.npy").notes == ()


def test_a_far_point_in_the_plane_leaves_it_flat():
    plane = np.insert(np.random.default_rng(0).normal(size=(100, 2)), 2, 0, axis=1)
    points = np.vstack([plane, [[500, 0, 0]]])
    np.testing.assert_array_equal(flatten(PointCloud(points, "a")).points, points[:, :2])


def test_coordinates_that_have_lost_their_decimals_are_read_with_a_note():
    """As UTM coordinates in single precision: half a metre is all that is left."""
    points = np.random.default_rng(0).uniform(0, 3, (100, 3)) + np.array([5e5, 5e6, 100])
    exact = read_file(saved(np.save, points), "a.npy")
    assert exact.notes == ()
    rough = read_file(saved(np.save, points.astype(np.float32)), "a.npy")
    [note] = rough.notes
    assert "single precision" in note and "0.5" in note


def test_noise_below_a_thousandth_is_flat():
    rng = np.random.default_rng(0)
    points = np.hstack([rng.normal(size=(100, 2)), 1e-4 * rng.normal(size=(100, 1))])
    np.testing.assert_array_equal(flatten(PointCloud(points, "a")).points, points[:, :2])


def test_a_vertical_line_stays_a_line():
    stick = np.array([[0, 0, 0], [0, 0, 1.0], [0, 0, 2.0]])
    flat = flatten(PointCloud(stick, "a")).points
    np.testing.assert_array_equal(flat[:, 1], [0, 1, 2])
