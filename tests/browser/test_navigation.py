"""The way from page to page, in headless Chromium."""

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
