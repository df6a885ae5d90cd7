"""Many sessions at once: each gets its own results, and a failure is counted, not hidden."""

import numpy as np
import pytest

from ddeq.bench import load
from ddeq.bench.load import Seen, Wish, told, wishes_of
from tests.elsewhere import engine


def test_sessions_at_once_lose_nothing_mix_nothing_up_and_get_what_they_get_alone():
    result = load.bench(sessions=3)
    assert result["solves"] == 3 * (load.DIGITS + load.OBJECTS)
    assert result["lost"] == result["mixed_up"] == 0
    first, end = result["seconds"]["first_frame"], result["seconds"]["end"]
    assert 0 < first["median"] <= end["median"] <= end["percentile_95"] <= end["most"]


def test_what_fails_is_lost_and_what_is_not_as_alone_is_mixed_up(monkeypatch):
    ask = load.asker()
    monkeypatch.setattr(load, "asker", lambda: failing)
    monkeypatch.setattr(load, "wishes_of", lambda k: [Wish("digits", 0), Wish("digits", 1)])
    made = []

    def failing(wish):
        made.append(wish)
        if len(made) > 2 and wish.index == 0:  # alone it does not
            raise ValueError("no more memory")
        return ask(Wish("digits", 2) if len(made) > 2 else wish)

    result = load.bench(sessions=1)
    assert result["solves"] == 2 and result["lost"] == 1 and result["mixed_up"] == 1


def test_an_engine_elsewhere_that_is_cut_off_loses_and_mixes_up_nothing(monkeypatch):
    monkeypatch.setattr("ddeq.engine.remote.PAUSE", 0)
    with engine(cuts=[0, 900, 20_000, 40_000], broken=1) as (state, address):
        monkeypatch.setenv("DDEQ_ENGINE", address)
        result = load.bench(sessions=2, engine="ray")
    assert result["solves"] == 2 * (load.DIGITS + load.OBJECTS) < len(state.asked)
    assert result["lost"] == result["mixed_up"] == 0 and result["kilobytes_a_solve"] > 0


def test_of_what_was_seen_medians_are_told():
    seen = [Seen(Wish("digits", k), first=k, end=2.0 * k, right=k != 1) for k in range(1, 4)]
    result = told(seen, asked=4)
    assert result["lost"] == 1 and result["mixed_up"] == 1
    assert result["seconds"]["first_frame"]["median"] == 2
    assert result["seconds"]["end"]["percentile_95"] == pytest.approx(np.percentile([2, 4, 6], 95))


def test_sessions_ask_for_different_things():
    first, second = wishes_of(0), wishes_of(1)
    assert len(set(first)) == load.DIGITS + load.OBJECTS and not set(first) & set(second)
