"""Commands write what they found, with where it comes from, where they are asked to."""

import json
import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from ddeq.cli import bench, main, recording
from ddeq.cli.parser import Parser
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import add_run
from ddeq.errors import UserError
from ddeq.shipped import ASSETS


@pytest.fixture
def model(tmp_path) -> Path:
    for suffix in (".safetensors", ".json"):
        shutil.copy(ASSETS / f"digits{suffix}", tmp_path / f"mine{suffix}")
    return tmp_path / "mine.safetensors"


def ran(model: Path, *arguments: str) -> dict:
    """A command of the usual form, told to write its result."""
    parser = Parser()
    add_card(parser)
    add_record(parser)
    add_run(parser)
    typed = [*arguments, "--model", str(model)]
    parser.set_defaults(split="test", folder="MNIST_FOLDER", typed=["evaluate", *typed])
    return recorded(lambda options: {"accuracy": 1 / 3})(parser.parse_args(typed))


def card_of(model: Path) -> dict:
    return json.loads(model.with_suffix(".json").read_text())


@pytest.mark.parametrize(("asked", "name"), [(["--card"], "test"), (["--card", "mine"], "mine")])
def test_a_result_goes_into_the_card_under_the_split_or_a_name(model, asked, name):
    before = card_of(model)
    assert ran(model, *asked) == {"accuracy": 1 / 3}  # what is printed is not rounded
    after = card_of(model)
    found = after["results"].pop(name)
    before["results"].pop(name, None)
    assert after == before
    origin = found.pop("provenance")
    assert found == {"accuracy": 0.333333}
    assert origin["command"] == f"ddeq evaluate {' '.join(asked)} --model MODEL"
    assert origin["seed"] == 0 and origin["versions"]["torch"]


def test_without_being_asked_nothing_is_written(model):
    before = sorted((file.name, file.read_bytes()) for file in model.parent.iterdir())
    ran(model)
    assert before == sorted((file.name, file.read_bytes()) for file in model.parent.iterdir())


def test_a_result_goes_into_a_file_with_the_seed_of_the_solve(model):
    file = model.parent / "found.json"
    ran(model, "--record", str(file), "--seed", "7")
    found = json.loads(file.read_text())
    assert found["accuracy"] == 0.333333 and found["provenance"]["seed"] == 7
    assert str(model.parent) not in file.read_text()


def test_a_folder_that_is_missing_is_told_before_the_work():
    def work(options: Namespace) -> dict:
        raise AssertionError

    options = Namespace(record=Path("nowhere/found.json"), typed=[])
    with pytest.raises(UserError, match="nowhere"):
        recorded(work)(options)


def test_seeds_of_trainings_are_told_where_runs_are_compared(tmp_path):
    file, typed = tmp_path / "found.json", ["evaluate", "--runs", "/tmp/x"]
    options = Namespace(runs=Path("/tmp/x"), seeds=[0, 2], typed=typed, record=file)
    recorded(lambda options: {})(options)
    origin = json.loads(file.read_text())["provenance"]
    assert origin["trainings"] == [0, 2] and "seed" not in origin
    assert origin["command"] == "ddeq evaluate --runs RUNS_FOLDER"


def test_the_commit_is_the_one_that_the_work_began_with(tmp_path, monkeypatch):
    """Whoever edits the code while it works changes nothing of what ran."""
    commits = iter(["first", "second"])
    monkeypatch.setattr(recording, "provenance", lambda command: {"commit": next(commits)})
    file = tmp_path / "found.json"
    options = Namespace(typed=["evaluate"], record=file)
    recorded(lambda options: {"next": recording.provenance("")["commit"]})(options)
    assert json.loads(file.read_text()) == {"provenance": {"commit": "first"}, "next": "second"}


def test_a_seed_that_is_none_is_a_sentence(capsys):
    where = ["--data", ".", "--record", "found.json"]
    assert main(["evaluate", "digits", *where, "--seed", "x"]) == 2
    assert "seed" in capsys.readouterr().err


def test_a_bench_is_recorded_with_its_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        bench, "bench", lambda names, *how: {"device": "cpu", names[0]: {"ms": 1.5}}
    )
    file = tmp_path / "bench.json"
    assert main(["bench", "digits", "--record", str(file), "--json"]) == 0
    found = json.loads(file.read_text())
    origin = found.pop("provenance")
    assert found == json.loads(capsys.readouterr().out) == {"device": "cpu", "digits": {"ms": 1.5}}
    assert origin["command"] == "ddeq bench digits --record RECORD --json"
    assert origin["machine"]["cores"] >= 1
