"""An engine elsewhere: the same bytes as here, wherever and however often it is cut off."""

import contextlib
import io
import itertools
import json
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.engine import Request, remote, submit
from ddeq.engine.remote import RemoteJob
from ddeq.engine.wire import CutOff, Kind, Message, pack, unpack
from ddeq.errors import UserError
from ddeq.input.gallery import load_gallery
from ddeq.run.format import decode
from tests.elsewhere import engine

STEPS = 8
SETTINGS = {"solver": "euler", "steps": STEPS, "tolerance": 0}
REQUEST = Request.of("digits", load_gallery().cloud(60).points, SETTINGS)
SOON = 60  # seconds, long before which everything here has happened


@pytest.fixture(autouse=True)
def every_step_at_once(monkeypatch):
    """Every step comes in a chunk of its own, and nobody pauses."""
    monkeypatch.setattr("ddeq.engine.stream.StreamedRun.SECONDS_A_ROUND", 0)
    monkeypatch.setattr(remote, "PAUSE", 0)


def alone():
    job = submit(REQUEST)
    return b"".join(job), job.outcome


def same(outcome, other):
    return {**outcome, "seconds": 0} == {**other, "seconds": 0}


def test_an_engine_elsewhere_gives_the_same_to_the_last_bit(monkeypatch):
    told, outcome = alone()
    with engine() as (_, address):
        monkeypatch.setenv("DDEQ_ENGINE", address)
        job = submit(REQUEST)
        assert isinstance(job, RemoteJob)
        assert b"".join(job) == told and same(job.outcome, outcome)


@settings(max_examples=8)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=3))
def test_wherever_answers_are_cut_off_nothing_is_lost_and_nothing_comes_twice(cuts):
    told, outcome = alone()
    with engine(cuts=cuts) as (state, address):
        job = RemoteJob(REQUEST, address)
        assert b"".join(job) == told and same(job.outcome, outcome)
    after = [json.loads(text)["after"] for text in state.asked]
    assert after[0] == 0 and after == sorted(after) and max(after) <= STEPS + 1


def test_a_job_begun_where_no_copy_is_there_yet_comes_through():
    with engine(broken=2) as (state, address):
        told = b"".join(RemoteJob(REQUEST, address))
    assert len(state.asked) == 3 and len(decode(told).steps) == STEPS + 1


def test_an_engine_that_cannot_be_reached_is_said_and_the_local_one_offered():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UserError) as refusal:
        list(RemoteJob(REQUEST, address))
    said = str(refusal.value)
    assert address in said and "unset DDEQ_ENGINE" in said and said.count(".") == 4  # an address


@pytest.mark.parametrize("address", ["nowhere", "ftp://a", "http://", "http://a:b", "file:///etc"])
def test_what_is_no_address_is_refused(monkeypatch, address):
    monkeypatch.setenv("DDEQ_ENGINE", address)
    with pytest.raises(UserError, match="DDEQ_ENGINE"):
        submit(REQUEST)


def test_what_the_engine_refuses_is_said_as_it_says_it():
    with engine() as (state, address):
        with pytest.raises(UserError, match="no model 'nothing'"):
            list(RemoteJob(Request("nothing", REQUEST.points), address))
        assert len(state.asked) == 1


def test_who_goes_away_has_the_solve_cancelled():
    long = Request.of("digits", REQUEST.array, {"solver": "euler", "steps": 5000, "tolerance": 0})
    with engine() as (state, address):
        job = RemoteJob(long, address)
        assert any(itertools.islice(job, 5))
        job.cancel()
        assert [*job] == [] and job.outcome is None
        assert state.cancelled.wait(SOON)


@given(st.lists(st.tuples(st.sampled_from([Kind.PLACE, Kind.CHUNK]), st.binary())))
def test_messages_come_back_and_any_part_of_them_is_known_as_one(found):
    sent = [Message(kind, content) for kind, content in found]
    sent.append(Message(Kind.OUTCOME, b"{}"))
    data = b"".join(pack(message.kind, message.content) for message in sent)
    assert [*unpack(io.BytesIO(data).read)] == sent
    with pytest.raises(CutOff):
        [*unpack(io.BytesIO(data[:-1]).read)]


@given(st.binary(max_size=40))
def test_any_other_bytes_are_cut_off_or_end_and_allocate_nothing(data):
    with contextlib.suppress(CutOff):
        assert len([*unpack(io.BytesIO(data).read)]) <= len(data)


def test_a_message_that_says_it_is_huge_is_not_read():
    with pytest.raises(CutOff):
        [*unpack(io.BytesIO(b"C\xff\xff\xff\xff").read)]
