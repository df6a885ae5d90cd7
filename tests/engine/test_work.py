"""Long work: whatever interrupts it, it goes on, ends, and says when there is nothing to say."""

import contextlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ddeq.engine.turns import Ticket, Turns
from ddeq.engine.work import Work, advance, go_through


class Interrupted(Exception):
    """Ends a script run, as Streamlit does, from within what it shows."""


def ended(work: Work) -> list:
    advance([work], lambda: None)
    assert work.done
    return work.items


def bit_by_bit(source, **options) -> Work:
    """Work that takes one item a round."""
    work = Work(source, **options)
    work.SECONDS_A_ROUND = 0
    return work


def test_left_alone_it_keeps_what_it_yields():
    assert ended(bit_by_bit("abc")) == list("abc")
    assert ended(bit_by_bit("abc", kept=1)) == ["c"]
    assert ended(bit_by_bit("abc", kept=2)) == ["b", "c"]


@given(st.lists(st.integers(1, 3), max_size=5))
def test_interrupted_anywhere_it_goes_on_where_it_was_left(runs):
    work = bit_by_bit(range(8))
    for rounds in runs:  # each script run shows so many, and is ended by the next
        left = iter(range(rounds - 1))

        def show(left=left):
            if next(left, None) is None:
                raise Interrupted

        with contextlib.suppress(Interrupted):
            advance([work], show)
    assert ended(work) == list(range(8))


@pytest.mark.parametrize("rounds", range(4))
def test_stopped_it_ends_with_what_it_has_but_never_with_nothing(rounds):
    work = bit_by_bit("abcdef")
    for _ in range(rounds):
        work.round()
    work.stop()
    assert ended(work) == list("abcdef")[: max(1, rounds)]


def test_stopped_while_an_item_is_made_it_keeps_that_item():
    def source():
        yield "a"
        work.stop()
        yield "b"
        yield "c"

    work = bit_by_bit(source())
    assert ended(work) == ["a", "b"]


def test_one_round_takes_what_comes_in_a_moment_and_the_first_item_at_once():
    work = Work(range(1000))
    work.SECONDS_A_ROUND = 60
    work.round()
    assert work.items == [0]
    work.round()
    assert work.done and len(work.items) == 1000


def test_two_script_runs_at_work_at_once_lose_and_double_nothing():
    work, failed = bit_by_bit(range(500)), []

    def script():
        try:
            advance([work], lambda: None)
        except Exception as error:
            failed.append(error)

    scripts = [threading.Thread(target=script) for _ in range(3)]
    for thread in scripts:
        thread.start()
    for thread in scripts:
        thread.join()
    assert not failed and work.items == list(range(500))


def test_what_went_wrong_is_said_by_every_script_run():
    def source():
        yield "a"
        raise ValueError("no more memory")

    work = bit_by_bit(source())
    for _ in range(2):
        with pytest.raises(ValueError, match="no more memory"):
            ended(work)
    assert work.items == ["a"] and not work.done


def works_in_turn():
    return [bit_by_bit("ab"), bit_by_bit("cdef")]


def test_several_works_go_on_in_turn():
    works, seen = works_in_turn(), []
    advance(works, lambda: seen.append([len(work.items) for work in works]))
    assert seen[:3] == [[1, 1], [2, 2], [2, 3]]
    assert [work.items for work in works] == [list("ab"), list("cdef")]


def script(items, stopped):
    """A page that works through its items, each 100 of 400 steps."""
    import streamlit as st

    from ddeq.engine.work import Work
    from ddeq.view.progress import work_through

    if "work" not in st.session_state:
        st.session_state.work = Work(iter(items))
    work = st.session_state.work
    if stopped:
        work.stop()
    work_through(work, "it", lambda n: (n / 4, f"{n} of 4"), lambda found: st.text(found))


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("items", [[], [1], [1, 2, 3, 4]])
def test_a_page_shows_what_came_and_takes_progress_and_stop_away(items, stopped):
    test = AppTest.from_function(script, args=(items, stopped)).run()
    assert not test.exception and not test.button
    if items:
        assert test.text[0].value == str(items[:1] if stopped else items) and not test.info
    else:
        assert "nothing to do" in test.info[0].value


def test_what_is_gone_through_is_done_in_turns_and_goes_on_after_others():
    turns, seen = Turns(1), []

    def source():
        for k in range(3):
            with turns.turn(Ticket(later=False), patience=0) as free:
                assert not free  # its own turn is the only one
            seen.append(k)
            yield k

    go_through(source(), turns)
    assert seen == [0, 1, 2]
    with turns.turn(Ticket(later=False), patience=0) as free:
        assert free


def test_what_fails_as_it_is_gone_through_is_said():
    def source():
        yield 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        go_through(source(), Turns(1))
