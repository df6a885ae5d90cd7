"""The demo of page *Classify*, which plays by itself until somebody touches anything."""

import re

import pytest
from playwright.sync_api import expect

from ddeq.view.demo.scenes import SCENES

MOMENT = """() => {
  const { player } = globalThis.ddeqPlayers.get("classify");
  return [player.runs[0].meta.label, player.clock.playing, Boolean(player.inspector.pin)];
}"""
REPLAYS = """() => {
  const player = globalThis.ddeqPlayers?.get("classify")?.player;
  return player?.clock.playing && player.inspector.pin;
}"""


@pytest.fixture
def visit(newcomers, app):
    """Opens a link in a browser that has never been there; script errors fail the test."""
    contexts, errors = [], []

    def opened(query: str, **options):
        context = newcomers.new_context(viewport={"width": 1400, "height": 900}, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/?{query}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def test_it_goes_from_scene_to_scene_and_a_touch_ends_it(visit):
    page = visit("demo=1", reduced_motion="reduce")
    for scene in SCENES[1:3]:
        expect(page).to_have_url(re.compile(f"{scene.name}={scene.number}(&|$)"))
        expect(page.get_by_test_id("demo")).to_be_visible()
    expect(page.get_by_test_id("tour-card")).to_have_count(0)
    assert page.evaluate("history.length") == 2  # the blank page and this one: nobody went anywhere
    page.get_by_test_id("object-3").click()  # the touch does what it does, too
    expect(page).to_have_url(re.compile(r"object=3(&|$)"))
    expect(page).not_to_have_url(re.compile("demo"))
    expect(page.get_by_test_id("demo")).to_have_count(0)
    expect(page.get_by_text(re.compile("The model reads this as a chair"))).to_be_visible()


def test_a_scene_is_played_once_more_with_what_a_particle_looks_at(visit):
    page = visit("demo=1")
    page.wait_for_function(REPLAYS)
    page.keyboard.press("Shift")
    expect(page).not_to_have_url(re.compile("demo"))
    label, _, pinned = page.evaluate(MOMENT)
    assert label == "MNIST test digit 0" and not pinned


def test_without_it_nothing_goes_on_by_itself(visit):
    page = visit("digit=168")
    expect(page.get_by_text(re.compile("The model reads this as a 7"))).to_be_visible()
    expect(page.get_by_test_id("demo")).to_have_count(0)
