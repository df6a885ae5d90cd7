"""A run that streams: whatever interrupts it, its pieces are the whole run and how it ended."""

import contextlib
import dataclasses
import threading

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddeq.engine.work import advance
from ddeq.input.answers import Answer
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import RunSettings
from ddeq.run.trajectory import of_classifier
from ddeq.view.live import LiveRun
from ddeq.view.player import decode

STEPS = 6
SETTINGS = {"solver": "euler", "kernel": "riesz", "steps": STEPS, "tolerance": 0, "particles": 4}
POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)


class Interrupted(Exception):
    """Ends a script run, as Streamlit does, from within what it shows."""


@pytest.fixture
def live(tiny, monkeypatch):
    """Starts a run that sends every frame in a chunk of its own."""
    monkeypatch.setattr(LiveRun, "SECONDS_A_ROUND", 0)

    def make(run=ClassifierRun, **changes: object) -> LiveRun:
        chosen = RunSettings.from_dict({**SETTINGS, **changes})
        solve = run(tiny, POINTS, chosen)
        return LiveRun(solve, of_classifier(solve, "seven", POINTS, Answer("a", ("a",))))

    return make


def interrupt():
    raise Interrupted


def shown(live: LiveRun):
    """The whole run as the player reads it, which must be what was recorded."""
    read = decode(b"".join(live.pieces))
    assert live.done
    assert read.steps.tolist() == [frame.step for frame in live.frames]
    assert read.steps.tolist() == list(range(len(live.frames)))
    return read


@pytest.mark.parametrize("tokens", [False, True])
def test_it_tells_what_its_particles_look_at(live, tiny, monkeypatch, tokens):
    """The softmax that docs/player-format.md states, of what is read, is the operator's."""
    run = live()
    if tokens:  # as of an operator that sees the same points as tokens
        shares = np.random.default_rng(1).dirichlet(np.ones(20), 20)
        told = ClassifierRun.looking
        given = torch.from_numpy(shares.astype(np.float32))[None]
        monkeypatch.setattr(
            ClassifierRun, "looking", lambda self: dataclasses.replace(told(self), shares=given)
        )
        run = live()
    advance([run], lambda: None)
    read = shown(run)
    powers = np.exp(np.einsum("thnw,hcw->thnc", read.queries, read.looked.keys))
    paid = powers / powers.sum(-1, keepdims=True)
    paid = paid if read.looked.shares is None else paid @ read.looked.shares
    z = torch.from_numpy(np.stack([frame.particles for frame in run.frames]))
    np.testing.assert_allclose(paid, run.run.looking().at(z), atol=2e-3)
    np.testing.assert_allclose(paid.sum(-1), 1, rtol=1e-5)


def test_of_very_many_particles_it_does_not_tell_what_they_look_at(live):
    run = live(particles=101, steps=1)
    advance([run], lambda: None)
    assert shown(run).looked is None


def test_left_alone_it_shows_every_step_and_why_it_ended(live):
    run, seen = live(), []
    advance([run], lambda: seen.append(len(decode(b"".join(run.pieces)).steps)))
    assert seen[:3] == [1, 2, 3] and seen == sorted(seen)
    assert len(shown(run).steps) == STEPS + 1
    assert shown(run).status.startswith("It met the step limit")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 3), max_size=STEPS))
def test_interrupted_anywhere_it_goes_on_where_it_was_left(live, chunks):
    run, whole = live(), live()
    advance([whole], lambda: None)
    for chunk in chunks:  # each script run shows so many, and is ended by the next
        left = iter(range(chunk - 1))
        with contextlib.suppress(Interrupted):
            advance([run], lambda left=left: interrupt() if next(left, None) is None else None)
    advance([run], lambda: None)
    np.testing.assert_array_equal(shown(run).particles, shown(whole).particles)
    assert shown(run).status == shown(whole).status


@pytest.mark.parametrize("chunks", range(STEPS))
def test_stopped_between_two_script_runs_it_ends_there(live, chunks):
    run = live()
    left = iter(range(chunks))
    if chunks:
        with pytest.raises(Interrupted):
            advance([run], lambda: interrupt() if next(left) == chunks - 1 else None)
    run.stop()
    advance([run], lambda: None)
    assert len(shown(run).steps) == max(1, chunks)
    assert shown(run).status.startswith("You stopped it")


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_stopped_in_the_midst_of_a_step_it_ends_with_that_step(live, step):
    class PressedDuring(ClassifierRun):
        def __iter__(self):
            for frame in super().__iter__():
                if frame.step == step:
                    run.stop()
                yield frame

    run = live(PressedDuring)
    advance([run], lambda: None)
    assert len(shown(run).steps) == step + 1
    assert shown(run).status.startswith("You stopped it" if step < STEPS else "It met the")


def test_two_script_runs_at_work_on_one_run_do_not_mix_its_pieces(live):
    run, failed = live(steps=200, solver="picard"), []

    def script():
        try:
            advance([run], lambda: None)
        except Exception as error:
            failed.append(error)

    scripts = [threading.Thread(target=script) for _ in range(3)]
    for thread in scripts:
        thread.start()
    for thread in scripts:
        thread.join()
    assert not failed
    assert len(shown(run).steps) == 201
