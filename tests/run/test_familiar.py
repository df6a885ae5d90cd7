"""What is usual for a model, and what is unlike it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.model.checkpoints import Checkpoint, load, save
from ddeq.run.classification import ClassifierRun
from ddeq.run.familiar import KNOWN_SHARE, PARTS, SCORES, Ends, familiar_of, learn_familiar
from ddeq.run.settings import RunSettings

POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
SETTINGS = RunSettings.from_dict({"solver": "picard", "kernel": "riesz", "steps": 6})


def ends(count: int = 2000, seed: int = 0, scale: float = 3.0) -> Ends:
    rng = np.random.default_rng(seed)
    return Ends(rng.normal(0, scale, (count, 4)), rng.random(count))


def test_doubt_and_energy_are_what_their_sources_say():
    logits = np.array([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    found = Ends(logits, np.zeros(2))
    probability = np.exp(2) / (np.exp(2) + 3)
    np.testing.assert_allclose(PARTS["confidence"](found), [-np.log(probability), np.log(4)])
    np.testing.assert_allclose(PARTS["energy"](found), [-np.log(np.exp(2) + 3), -np.log(4)])


@given(st.floats(-50, 50))
def test_confidence_does_not_see_what_energy_sees(more):
    """A number added to all class scores changes no probability."""
    some = ends(50)
    raised = Ends(some.logits + more, some.relative_objective)
    for name, change in (("confidence", 0), ("energy", -more)):
        np.testing.assert_allclose(PARTS[name](raised), PARTS[name](some) + change, atol=1e-9)


@pytest.mark.parametrize("score", SCORES)
def test_of_those_it_was_learned_from_nearly_all_are_known(score):
    """By every score the same share, whatever its distribution."""
    familiar, others = learn_familiar(score, ends()), ends(4000, seed=1)
    for some, allowed in ((ends(), 0.005), (others, 0.02)):
        unlike = familiar.unlike(some)
        assert ((unlike >= 0) & (unlike <= 1)).all()
        assert (unlike <= KNOWN_SHARE).mean() == pytest.approx(KNOWN_SHARE, abs=allowed)


@pytest.mark.parametrize("score", ["confidence", "energy", "confidence or energy"])
def test_where_no_class_is_likely_nothing_is_known(score):
    familiar = learn_familiar(score, ends())
    flat = Ends(np.full((1, 4), -9.0), np.zeros(1))
    sure = Ends(np.array([[12.0, 0, 0, 0]]), np.zeros(1))
    assert familiar.unlike(flat) > KNOWN_SHARE >= familiar.unlike(sure)
    broken = Ends(np.full((1, 4), np.nan), np.zeros(1))
    assert familiar.unlike(broken) == 1


@pytest.mark.parametrize("score", SCORES)
def test_what_is_usual_survives_the_way_through_a_card(score):
    familiar, others = learn_familiar(score, ends()), ends(100, seed=2)
    again = familiar_of(json.loads(json.dumps(familiar.to_dict())))
    np.testing.assert_array_equal(again.unlike(others), familiar.unlike(others))


def told(tiny: Checkpoint, **entry: object) -> Checkpoint:
    known = {"temperature": 1.0, **learn_familiar("energy", ends()).to_dict(), **entry}
    return Checkpoint(tiny.model, {**tiny.card, "known": known, "settings": SETTINGS.to_dict()})


def outcome(checkpoint: Checkpoint, **changes: object):
    settings = RunSettings.from_dict({**SETTINGS.to_dict(), **changes})
    run = ClassifierRun(checkpoint, POINTS, settings)
    list(run)
    return run.outcome


def test_an_outcome_tells_where_the_card_does(tiny):
    found, silent = outcome(told(tiny)), outcome(tiny)
    assert found.known == (found.unlike <= KNOWN_SHARE) and 0 <= found.unlike <= 1
    assert found.to_dict()["known"] is found.known
    assert silent.known is None and not {"known", "unlike"} & {*silent.to_dict()}


@pytest.mark.parametrize("level", [-100.0, 100.0])
def test_what_is_less_usual_than_all_is_not_known(tiny, level):
    entry = {"parts": {"energy": [level, level + 1]}, "together": [0.0, 1.0]}
    assert outcome(told(tiny, **entry)).known == (level > 0)


def test_a_temperature_in_the_card_changes_confidence_and_no_class(tiny, tmp_path):
    found = {}
    for temperature in (1.0, 0.1, 10.0):
        checkpoint = told(tiny, temperature=temperature)
        save(checkpoint.model, checkpoint.card, tmp_path / "a.safetensors")
        found[temperature] = outcome(load(tmp_path / "a.safetensors"))
    assert found[10.0].confidence < found[1.0].confidence < found[0.1].confidence
    assert len({end.label for end in found.values()}) == 1
    assert len({end.unlike for end in found.values()}) == 1


@pytest.mark.parametrize(
    ("changes", "tells"),
    [
        ({}, True),
        ({"seed": 7}, True),
        ({"steps": 2}, False),  # it has not arrived
        ({"steps": 2, "tolerance": 0.99}, True),  # it has
        ({"solver": "euler"}, False),
    ],
    ids=str,
)
def test_a_solve_that_went_nowhere_tells_nothing_of_its_input(tiny, changes, tells):
    assert (outcome(told(tiny), **changes).known is not None) == tells
