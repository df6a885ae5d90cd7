"""Settings parse what a person may say and refuse the rest in one sentence."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.errors import UserError
from ddeq.settings import setting, settings_of


@dataclass(frozen=True)
class Example:
    count: int = setting(3, 1, 10, "How many.")
    size: float = setting(0.5, 0, 2, "How large.")
    unlisted: str = "not a setting"


count, size = settings_of(Example)


def test_settings_are_listed_in_order_with_their_range_and_hint():
    assert [s.name for s in settings_of(Example)] == ["count", "size"]
    assert (count.default, count.low, count.high, count.hint) == (3, 1, 10, "How many.")
    assert Example() == Example(3, 0.5)


@given(st.integers(1, 10))
def test_whole_numbers_in_range_come_back_whole(n):
    for said in (n, float(n), str(n), f" {n} ", f"{n}.0"):
        assert count.parse(said) == n and isinstance(count.parse(said), int)


@given(st.floats(0, 2))
def test_numbers_in_range_come_back_exactly(x):
    for said in (x, str(x), repr(x)):
        assert size.parse(said) == x and isinstance(size.parse(said), float)


bad = ["", "many", "nan", "inf", "-inf", "1,5", None, True, [], "3; rm", "0x3", "9" * 400]


@pytest.mark.parametrize("said", [*bad, 0, 11, 2.5, "2.5"], ids=lambda v: str(v)[:20])
def test_what_is_no_whole_number_in_range_is_refused(said, refused):
    with refused() as message:
        count.parse(said)
    assert "count" in message.text and "whole number from 1 to 10" in message.text


@pytest.mark.parametrize("said", [*bad, -0.01, 2.01], ids=lambda v: str(v)[:20])
def test_what_is_no_number_in_range_is_refused(said, refused):
    with refused() as message:
        size.parse(said)
    assert "size" in message.text and "a number from 0 to 2" in message.text


@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.none()))
def test_parse_returns_a_number_in_range_or_refuses(said):
    try:
        assert 1 <= count.parse(said) <= 10
    except UserError as error:
        assert len(str(error)) < 200
