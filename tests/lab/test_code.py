"""Runs of the app as Python and as commands: either way leads to the same equilibrium."""

import io
import json
import shlex
from contextlib import redirect_stdout

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from ddeq.cli import main
from ddeq.input.clouds import PointCloud, read_file
from ddeq.input.families import DIGITS, OBJECTS
from ddeq.input.hollow import hollow, without_truth
from ddeq.input.partial import outside_sphere
from ddeq.input.prepare import prepare
from ddeq.lab import command, snippet
from ddeq.lab.samples import samples
from ddeq.model.checkpoints import load
from ddeq.run.classification import ClassifierRun
from ddeq.run.completion import CompleterRun
from ddeq.run.settings import Limits, beyond_defaults, with_defaults
from ddeq.settings import settings_of
from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS

SAID = {"solver": "euler", "step_size": 0.7, "steps": 4, "tolerance": 0.0, "seed": 3}
FAMILIES = pytest.mark.parametrize("family", [DIGITS, OBJECTS], ids=lambda family: family.noun)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Both are run in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(python: str) -> list[list[str]]:
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(python, "snippet", "exec"), {})
    return [line.split() for line in out.getvalue().splitlines()]


def told(words: str) -> dict:
    program, *arguments = shlex.split(words)
    assert program == "ddeq"
    out = io.StringIO()
    with redirect_stdout(out):
        assert main([*arguments, "--json"]) == 0
    return json.loads(out.getvalue())


def of_nobody(family) -> PointCloud:
    """A cloud that is not in the gallery."""
    return PointCloud(1.5 * samples(family).clouds[0].points, "mine 'twice'.xyz")


@FAMILIES
@pytest.mark.parametrize("of_gallery", [True, False], ids=["gallery", "upload"])
def test_a_classification(family, of_gallery, folder):
    cloud = samples(family).clouds[0] if of_gallery else of_nobody(family)
    card = (checkpoint := load(family.classifier)).card
    points, settings = prepare(cloud, card), with_defaults(card, SAID)
    run = ClassifierRun(checkpoint, points, settings)
    frames = list(run)
    python = snippet.classification(family, cloud, settings)
    assert (snippet.INPUT_FILE in python) is not of_gallery
    (folder / snippet.INPUT_FILE).write_bytes(snippet.input_npz(cloud, points))
    *lines, last = printed(python)
    assert [float(line[1]) for line in lines] == [frame.relative_objective for frame in frames]
    assert last[0] == run.outcome.label
    said = told(command.classification(family, card, settings))
    expected = run.outcome.to_dict()
    assert said["label"] == expected["label"] and said["steps"] == 4
    assert said["probabilities"] == pytest.approx(expected["probabilities"], rel=1e-5)


@FAMILIES
@pytest.mark.parametrize("whole", [True, False], ids=["cut here", "partial already"])
def test_a_completion(family, whole, folder):
    cloud = samples(family).clouds[0]
    cut = hollow(
        cloud, outside_sphere(cloud.points, cloud.points[0], 0.3 * np.ptp(cloud.points[:, 0]))
    )
    if not whole:
        cut = without_truth(PointCloud(cut.known, cut.name))
    card = (checkpoint := load(family.completer)).card
    settings = with_defaults(card, SAID)
    run = CompleterRun(checkpoint, cut, settings, free=20)
    frames = list(run)
    (folder / snippet.PARTIAL_FILE).write_bytes(snippet.partial_npz(cut))
    *lines, last = printed(snippet.completion(family, cut, settings, 20))
    assert [float(line[1]) for line in lines] == [frame.relative_objective for frame in frames]
    assert "".join(last[:2]) == str(run.completed.shape).replace(" ", "")
    assert told(command.completion(family, card, settings, 20))["steps"] == 4
    written = read_file(folder / command.COMPLETED_FILE, command.COMPLETED_FILE).cloud.points
    dim = run.completed.shape[1]
    np.testing.assert_allclose(written[:, :dim], run.completed, rtol=1e-4, atol=1e-4)


@some.composite
def said(draw) -> dict:
    solver, kernel = draw(some.sampled_from(list(SOLVERS))), draw(some.sampled_from(list(KERNELS)))
    fields = [f for kind in (SOLVERS[solver], KERNELS[kernel], Limits) for f in settings_of(kind)]
    chosen = draw(some.lists(some.sampled_from(fields), unique_by=lambda field: field.name))
    values = {f.name: draw(some.sampled_from([f.low, f.high])) for f in chosen}
    return {"solver": solver, "kernel": kernel, **values}


@given(said())
def test_what_is_beyond_the_defaults_says_all_and_no_more(said):
    card = load(DIGITS.classifier).card
    settings = with_defaults(card, said)
    needed = beyond_defaults(card, settings)
    assert with_defaults(card, needed) == settings
    assert not beyond_defaults(card, with_defaults(card, {}))
    assert set(needed) <= set(said)
    for name in needed.keys() - {"solver", "kernel"}:
        assert with_defaults(card, {k: v for k, v in needed.items() if k != name}) != settings
