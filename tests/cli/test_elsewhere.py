"""Commands that have an engine elsewhere solve: the same results, and sentences where it fails."""

import json
import socket

import numpy as np
import pytest

from ddeq.cli import main
from ddeq.input.gallery import load_gallery
from ddeq.model.checkpoints import load, save
from tests.elsewhere import engine


@pytest.fixture
def digit(tmp_path):
    """A cloud of a two."""
    np.savetxt(tmp_path / "two.csv", load_gallery().cloud(60).points, delimiter=",")
    return tmp_path / "two.csv"


def result(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    return {**said, "seconds": 0, "device": ""}


@pytest.mark.parametrize("said", [(), ("--solver", "euler", "--steps", "9", "--seed", "3")])
def test_a_class_is_the_same_wherever_it_is_found(capsys, monkeypatch, digit, said):
    here = result(capsys, "classify", digit, *said)
    with engine() as (state, address):
        monkeypatch.setenv("DDEQ_ENGINE", address)
        assert result(capsys, "classify", digit, *said) == here
        assert len(state.jobs) == 1


def test_a_completion_is_the_same_wherever_it_is_found(capsys, monkeypatch, digit, tmp_path):
    x, y = load_gallery().cloud(60).points[0]
    hole = f"--hole={x},{y},{np.ptp(load_gallery().cloud(60).points) / 4}"
    said = ("complete", digit, hole, "--free", "15", "--steps", "5", "--out")
    here = result(capsys, *said, tmp_path / "here.npy")
    with engine(cuts=[30_000]) as (state, address):
        monkeypatch.setenv("DDEQ_ENGINE", address)
        assert result(capsys, *said, tmp_path / "there.npy") == here
        assert state.jobs
    assert (tmp_path / "here.npy").read_bytes() == (tmp_path / "there.npy").read_bytes()


def test_an_engine_that_is_not_there_is_one_sentence(capsys, monkeypatch, digit):
    monkeypatch.setattr("ddeq.engine.remote.PAUSE", 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("DDEQ_ENGINE", f"http://127.0.0.1:{port}")
    assert main(["classify", str(digit)]) == 2
    out, said = capsys.readouterr()
    assert not out and "unset DDEQ_ENGINE" in said and said.count("\n") == 1


def test_weights_of_ones_own_stay_on_this_machine(capsys, monkeypatch, digit, tiny, tmp_path):
    card = load("digits").card
    save(tiny.model, tiny.card | {"settings": card["settings"]}, tmp_path / "own.safetensors")
    monkeypatch.setenv("DDEQ_ENGINE", "http://127.0.0.1:9")
    assert main(["classify", str(digit), "--model", str(tmp_path / "own.safetensors")]) == 2
    assert "own.safetensors is on this machine alone" in capsys.readouterr().err


def test_without_ray_serve_says_what_brings_it(capsys, monkeypatch):
    monkeypatch.setattr("ddeq.cli.serve.find_spec", lambda name: None)
    assert main(["serve"]) == 2
    assert "pip install 'ddeq[serve]' brings it" in capsys.readouterr().err
