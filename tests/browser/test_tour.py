"""The tour of page *Classify*, as first visitors meet it in headless Chromium."""

import re

import pytest
from playwright.sync_api import expect

from ddeq.view.tour.classify import STOPS

DESK = {"width": 1400, "height": 1000}
PHONE = {"width": 420, "height": 900}
INSIDE = "(e) => e.left >= 0 && e.top >= 0 && e.right <= innerWidth && e.bottom <= innerHeight"


@pytest.fixture
def first_visit(newcomers, app):
    """Opens page Classify in a browser that has never been there; script errors fail the test."""
    contexts, errors = [], []

    def opened(query: str = "digit=0", viewport=DESK, **options):
        context = newcomers.new_context(viewport=viewport, **options)
        context.set_default_timeout(60_000)  # as patient as expect
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/?{query}")
        solved(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def solved(page) -> None:
    expect(page.get_by_text(re.compile("The model reads this as"))).to_be_visible()
    expect(page.get_by_test_id("player-bars")).to_be_visible()


def card(page):
    return page.get_by_test_id("tour-card")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_first_visitor_is_taken_to_every_stop(first_visit, viewport):
    page = first_visit(viewport=viewport, reduced_motion="reduce")
    for number, stop in enumerate(STOPS):
        expect(card(page)).to_be_visible()
        expect(page.get_by_role("dialog", name=stop.title)).to_contain_text(
            f"{number + 1} of {len(STOPS)}"
        )
        expect(page.get_by_test_id("tour-ring")).to_be_visible()  # around something that is there
        expect(page.get_by_test_id("tour-ring")).to_be_in_viewport()
        assert card(page).evaluate(f"(node) => ({INSIDE})(node.getBoundingClientRect())")
        page.get_by_test_id("tour-next").click()
    expect(card(page)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_it_waits_until_the_flow_has_been_seen(newcomers, app):
    """While the solver works, or the player plays, no card lies over them."""
    context = newcomers.new_context(viewport=DESK)
    page = context.new_page()
    page.add_init_script(
        """globalThis.saidOnOpening = [];
        const show = HTMLElement.prototype.showPopover;
        HTMLElement.prototype.showPopover = function (...given) {
          const [entry] = [...globalThis.ddeqPlayers.values()];
          const { root } = entry.player;
          if (this.className === "sheet")
            saidOnOpening.push([root.hasAttribute("data-live"), root.dataset.playing]);
          return show.apply(this, given);
        };"""
    )
    page.goto(f"{app}/?digit=0")
    expect(card(page)).to_be_visible()
    assert page.evaluate("saidOnOpening") == [[False, "false"]]
    context.close()


def test_the_page_can_be_used_meanwhile(first_visit):
    page = first_visit()
    expect(card(page)).to_be_visible()
    page.get_by_test_id("digit-26").click()
    expect(page.get_by_text(re.compile("reads this as a 1"))).to_be_visible()
    expect(page.get_by_role("dialog", name=STOPS[0].title)).to_be_visible()


def test_who_skips_it_is_left_alone_until_they_ask(first_visit):
    page = first_visit()
    page.get_by_test_id("tour-skip").click()
    expect(card(page)).to_be_hidden()
    page.reload()
    solved(page)
    begin = page.get_by_role("button", name="Tour of this page")
    expect(begin).to_be_visible()
    expect(card(page)).to_be_hidden()
    begin.click()
    expect(page.get_by_role("dialog", name=STOPS[0].title)).to_be_visible()


def test_it_is_walked_with_the_keyboard(first_visit):
    page = first_visit()
    expect(card(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page)).to_be_hidden()
    page.get_by_test_id("tour-begin").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("tour-next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=STOPS[1].title)).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # back
    expect(page.get_by_role("dialog", name=STOPS[0].title)).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page)).to_be_hidden()
    expect(page.get_by_test_id("tour-begin")).to_be_focused()


def test_lessons_have_none(first_visit):
    page = first_visit("digit=0&embed=true")
    expect(page.get_by_test_id("tour-begin")).to_have_count(0)
    expect(card(page)).to_have_count(0)
