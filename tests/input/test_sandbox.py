"""Whatever a reader does, the app stays, and a person reads one sentence."""

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ddeq.bench.reading import bench, write_ply
from ddeq.errors import UserError
from ddeq.input import clouds
from ddeq.input.clouds import read_cloud, read_file
from ddeq.input.formats import parse, sandbox
from ddeq.input.formats.sandbox import Limits, parse_apart
from tests import readers
from tests.input.test_mesh import glb, las, obj
from tests.sentences import assert_one_sentence

TIGHT = Limits(memory=1_000_000_000, written=100_000)


@pytest.mark.parametrize(
    ("reader", "part"),
    [
        (readers.crash, "broke off"),
        (readers.leave, "broke off"),
        (readers.fail, "broke off"),
        (readers.pickle_something, "broke off"),
        (readers.write_much, "broke off"),
        (readers.eat_memory, "memory"),
    ],
)
def test_a_reader_that_misbehaves_gives_one_sentence(reader, part, capfd):
    with pytest.raises(UserError, match=part) as error:
        parse_apart(b"0 0", ".csv", "a.csv", TIGHT, reader)
    assert_one_sentence(error)
    assert capfd.readouterr() == ("", "")


def test_a_reader_that_hangs_is_ended():
    with pytest.raises(UserError, match=r"longer than 0\.3 seconds") as error:
        parse_apart(b"0 0", ".csv", "a.csv", Limits(seconds=0.3), readers.hang)
    assert_one_sentence(error)


def test_a_reader_that_works_without_end_is_ended():
    with pytest.raises(UserError, match="longer than 1 seconds") as error:
        parse_apart(b"0 0", ".csv", "a.csv", Limits(processor=1), readers.work)
    assert_one_sentence(error)


def test_a_full_disk_gives_one_sentence(monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left") as error:
        parse_apart(b"0 0", ".csv", "a.csv")
    assert_one_sentence(error)


def test_few_files_are_read_at_once(monkeypatch):
    """Each reader may take gigabytes: the third visitor waits."""
    reading, most = [], []

    def run(job, limits):
        reading.append(job)
        most.append(len(reading))
        released.wait(10)
        reading.remove(job)

    released = threading.Event()
    monkeypatch.setattr(sandbox, "_run", run)
    monkeypatch.setattr(sandbox, "_receive", lambda folder, name: None)
    with ThreadPoolExecutor(5) as pool:
        for _ in range(5):
            pool.submit(parse_apart, b"0 0", ".csv", "a.csv")
        while len(reading) < 2:
            pass
        released.set()
    assert len(most) == 5 and max(most) == 2


def test_what_a_reader_prints_is_not_its_answer(capfd):
    geometry = parse_apart(b"0 0", ".csv", "a.csv", TIGHT, readers.talk)
    np.testing.assert_array_equal(geometry.points, np.eye(3))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("suffix", "content"),
    [(".obj", obj()), (".glb", glb()), (".laz", las(packed=True)[0])],
    ids=[".obj", ".glb", ".laz"],
)
def test_the_other_process_reads_what_this_one_would(suffix, content, tmp_path):
    here = parse(content, suffix, "a")
    path = tmp_path / "a"
    path.write_bytes(content)
    for data in (content, path):
        apart = parse_apart(data, suffix, "a")
        np.testing.assert_array_equal(apart.points, here.points)
        assert (apart.triangles is None) == (here.triangles is None)
        if here.triangles is not None:
            np.testing.assert_array_equal(apart.triangles, here.triangles)
        assert vars(apart) | {"points": 0, "triangles": 0} == vars(here) | {
            "points": 0,
            "triangles": 0,
        }


def test_the_sentence_of_a_parser_comes_back():
    name = "a b\udc80'\".obj"  # names are any text
    with pytest.raises(UserError, match="without faces"):
        parse_apart(obj(faces=[[0, 1]]), ".obj", name)


def test_only_small_plain_files_are_read_in_this_process(monkeypatch, tmp_path):
    apart = []
    monkeypatch.setattr(clouds, "parse_apart", lambda *args: apart.append(args[1]) or parse(*args))
    large = b"0 0\n1 0\n0 1\n" + b"# nothing\n" * 100_000
    for name, content in [
        ("a.csv", b"0,0\n1,0\n0,1\n"),
        ("a.xyz", b"0 0 0\n1 0 0\n0 1 0\n"),
    ]:
        read_cloud(content, name)
    assert apart == []
    read_cloud(large, "large.txt")
    read_file(obj(), "a.obj")
    assert apart == [".txt", ".obj"]


def test_the_child_imports_nothing_heavy():
    program = "import ddeq.input.formats.sandbox, sys\nassert not set({heavy}) & set(sys.modules)"
    heavy = ["torch", "streamlit", "open3d", "trimesh", "laspy", "scipy", "PIL"]
    subprocess.run(
        [sys.executable, "-c", program.format(heavy=heavy)],
        check=True,
        cwd=Path(__file__).parents[2],
    )


def test_the_measured_file_is_as_large_as_it_says_and_is_read(tmp_path):
    path = tmp_path / "a.ply"
    count = write_ply(path, 100_000)
    assert abs(path.stat().st_size - 100_000) < 1_000
    reading = read_file(path, path.name)
    assert reading.points == count and reading.has_colours and reading.has_normals


def test_the_bench_reports_both_ways(tmp_path):
    report = bench(size=100_000, repeats=1)
    assert report["ratio"] == pytest.approx(report["seconds"] / report["seconds_open3d"])
    assert report["bytes"] == pytest.approx(100_000, rel=0.01)
