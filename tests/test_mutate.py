"""The tool that reads damaged files: its files are whole before, and it notices what goes wrong."""

import json
import sys
import tempfile

import numpy as np
import pytest

from ddeq.input.formats import SUFFIXES
from ddeq.input.pictures import SUFFIXES as PICTURES
from tools import mutate

FILES = mutate.whole_files()


def test_there_is_a_file_of_every_kind():
    twice = {".jpeg", ".tiff"}  # other endings of kinds that are there
    assert {f".{name.rpartition('.')[2]}" for name in FILES} == {*SUFFIXES, *PICTURES} - twice


@pytest.mark.parametrize("name", FILES)
def test_they_are_read_as_long_as_they_are_whole(name, monkeypatch):
    monkeypatch.setattr("ddeq.input.clouds.parse_apart", mutate.parse)
    assert mutate.what_comes_of(name, FILES[name], here=True) == "read"


def test_the_same_seed_damages_the_same_files():
    draws = [[mutate.damaged(FILES, np.random.default_rng((0, k))) for k in range(50)]] * 2
    assert draws[0] == draws[1]
    assert sum(data != FILES[name] for name, data in draws[0]) > 45
    assert len({name for name, _ in draws[0]}) > 15


def run(capsys, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["mutate.py", *options])
    status = mutate.main()
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("here", [["--here", "--count", "60"], ["--count", "4"]])
def test_nothing_goes_wrong_with_a_few(capsys, monkeypatch, here):
    status, found = run(capsys, monkeypatch, *here)
    assert status == 0 and {*found["found"]} <= {"read", "refused"}
    assert found["files"] == int(here[-1]) and found["left"] == {"children": 0, "files": 0}


def test_a_mistake_is_noticed_and_its_file_kept(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(mutate, "read_file", lambda *a: [][0])
    status, found = run(capsys, monkeypatch, "--here", "--count", "12", "--keep", str(tmp_path))
    wrong = found["found"]["traceback: IndexError: list index out of range"]
    assert status == 1 and wrong == len([*tmp_path.iterdir()]) > 0


def test_what_is_left_behind_is_counted(capsys, monkeypatch):
    monkeypatch.setattr(mutate, "read_file", lambda *a: tempfile.mkstemp())
    status, found = run(capsys, monkeypatch, "--here", "--count", "12")
    assert status == 1 and found["left"]["files"] == found["found"]["read"] > 0
