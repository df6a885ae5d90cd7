"""The engine in this process: a job is the run itself, in chunks, in turns, and can be left."""

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest

from ddeq.engine import Request, submit
from ddeq.engine.local import LocalJob, streamed
from ddeq.engine.turns import Ticket, Turns
from ddeq.errors import UserError
from ddeq.input.gallery import load_gallery
from ddeq.input.hollow import hollow
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import load
from ddeq.run.classification import ClassifierRun
from ddeq.run.completion import CompleterRun
from ddeq.run.format import decode
from ddeq.run.settings import with_defaults

DIGIT = load_gallery().cloud(60)
SETTINGS = {"solver": "euler", "steps": 12, "tolerance": 0}
REQUEST = Request.of("digits", DIGIT.points, SETTINGS)


@pytest.fixture
def every_step(monkeypatch):
    """Every step comes in a chunk of its own."""
    monkeypatch.setattr("ddeq.engine.stream.StreamedRun.SECONDS_A_ROUND", 0)


def test_a_job_comes_to_what_the_run_alone_comes_to():
    job = submit(REQUEST)
    told = decode(b"".join(job))
    checkpoint = load("digits")
    points = prepare(DIGIT, checkpoint.card)
    run = ClassifierRun(checkpoint, points, with_defaults(checkpoint.card, SETTINGS))
    frames = list(run)
    assert told.steps.tolist() == [frame.step for frame in frames]
    assert np.array_equal(told.bars, np.stack([frame.probabilities for frame in frames]))
    assert np.array_equal(told.input, points) and told.status
    alone = run.outcome.to_dict()
    assert {**job.outcome, "seconds": 0, "device": ""} == {**alone, "seconds": 0, "device": ""}


def test_a_completion_is_asked_for_by_what_is_cut_away():
    keep = DIGIT.points[:, 0] > np.quantile(DIGIT.points[:, 0], 0.3)
    said = {"steps": 5, "tolerance": 0}
    job = submit(
        Request.of("completion-digits", DIGIT.points, said, np.flatnonzero(~keep), free=20)
    )
    told = decode(b"".join(job))
    checkpoint = load("completion-digits")
    settings = with_defaults(checkpoint.card, said)
    run = CompleterRun(checkpoint, hollow(DIGIT, keep), settings, free=20)
    run.finish()
    assert np.array_equal(job.outcome["filled"], run.in_own_units(run.last.points))
    assert told.kept.sum() == keep.sum() and len(told.truth) == (~keep).sum()
    assert job.outcome["emd"] == run.outcome.emd


@pytest.mark.parametrize("after", [0, 1, 5, 12])
def test_a_job_goes_on_where_another_was_left(every_step, after):
    """The same solve anew: what is there already is not sent again, what comes is the same."""
    [*whole] = (chunk for chunk in submit(REQUEST) if chunk)
    header, first = whole[0][: -len(_chunk(0))], _chunk(0)
    assert whole[0] == header + first
    pieces = [header, first, *whole[1:]]
    rest = b"".join(submit(replace(REQUEST, after=after)))
    had = 0 if after == 0 else 1 + after
    assert b"".join(pieces[:had]) + rest == b"".join(pieces)


def _chunk(frame: int) -> bytes:
    """The piece of one frame of the request's run."""
    live = streamed(REQUEST)
    while len(live.pieces) < frame + 2:
        live.round()
    return live.pieces[frame + 1]


def test_who_waits_is_told_the_place_and_then_served():
    turns = Turns(1)
    job = LocalJob(REQUEST, turns=turns)
    with turns.turn(Ticket(later=False)):
        assert next(job) == b"" and job.place == 1
    chunks = [*job]
    assert job.place is None and len(decode(b"".join(chunks)).steps) == 13


def test_a_cancelled_job_ends_with_what_it_has(every_step):
    job = submit(REQUEST)
    chunks = [*itertools.islice(job, 4)]
    job.cancel()
    chunks += [*job]
    assert len(decode(b"".join(chunks)).steps) < 13
    assert job.outcome["stopped"] == "cancelled"


def test_a_job_cancelled_before_it_begins_does_nothing():
    job = submit(REQUEST)
    job.cancel()
    assert [*job] == [] and job.outcome is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "nonsense"}, "no model 'nonsense'"),
        ({"model": "completion-digits-pcn"}, "is a pcn"),
        ({"cut": (1, 2)}, "completes nothing"),
        ({"settings": {"solver": "magic"}}, "no solver 'magic'"),
        ({"points": ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))}, "cloud"),
    ],
)
def test_what_cannot_be_solved_is_said_in_a_sentence(changes, said):
    with pytest.raises(UserError, match=said):
        list(submit(replace(REQUEST, **changes)))


def test_too_much_work_is_refused_and_what_is_advised_is_taken():
    many = Request.of("digits", np.random.default_rng(0).normal(size=(400, 2)))
    runaway = replace(many, settings={"particles": 1000, "steps": 5000})
    with pytest.raises(UserError, match="at most 2,500 steps"):
        list(submit(runaway))
    streamed(replace(many, settings={"particles": 1000, "steps": 2500}))


def test_a_solve_is_one_line_in_the_log(caplog):
    caplog.set_level(logging.INFO, "ddeq.solves")
    list(submit(REQUEST))
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("solve model=digits size=10x128 steps=12 ms=")
    assert line.endswith(" outcome=step-limit")
