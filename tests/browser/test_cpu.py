"""How much of the CPU the app needs, as ``make run`` starts it; CPU time, so load plays no part."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import ASSETS, load
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults

ROOT = Path(__file__).parents[2]
DIGIT, SAID = 26, {"solver": "euler", "steps": 300, "tolerance": 0}
LINK = f"digit={DIGIT}&solver=euler&euler-steps={SAID['steps']}&tolerance=0"


@pytest.fixture(scope="module")
def server(serve):
    """One that no other test keeps busy."""
    with serve(ROOT / "app.py") as server:
        yield server


@pytest.fixture
def solved(chromium, server):
    """Opens page Classify and waits for the end of its run."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()

    def opened(query: str):
        page.goto(f"{server.address}/?{query}")
        expect(page.get_by_text(re.compile("The model reads this as an?"))).to_be_visible()
        ended = re.compile("of where it began|It met the step limit")
        expect(page.get_by_test_id("player-status")).to_contain_text(ended)
        return page

    yield opened
    context.close()


def share_of_a_core(page, server) -> float:
    """CPU time of the server over time, while nobody does anything."""
    began, spent = time.monotonic(), server.cpu_seconds()
    page.wait_for_timeout(3000)
    return (server.cpu_seconds() - spent) / (time.monotonic() - began)


def test_an_idle_app_with_an_open_tab_leaves_the_cpu_alone(solved, server):
    page = solved("digit=0")
    assert any(share_of_a_core(page, server) < 0.02 for _ in range(5))  # the first may be busy yet


def test_a_solve_in_the_app_takes_little_more_of_the_cpu_than_in_the_library(solved, server):
    solved("digit=0")  # so that the model has been loaded
    before = server.cpu_seconds()
    solved(LINK)
    in_the_app = server.cpu_seconds() - before
    checkpoint = load(ASSETS / "digits.safetensors")
    points = prepare(load_gallery().cloud(DIGIT), checkpoint.card)
    run = ClassifierRun(checkpoint, points, with_defaults(checkpoint.card, SAID))
    before = time.process_time()
    frames = list(run)
    in_the_library = time.process_time() - before
    assert len(frames) == SAID["steps"] + 1
    assert in_the_app < 3 * in_the_library
