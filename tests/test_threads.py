"""Threads by the size of the work."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from ddeq import threads
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.solvers import Picard
from ddeq.threads import PARTICLES_A_THREAD, count_for, each, enough_for, leave_a_core, limit


@pytest.fixture(autouse=True)
def four_threads(monkeypatch):
    """As on a machine of four cores; torch does not mind how many there are."""
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "_allowed", 4)
    monkeypatch.setattr(threads, "_most", 4)
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_little_work_gets_one_thread_and_much_gets_all():
    assert count_for(1) == count_for(PARTICLES_A_THREAD) == 1
    assert count_for(2 * PARTICLES_A_THREAD) == 2
    assert count_for(1000) == count_for(10**6) == 4


def test_threads_are_lent_and_given_back_even_after_an_error():
    with pytest.raises(KeyError), enough_for(2 * PARTICLES_A_THREAD):
        assert torch.get_num_threads() == 2
        raise KeyError
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(("size", "count"), [(10, 1), (1000, 4)])
def test_every_item_is_made_with_them_whichever_thread_asks_for_it(size, count):
    items = each((torch.get_num_threads() for _ in range(4)), size)
    seen, between = [next(items)], [torch.get_num_threads()]

    def ask():
        torch.set_num_threads(2)
        seen.append(next(items))
        between.append(torch.get_num_threads())

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    seen += items
    assert seen == [count] * 4
    assert between == [3, 2] and torch.get_num_threads() == 3


@pytest.mark.parametrize(("clouds", "particles", "count"), [(1, 10, 1), (1, 1000, 4), (64, 10, 4)])
def test_a_solve_takes_threads_by_its_particles(clouds, particles, count):
    seen = []

    def operator(z):
        seen.append(torch.get_num_threads())
        return z / 2

    flow = Flow(operator, torch.randn(clouds, particles, 2), solver=Picard(), stop=StopRule(3, 0.0))
    between = [torch.get_num_threads() for _ in flow]
    assert seen == [count] * 4 and between == [3] * 4


def test_a_run_s_encoding_and_frames_take_no_more_than_its_solve(tiny):
    seen = []
    for part in (tiny.model.operator.input_in, tiny.model.readout):
        part.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    said = {"solver": "picard", "kernel": "riesz", "steps": 2, "tolerance": 0}
    settings = RunSettings.from_dict(said)
    run = ClassifierRun(tiny, np.zeros((30, 2), np.float32), settings)
    assert len(list(run)) == 3
    assert seen == [1] * 4


def test_a_limit_holds_for_much_work_and_leaves_the_rest_one_thread():
    limit(2)
    assert torch.get_num_threads() == 1
    assert count_for(10**6) == threads.most() == 2
    limit(99)
    assert count_for(10**6) == 4  # what the environment allows


def test_the_app_leaves_a_core_to_the_browser(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    leave_a_core()
    assert count_for(10**6) == 2
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    leave_a_core()
    assert count_for(10**6) == 1


def test_who_sets_the_number_in_the_environment_gets_no_more():
    program = "from ddeq.threads import count_for; print(count_for(10**6))"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["1"]
