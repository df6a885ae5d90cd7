"""The way from page to page, in headless Chromium."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
TITLES = {
    "": "Classify",  # the first page
    "complete": "Complete",
    "learn": "Learn",
    "lab": "Solver lab",
}


def test_every_page_is_visited_here():
    names = {name or "classify" for name in TITLES}
    assert names == {path.stem for path in (ROOT / "pages").glob("*.py")}


@pytest.mark.parametrize("name", TITLES)
def test_the_first_visitor_of_a_server_may_come_by_a_link_to_any_page(chromium, serve, name):
    with serve(ROOT / "app.py") as server:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{server.address}/{name}")
        for title in TITLES.values():
            expect(page.get_by_role("link", name=title, exact=True)).to_be_visible()
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        context.close()


@pytest.fixture
def page(chromium, app):
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    errors = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


def go(page, title: str) -> None:
    """Leave for another page, in the midst of this one's run or not."""
    page.get_by_role("link", name=title, exact=True).first.click()


def picked(page, what: str) -> None:
    expect(page.get_by_test_id(what)).to_have_attribute("aria-checked", "true")


def test_the_first_page_is_also_where_its_name_says(page, app):
    page.goto(f"{app}/classify?digit=26")
    picked(page, "digit-26")
    expect(page.get_by_text("The model reads this as")).to_contain_text("1")
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_the_input_travels_and_settings_wait_where_they_were_made(page, app):
    page.goto(f"{app}/?digit=26&particles=7")
    picked(page, "digit-26")
    go(page, "Complete")
    picked(page, "digit-26")
    go(page, "Solver lab")
    expect(page.get_by_role("heading", name="The solver lab")).to_be_visible()
    picked(page, "digit-26")  # on that page, and no longer on the one before
    page.get_by_test_id("digit-60").click()
    picked(page, "digit-60")
    go(page, "Learn")
    expect(page.get_by_test_id("digit-60")).to_have_count(0)
    go(page, "Classify")
    picked(page, "digit-60")
    page.get_by_text("Solver settings").click()
    expect(page.get_by_role("spinbutton", name="Particles")).to_have_value("7")


@pytest.mark.parametrize("slower", [1, 6], ids=["quick", "slow"])
def test_back_leads_to_the_page_before_with_what_was_picked(page, app, slower):
    """Also of a slow browser, which takes up later, and in another order, what it is told."""
    page.goto(f"{app}/?input=Objects&object=6&object-particles=7")
    picked(page, "object-6")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    go(page, "Complete")
    picked(page, "object-6")
    expect(page).to_have_url(re.compile("/complete.*object=6"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?.*object=6"))
    expect(page).to_have_url(re.compile("particles=7"))
    picked(page, "object-6")
    expect(page.get_by_text("The model reads this as")).to_be_visible()


@pytest.mark.xfail(
    strict=False,
    reason="known fault: on a quiet machine, what is picked right after a page was entered can "
    "take the address of the page before, and one entry too many",
)
def test_each_page_is_in_the_history_once_and_so_is_each_input_picked(page, app):
    page.goto(f"{app}/?digit=26")
    picked(page, "digit-26")
    entries = page.evaluate("history.length")
    go(page, "Solver lab")
    picked(page, "digit-26")
    page.get_by_test_id("digit-60").click()
    picked(page, "digit-60")
    expect(page).to_have_url(re.compile("digit=60"))
    assert page.evaluate("history.length") == entries + 2
    page.go_back()
    picked(page, "digit-26")
    expect(page).to_have_url(re.compile("/lab"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?"))
    picked(page, "digit-26")


def test_complete_begins_with_an_object_unless_a_digit_was_picked(page, app):
    page.goto(app)
    picked(page, "digit-168")
    go(page, "Complete")
    picked(page, "object-0")


def test_an_upload_travels(page, app):
    page.goto(f"{app}/?input=Upload")
    rows = "\n".join(f"{x} {y} {z}" for x in range(4) for y in range(3) for z in range(3))
    file = {"name": "brick.xyz", "mimeType": "text/plain", "buffer": rows.encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([file])
    expect(page.get_by_text("a cloud of 36 points")).to_be_visible()
    go(page, "Complete")
    expect(page.get_by_text("Used: brick.xyz, uploaded before.")).to_be_visible()
    expect(page.get_by_text("a cloud of 36 points")).to_be_visible()
