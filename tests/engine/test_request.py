"""Requests cross processes unchanged, and nothing else is one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.engine import Request
from ddeq.engine.request import MOST_BYTES
from ddeq.errors import UserError

numbers = st.floats(allow_nan=False, allow_infinity=False)
clouds = st.integers(2, 3).flatmap(
    lambda width: st.lists(st.tuples(*[numbers] * width), min_size=1, max_size=9)
)
PLAIN = {"model": "digits", "points": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]}


@given(clouds, st.integers(0, 5), st.none() | st.integers(0, 10))
def test_a_request_comes_back_to_the_last_bit(rows, after, free):
    request = Request(
        "digits", tuple(rows), {"solver": "euler", "step_size": 0.1}, (0,), free, after
    )
    again = Request.from_json(request.to_json())
    assert again == request and again.array.tobytes() == request.array.tobytes()


def test_an_array_is_taken_as_it_is():
    points = np.random.default_rng(0).normal(size=(5, 3))
    assert Request.of("objects", points).array.tobytes() == points.tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "../digits"},
        {"model": "/etc/passwd"},
        {"model": 3},
        {"points": []},
        {"points": [[0.0, 1.0], [2.0]]},
        {"points": [[0.0]]},
        {"points": [["a", "b"]]},
        {"points": [[float("nan"), 0.0]]},
        {"points": [[10**400, 0]]},
        {"points": [[True, False]]},
        {"points": 7},
        {"settings": []},
        {"settings": {"steps": [1]}},
        {"cut": [3]},
        {"cut": [-1]},
        {"cut": 5},
        {"free": -1},
        {"free": 1.5},
        {"after": True},
        {"more": 1},
    ],
)
def test_what_is_no_request_is_refused_in_one_sentence(changes):
    with pytest.raises(UserError) as refusal:
        Request.from_json(json.dumps(PLAIN | changes).encode())
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


@given(st.binary(max_size=50))
def test_any_bytes_are_a_request_or_refused(text):
    with pytest.raises(UserError):
        Request.from_json(text)


def test_a_request_that_is_too_long_is_not_read():
    with pytest.raises(UserError, match="too long"):
        Request.from_json(b"[" * (MOST_BYTES + 1))
