"""How the app says why a run ended."""

from dataclasses import dataclass

import pytest

from ddeq.input.answers import Answer, about_digit, right_names
from ddeq.run.classification import Outcome
from ddeq.solve.flow import Stopped
from ddeq.view.words import (
    Change,
    change_sentence,
    class_name,
    ending,
    outcome_sentence,
    with_article,
)


@dataclass(frozen=True)
class Ended:
    stopped: Stopped
    relative_objective: float = 0.0
    recorded_every: int | None = None


@pytest.mark.parametrize("reason", Stopped)
def test_every_reason_to_stop_has_a_sentence_and_its_advice(reason):
    said = ending(Ended(reason))
    assert said.endswith(reason.advice or ".") and "[[" not in said


def test_below_rounding_it_does_not_claim_to_have_converged():
    said = ending(Ended(Stopped.BELOW_ROUNDING))
    assert "below rounding" in said and "converged" not in said and "0.00%" not in said


def test_steps_that_are_left_out_are_told():
    said = ending(Ended(Stopped.STEP_LIMIT, recorded_every=20))
    assert said.endswith(" To save memory, one in 20 of its later steps is kept.")


# Classes


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("8", "an 8"),
        ("1", "a 1"),
        ("airplane", "an airplane"),
        ("night_stand", "a night stand"),
        ("tv_stand", "a TV stand"),
        ("xbox", "an Xbox"),
        ("stairs", "a flight of stairs"),
        ("storage", "a piece of storage furniture"),
        ("opening", "a door or window"),
    ],
)
def test_classes_read_as_in_a_sentence(label, told):
    assert with_article(label, "") == told
    assert with_article(label) == f"{told.split()[0]} **{class_name(label)}**"


def said(label: str, answer: Answer | None, known: bool | None = None) -> str:
    """The sentence on a run that came to this class, up to its cost."""
    outcome = Outcome(
        label=label,
        confidence=0.9,
        probabilities={label: 0.9},
        steps=3,
        evaluations=4,
        objective=0.1,
        relative_objective=0.1,
        spread=5.0,
        stopped=Stopped.CONVERGED,
        seconds=1.0,
        device="cpu",
        known=known,
    )
    return outcome_sentence(outcome, answer).split(" after ")[0]


STORAGE = Answer("storage", ("bookshelf", "night_stand"))


@pytest.mark.parametrize(
    ("label", "answer", "verdict"),
    [
        ("7", None, ","),
        ("7", about_digit(7), ", rightly,"),
        ("7", about_digit(8), ", but it is an 8,"),
        ("night_stand", STORAGE, ", rightly for a piece of storage furniture,"),
        ("bathtub", STORAGE, ", but it is a piece of storage furniture,"),
        ("sofa", Answer("opening", ()), ", but it is a door or window, for which it has no class,"),
    ],
)
def test_a_verdict_goes_by_what_is_right(label, answer, verdict):
    assert said(label, answer).endswith(f"{with_article(label)} (90.0% sure){verdict}")


@pytest.mark.parametrize("known", [None, True])
def test_what_is_known_is_read(known):
    assert said("plant", None, known) == "The model reads this as a **plant** (90.0% sure),"


def test_what_is_not_known_is_told_to_be_a_guess():
    assert said("plant", None, False) == (
        "This is unlike anything the model has learned; its best guess is a **plant** (90.0% sure),"
    )


def test_right_classes_are_named_as_the_player_names_them():
    labels = ["sofa", "night_stand", "bookshelf"]
    assert right_names(STORAGE, labels) == ("night stand", "bookshelf")
    assert right_names(None, labels) == () == right_names(Answer("opening", ()), labels)


# Completions


@pytest.mark.parametrize(
    ("sure", "covered", "worse"),
    [
        ((0.91, 0.56), (0.2, 0.3), True),
        ((0.5, 0.9), (0.27, 0.21), True),
        ((0.5, 0.9), (0.2, 0.3), False),
        ((0.911, 0.909), None, False),  # what is written is the same
        (None, (0.3, float("nan")), True),
        (None, None, False),
    ],
)
def test_what_has_fallen_is_worse_than_before(sure, covered, worse):
    said = change_sentence(Change("airplane", sure, covered))
    assert said.startswith("**Worse than before**") == worse and said.endswith(".")
    if sure is not None:
        assert f"{sure[1]:.0%} sure of an airplane, {sure[0]:.0%} before" in said
