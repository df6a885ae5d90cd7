"""Reads thousands of damaged files of every kind, as the app does, and counts what goes wrong.

python tools/mutate.py [--count 20000] [--seconds 3600] [--seed 0] [--here]

Whole files of all formats are damaged by a fixed seed: bytes changed, cut out, put in, repeated,
numbers made huge, two files spliced. Each is read through the reader's own process, or with --here
in this one, which is faster and finds the same mistakes of the readers, but no leftovers.
Prints one JSON object; the status is 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import laspy
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddeq.errors import UserError
from ddeq.evaluation.painted import encode, in_grey, written
from ddeq.input.clouds import read_file
from ddeq.input.formats import parse
from ddeq.input.formats.writers import WRITERS, write_cloud
from ddeq.input.gallery import load_gallery
from ddeq.input.pictures import SUFFIXES as PICTURES
from ddeq.input.pictures import clouds_of, parse_picture, read_things

SLOW = 10.0  # seconds that nobody should wait for one file

CUBE = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = [t for a, b, c, d in FACES for t in ((a, b, c), (a, c, d))]


# Whole files


def whole_files() -> dict[str, bytes]:
    """One file or more of each kind that is read, by name."""
    points = np.random.default_rng(0).normal(size=(60, 3)).round(4)
    files = {f"written{s}": write_cloud(points, np.ones(60, bool), f"a{s}") for s in WRITERS}
    rows = "\n".join(" ".join(map(str, row)) for row in points.tolist())
    files |= {f"rows{s}": rows.encode() for s in (".xyz", ".pts", ".asc", ".txt")}
    files["named.csv"] = b"x,y,z\n" + rows.replace(" ", ",").encode()
    files["text.ply"] = _ply("ascii", rows.encode())
    files["faces.ply"] = _ply_mesh()
    files["big.ply"] = _ply("binary_big_endian", points.astype(">f4").tobytes())
    files["text.pcd"] = _pcd("ascii", rows.encode())
    files["binary.pcd"] = _pcd("binary", points.astype("<f4").tobytes())
    files |= {"a.npy": _saved(np.save, points), "b.npz": _saved(np.savez_compressed, x=points)}
    files["scan.bin"] = np.pad(points, ((0, 0), (0, 1))).astype("<f4").tobytes()
    files |= {f"scan{suffix}": _las(points, suffix) for suffix in (".las", ".laz")}
    return files | _meshes() | _pictures()


def _saved(save: Callable[..., None], *arrays: np.ndarray, **named: np.ndarray) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def _ply(form: str, body: bytes) -> bytes:
    head = f"ply\nformat {form} 1.0\nelement vertex 60\n"
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    return (head + axes + "end_header\n").encode() + body


def _ply_mesh() -> bytes:
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 8\n"
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    faces = f"element face {len(FACES)}\nproperty list uchar int vertex_indices\nend_header\n"
    body = np.array(CUBE, "<f4").tobytes()
    return (
        (head + axes + faces).encode()
        + body
        + b"".join(b"\4" + np.array(face, "<i4").tobytes() for face in FACES)
    )


def _pcd(form: str, body: bytes) -> bytes:
    head = "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n"
    return f"{head}WIDTH 60\nHEIGHT 1\nPOINTS 60\nDATA {form}\n".encode() + body


def _las(points: np.ndarray, suffix: str) -> bytes:
    scan = laspy.create(point_format=0)
    scan.x, scan.y, scan.z = points.T
    file = io.BytesIO()
    scan.write(file, do_compress=suffix == ".laz")
    return file.getvalue()


def _meshes() -> dict[str, bytes]:
    places = "\n".join(" ".join(map(str, p)) for p in CUBE)
    obj = "\n".join([f"v {x} {y} {z}" for x, y, z in CUBE])
    obj += "".join("\nf " + " ".join(str(corner + 1) for corner in face) for face in FACES)
    off = f"OFF\n8 {len(FACES)} 0\n{places}\n"
    off += "\n".join("4 " + " ".join(map(str, face)) for face in FACES)
    corners = np.array(CUBE, "<f4")[np.array(TRIANGLES)]  # (12, 3, 3)
    facets = np.zeros(len(TRIANGLES), [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    facets["v"] = corners
    stl = bytes(80) + np.uint32(len(TRIANGLES)).tobytes() + facets.tobytes()
    words = ["solid cube"]
    for corner in corners.tolist():
        words += ["facet normal 0 0 0", "outer loop"]
        words += [f"vertex {x} {y} {z}" for x, y, z in corner]
        words += ["endloop", "endfacet"]
    text = "\n".join([*words, "endsolid cube"]).encode()
    meshes = {"a.obj": obj.encode(), "a.off": off.encode(), "a.stl": stl, "text.stl": text}
    return meshes | {"a.glb": _glb(), "a.gltf": _gltf()}


def _tree() -> tuple[dict, bytes]:
    """What glTF's JSON says of a cube, and its buffer."""
    places = np.array(CUBE, "<f4").tobytes()
    corners = np.array(TRIANGLES, "<u2").tobytes()
    views = [
        {"buffer": 0, "byteOffset": 0, "byteLength": len(places)},
        {"buffer": 0, "byteOffset": len(places), "byteLength": len(corners)},
    ]
    kinds = [
        {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3"},
        {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
    ]
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [1, 2, 3]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": kinds,
        "bufferViews": views,
        "buffers": [{"byteLength": len(places) + len(corners)}],
    }
    return tree, places + corners


def _glb() -> bytes:
    tree, buffer = _tree()
    words = json.dumps(tree).encode()
    words += b" " * (-len(words) % 4)
    chunks = np.uint32(len(words)).tobytes() + b"JSON" + words
    chunks += np.uint32(len(buffer)).tobytes() + b"BIN\0" + buffer
    return b"glTF" + np.uint32([2, 12 + len(chunks)]).tobytes() + chunks


def _gltf() -> bytes:
    import base64

    tree, buffer = _tree()
    coded = base64.b64encode(buffer).decode()
    tree["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{coded}"
    return json.dumps(tree).encode()


def _pictures() -> dict[str, bytes]:
    """A digit in every format, small: most of the time is spent on what a picture shows."""
    digit = in_grey(written(load_gallery().images[0], 56, (56, 56)))
    kinds = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}
    return {f"digit{suffix}": encode(digit, kind) for suffix, kind in kinds.items()} | {
        "digit.gif": encode(digit, "GIF")
    }


# Damage


def damaged(files: dict[str, bytes], rng: np.random.Generator) -> tuple[str, bytes]:
    """One of the files, damaged once to four times."""
    names = list(files)
    name = names[rng.integers(len(names))]
    data = files[name]
    other = files[names[rng.integers(len(names))]]
    for _ in range(rng.integers(1, 5)):
        data = DAMAGES[rng.integers(len(DAMAGES))](data, other, rng)
    return name, data


def _place(data: bytes, rng: np.random.Generator) -> int:
    """Anywhere, half of the time in the first bytes, where headers are."""
    most = len(data) if rng.random() < 0.5 else min(len(data), 300)
    return int(rng.integers(most + 1))


def _changed(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    found = bytearray(data)
    for _ in range(rng.integers(1, 9)):
        if found:
            found[min(_place(data, rng), len(found) - 1)] = rng.integers(256)
    return bytes(found)


def _cut(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.integers(1, 40)) :]


def _shortened(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)]


def _stuffed(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.bytes(int(rng.integers(1, 40))) + data[at:]


def _repeated(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    piece = data[at : at + int(rng.integers(1, 200))]
    return data[:at] + piece * int(rng.integers(2, 50)) + data[at:]


def _spliced(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return data[: _place(data, rng)] + other[_place(other, rng) :]


def _renumbered(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One of the numbers in words is another one."""
    found = [*re.finditer(rb"\d+", data[:4000])]
    if not found:
        return _changed(data, other, rng)
    number = found[rng.integers(len(found))]
    new = (b"0", b"-1", b"1e999", b"nan", b"99999999999", b"4294967295", b"1.5", b"", b"9" * 400)
    return data[: number.start()] + new[rng.integers(len(new))] + data[number.end() :]


def _overwritten(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Four bytes are the greatest or the least number there is."""
    at = _place(data, rng)
    word = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\0\0\xc0\x7f")
    return data[:at] + word[rng.integers(len(word))] + data[at + 4 :]


DAMAGES = (_changed, _cut, _shortened, _stuffed, _repeated, _spliced, _renumbered, _overwritten)


# Reading


def what_comes_of(name: str, data: bytes, here: bool) -> str:
    """ "read" or "refused", or what went wrong."""
    began = time.monotonic()
    try:
        if Path(name).suffix not in PICTURES:
            read_file(data, name, 100)
        elif here:
            clouds_of(parse_picture(data, "", name), name)
        else:
            read_things(data, name)
        found = "read"
    except UserError as error:
        found = "refused"
        if "broke off" in str(error):  # the reader's process has died
            found = "traceback: in the child"
        elif "\n" in str(error) or not str(error).endswith("."):
            found = f"no sentence: {error}"
    except Exception as error:
        found = f"traceback: {type(error).__name__}: {str(error)[:80]}"
    return "slow" if time.monotonic() - began > SLOW else found


def leftovers(before: set[int], folder: Path) -> dict[str, int]:
    """Children that run on and did not before, and files in the temporary folder of this run."""
    return {"children": len(_children() - before), "files": len([*folder.iterdir()])}


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="files; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--here", action="store_true", help="in this process")
    parser.add_argument("--keep", type=Path, help="folder to keep files in that went wrong")
    options = parser.parse_args()
    files, before, began = whole_files(), _children(), time.monotonic()
    found, kinds = Counter[str](), Counter[str]()
    apart = patch("ddeq.input.clouds.parse_apart", parse) if options.here else nullcontext()
    with apart, tempfile.TemporaryDirectory() as own, patch("tempfile.tempdir", own):
        for number in range(options.first, options.first + options.count):
            if time.monotonic() - began > options.seconds:
                break
            name, data = damaged(files, np.random.default_rng((options.seed, number)))
            what = what_comes_of(name, data, options.here)
            found[what] += 1
            kinds[Path(name).suffix] += 1
            if what not in ("read", "refused") and options.keep is not None:
                (options.keep / f"{number}-{name}").write_bytes(data)
        left = leftovers(before, Path(own))
    print(json.dumps({"files": sum(found.values()), "kinds": kinds, "found": found, "left": left}))
    return int(bool({*found} - {"read", "refused"}) or any(left.values()))


if __name__ == "__main__":
    sys.exit(main())
