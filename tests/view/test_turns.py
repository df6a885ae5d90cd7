"""What a page solves beside its runs takes turns with all other work, too."""

import threading
from contextlib import ExitStack

import pytest

from ddeq.engine.turns import TURNS, Ticket, allowed
from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import load
from ddeq.view.complete.standing import _read
from ddeq.view.ways import costs

SOON = 60  # seconds, long before which everything here has happened
DIGIT = load_gallery().cloud(60)


def what_ways_cost():
    checkpoint = load("digits")
    return costs(checkpoint, prepare(DIGIT, checkpoint.card), 0)


def what_a_cut_cloud_is_read_as():
    return _read(load("digits"), DIGIT).label


@pytest.mark.parametrize("solve", [what_ways_cost, what_a_cut_cloud_is_read_as])
def test_it_waits_while_all_turns_are_taken_and_then_comes_to_the_same(solve):
    alone, found = solve(), []
    thread = threading.Thread(target=lambda: found.append(solve()))
    with ExitStack() as others:
        for _ in range(allowed()):
            others.enter_context(TURNS.turn(Ticket(later=False)))
        thread.start()
        while thread.is_alive() and TURNS.place(Ticket(later=True)) == 1:
            pass
        assert thread.is_alive() and not found
    thread.join(SOON)
    assert found == [alone]
