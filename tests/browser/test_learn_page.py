"""Page *Learn* as a student uses it, in headless Chromium: the main thing in every chapter."""

import re

import pytest
from playwright.sync_api import expect

PHONE = {"width": 420, "height": 900}
DESK = {"width": 1400, "height": 1000}


@pytest.fixture
def open_chapter(chromium, app):
    """Opens a chapter and waits until it is there; a script error fails the test."""
    contexts, errors = [], []

    def opened(number: int, query: str = "", viewport=DESK):
        context = chromium.new_context(viewport=viewport)
        context.set_default_timeout(60_000)  # as patient as expect
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/learn?chapter={number}&{query}")
        expect(page.get_by_role("heading", name=re.compile(rf"^{number}\. "))).to_be_visible()
        expect(page.get_by_text("Sources:")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def drag(page, handle, dx: float, dy: float) -> None:
    handle.scroll_into_view_if_needed()
    box = handle.locator("circle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def solved(page) -> None:
    expect(page.get_by_test_id("player-root").first).to_have_attribute(
        "data-last", re.compile(r"[1-9]\d*")
    )


def test_a_slope_is_dragged_and_browser_and_library_agree(open_chapter):
    page = open_chapter(1, "slope=0.5&start=-1.5")
    figure = page.get_by_test_id("learn-cobweb")
    expect(page.get_by_text("Settles")).not_to_have_count(0)
    expect(figure).to_have_attribute("data-end", "0.4000")
    said = page.get_by_text(re.compile(r"^Settles at -?\d\.\d+"))
    expect(said).to_be_visible()
    drag(page, page.get_by_test_id("cobweb-slope"), -60, -110)
    expect(said).to_have_count(0)
    expect(page.get_by_text("Flies off", exact=True).last).to_be_visible()
    expect(figure.locator("figcaption")).to_contain_text("it has flown off")
    page.get_by_role("button", name="A neuron", exact=True).click()
    expect(said).to_be_visible()
    end = float(re.search(r"at (-?\d\.\d+)", said.inner_text())[1])
    expect(figure).to_have_attribute("data-end", re.compile(f"^{end:.3f}"))


def test_the_start_moves_with_the_keyboard_and_lands_in_the_link(open_chapter):
    page = open_chapter(1, "start=-1.5&slope=0.5")
    page.get_by_test_id("cobweb-start").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"start=-1\.45"))


def test_pointing_at_a_symbol_lights_up_what_it_names(open_chapter):
    page = open_chapter(1)
    curve = page.locator(".learn-figure .curve")
    symbol = page.locator('[data-symbol="map"]').first
    expect(symbol).to_have_attribute("data-tip", re.compile("orange curve"))
    symbol.hover()
    expect(curve).to_have_class(re.compile("lit"))
    page.mouse.move(0, 0)
    expect(curve).not_to_have_class(re.compile("lit"))
    page.locator(".ddeq-term").first.focus()
    expect(page.get_by_test_id("bubble")).to_contain_text("maps to itself")


def test_a_prediction_is_judged(open_chapter):
    page = open_chapter(1)
    page.get_by_text("It flies off").click()
    expect(page.get_by_text("That is what happens.")).to_be_visible()
    expect(page).to_have_url(re.compile("slope=-1.2"))


def test_points_are_dragged_and_the_plan_follows(open_chapter):
    page = open_chapter(2)
    board = page.get_by_test_id("learn-board")
    expect(board.locator(".plan")).to_have_count(6)
    metrics = page.get_by_test_id("stMetricValue")
    expect(metrics).to_have_count(3)
    before = metrics.all_inner_texts()
    drag(page, page.get_by_test_id("blue-0"), 60, 40)
    expect(page).to_have_url(re.compile("blue="))
    expect(metrics.nth(1)).not_to_have_text(before[1])
    expect(metrics.nth(2)).not_to_have_text(before[2])
    page.get_by_role("button", name="Different numbers").click()
    expect(page.get_by_text("cannot compare")).to_be_visible()
    expect(board).to_be_visible()


def test_a_target_is_drawn_and_flowed_to(open_chapter):
    page = open_chapter(3)
    solved(page)
    page.get_by_role("button", name="Draw one").click()
    canvas = page.get_by_test_id("pad-canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.7 * box["height"], steps=8)
    page.mouse.up()
    page.get_by_test_id("pad-use").click()
    drawn = page.get_by_role("radio", name="drawn")
    expect(drawn).to_be_checked()
    solved(page)


def test_a_cure_is_tried(open_chapter):
    page = open_chapter(3)
    said = page.get_by_text(re.compile("the particles end 0.05"))
    expect(said).to_be_visible()
    page.get_by_role("button", name="Shorter and shorter").click()
    expect(page.get_by_text(re.compile("the particles end 0.00"))).to_be_visible()
    expect(page.get_by_role("link", name="Open in Solver lab")).to_have_attribute(
        "href", re.compile("lab.a-solver=euler-decay")
    )


def test_the_forward_pass_is_watched(open_chapter):
    page = open_chapter(4)
    solved(page)
    expect(page.get_by_text("the cloud is an equilibrium")).to_be_visible()
    page.get_by_role("button", name="Uneven start").click()
    expect(page.get_by_text("not an equilibrium")).to_be_visible()
    expect(page).to_have_url(re.compile("toy-start=random"))


def test_a_ddeq_is_trained_and_stopped(open_chapter):
    page = open_chapter(5)
    drag(page, page.get_by_test_id("g-0"), 0, -40)
    expect(page).to_have_url(re.compile("gy="))
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_text(re.compile(r"^Round \d+: on 200 arcs"))).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Train again")).to_be_enabled()
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Stop")).to_have_count(0)
    solved(page)  # what it has learnt so far, on an arc it has not seen


def test_the_real_thing_is_solved_and_measured(open_chapter):
    page = open_chapter(6)
    expect(page.get_by_text(re.compile("The model reads this as a 7"))).to_be_visible()
    solved(page)
    page.get_by_role("button", name="Fill a gap").click()
    expect(page.get_by_role("link", name="All of it on page Complete")).to_be_visible()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text(re.compile(r"^On \d+ digits: the DDEQ reads"))).to_be_visible()


@pytest.mark.parametrize("number", range(1, 7))
def test_on_a_phone_nothing_sticks_out(open_chapter, number):
    page = open_chapter(number, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_lesson_shows_text_and_figure_only(open_chapter):
    page = open_chapter(2, "embed=true&controls=0&blue=-1.00,0.50_0.20,0.30")
    expect(page.get_by_test_id("learn-board").locator(".plan")).not_to_have_count(0)
    expect(page.get_by_test_id("learn-board").locator(".dot.blue")).to_have_count(2)
    for text in ("Predict first.", "Glossary", "The blue list", "Crossed"):
        expect(page.get_by_text(text, exact=True).first).to_be_hidden()
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(0)
    expect(page.get_by_role("link", name="Classify", exact=True)).to_be_hidden()


def test_figures_speak_to_screen_readers(open_chapter):
    page = open_chapter(2)
    expect(page.get_by_role("group", name=re.compile("Two clouds, 6 blue"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Blue point 1: drag"))).to_be_visible()
