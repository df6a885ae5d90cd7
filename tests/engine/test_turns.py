"""Turns: never more at once than allowed, the first come first, newcomers before all."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.engine.turns import Ticket, Turns, allowed
from ddeq.engine.work import Work, advance

SOON = 60  # seconds, long before which everything here has happened


def finished(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_never_more_work_at_once_than_are_allowed(at_once):
    turns, working, most = Turns(at_once), [], []

    def visitor():
        for _ in range(50):
            with turns.turn(Ticket(later=True)) as came:
                assert came
                working.append(None)
                most.append(len(working))
                working.pop()

    finished([threading.Thread(target=visitor) for _ in range(6)])
    assert 1 <= max(most) <= at_once


@given(st.permutations([Ticket(later) for later in (False, False, True, True, True)]))
def test_the_line_is_in_order_of_arrival_but_newcomers_come_first(tickets):
    turns, served = Turns(1), []
    everyone_waits = threading.Event()

    def visitor(ticket):
        with turns.turn(ticket):
            served.append(ticket)

    def first():
        with turns.turn(Ticket(False)):
            everyone_waits.wait(SOON)

    holder = threading.Thread(target=first)
    holder.start()
    threads = [threading.Thread(target=visitor, args=(ticket,)) for ticket in tickets]
    for thread in threads:
        thread.start()
    last = Ticket(True)
    while turns.place(last) <= len(tickets):  # until all of them wait
        pass
    everyone_waits.set()
    for thread in [holder, *threads]:
        thread.join(SOON)
    assert served == sorted(tickets)


def test_who_runs_out_of_patience_keeps_the_place():
    turns, early = Turns(1), Ticket(True)
    with turns.turn(Ticket(True)):
        with turns.turn(early, patience=0) as came:
            assert not came
        late = Ticket(True)
        with turns.turn(late, patience=0) as came:
            assert not came
        assert early < late and turns.place(early) == 1
    with turns.turn(early, patience=0) as came:
        assert came
        with turns.turn(late, patience=0) as both:
            assert not both


def test_a_turn_that_fails_is_given_back():
    turns = Turns(1)
    with pytest.raises(ValueError, match="no"), turns.turn(Ticket(True)):
        raise ValueError("no")
    with turns.turn(Ticket(True), patience=0) as came:
        assert came


def test_at_least_one_must_work():
    with pytest.raises(ValueError, match="At least one"):
        Turns(0)


@pytest.mark.parametrize(("said", "right"), [("3", 3), ("1", 1)])
def test_the_environment_says_how_many(monkeypatch, said, right):
    monkeypatch.setenv("DDEQ_SOLVES", said)
    assert allowed() == right


@pytest.mark.parametrize("said", ["", "0", "-1", "many", "1.5", "²"])
def test_nonsense_counts_as_not_said(monkeypatch, said):
    monkeypatch.setenv("DDEQ_SOLVES", said)
    assert allowed() >= 1


def test_work_that_waits_says_which_in_line_it_is_and_goes_on_when_it_is_its_turn():
    turns = Turns(1)
    works = [Work(iter("abc"), turns=turns) for _ in range(2)]
    for work in works:
        work.PATIENCE = 0
    with turns.turn(Ticket(True)):
        for work in works:
            work.round()
            assert not work.items and work.place == 1  # nobody else asks at this moment
    advance(works, lambda: None)
    assert [work.items for work in works] == [["a", "b", "c"]] * 2
    assert [work.place for work in works] == [None, None]


def test_everyone_has_a_first_item_before_anyone_has_a_second():
    turns, order = Turns(1), []

    def source(name):
        for _ in range(20):
            order.append(name)
            yield name

    works = [Work(source(k), turns=turns) for k in range(4)]
    for work in works:
        work.SECONDS_A_ROUND = 0
    threads = [threading.Thread(target=advance, args=([work], lambda: None)) for work in works]
    with turns.turn(Ticket(False)):
        for thread in threads:
            thread.start()
        last = Ticket(True)
        while turns.place(last) <= len(works):  # until all of them wait
            pass
    for thread in threads:
        thread.join(SOON)
    assert set(order[:4]) == set(range(4))
    assert all(len(work.items) == 20 for work in works)
