"""How the app says why a run ended."""

from dataclasses import dataclass

import pytest

from ddeq.solve.flow import Stopped
from ddeq.view.words import ending


@dataclass(frozen=True)
class Ended:
    stopped: Stopped
    relative_objective: float = 0.0


@pytest.mark.parametrize("reason", Stopped)
def test_every_reason_to_stop_has_a_sentence_and_its_advice(reason):
    said = ending(Ended(reason))
    assert said.endswith(reason.advice or ".") and "[[" not in said


def test_below_rounding_it_does_not_claim_to_have_converged():
    said = ending(Ended(Stopped.BELOW_ROUNDING))
    assert "below rounding" in said and "converged" not in said and "0.00%" not in said
