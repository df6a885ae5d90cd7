"""The engine as a service of Ray Serve, where Ray is installed: the same results, and no loss."""

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest

from ddeq.engine import Request, submit
from ddeq.engine.remote import RemoteJob
from ddeq.input.gallery import load_gallery
from ddeq.run.format import decode

pytest.importorskip("ray.serve", reason="Ray is missing: pip install 'ddeq[serve]' brings it")

ROOT = Path(__file__).parents[2]
SETTINGS = {"solver": "euler", "steps": 200, "tolerance": 0}
REQUEST = Request.of("digits", load_gallery().cloud(60).points, SETTINGS)


@pytest.fixture(scope="module")
def service():
    """The service in a process of its own: that process, and the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ddeq", "serve", "--port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert any("The engine is at" in line for line in server.stdout), "it ended at once"
        yield psutil.Process(server.pid), f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate()


def alone():
    job = submit(REQUEST)
    return decode(b"".join(job)), job.outcome


def compare(told, outcome):
    right, ended = alone()
    assert told.steps.tolist() == right.steps.tolist()
    assert np.array_equal(told.bars, right.bars) and told.status == right.status
    assert {**outcome, "seconds": 0} == {**ended, "seconds": 0}


def test_it_is_well_and_solves_as_this_process_does(service):
    _, address = service
    with urllib.request.urlopen(f"{address}/-/healthz") as answer:
        assert answer.status == 200
    job = RemoteJob(REQUEST, address)
    compare(decode(b"".join(job)), job.outcome)


def test_a_copy_that_is_killed_in_the_midst_loses_nothing(service):
    process, address = service
    job = RemoteJob(REQUEST, address)
    before = next(chunk for chunk in job if chunk)
    running = process.children(recursive=True)
    copies = [child for child in running if "ServeReplica" in " ".join(child.cmdline())]
    assert copies and job.outcome is None
    for copy in copies:
        copy.kill()
    compare(decode(before + b"".join(job)), job.outcome)
