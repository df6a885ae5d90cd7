"""What every message to a user must be."""

import pytest

from ddeq.errors import UserError


def assert_one_sentence(error: pytest.ExceptionInfo[UserError]) -> None:
    """One sentence on one line that says what to do: the part after ', so '."""
    message = str(error.value)
    assert "\n" not in message
    assert message.endswith(".") and ". " not in message
    problem, _, advice = message.partition(", so ")
    assert problem and advice
    assert len(message) < 250
