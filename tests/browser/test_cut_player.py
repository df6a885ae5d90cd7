"""A cloud that is cut where it stands in the player, in headless Chromium."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

SCRIPT = Path(__file__).parent / "cut_player_script.py"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def address(serve):
    with serve(SCRIPT) as server:
        yield server.address


@pytest.fixture
def visit(chromium, address):
    """Opens the page; a script error fails the test."""
    contexts, errors = [], []

    def opened(**options):
        viewport = {"width": 600, "height": 800}
        contexts.append(chromium.new_context(viewport=viewport, has_touch=True, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        expect(page.get_by_test_id("player-take")).to_be_visible()
        page.evaluate(TWO_FRAMES)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(visit):
    """Where the cloud stands still, so that what a pointer is put on stays there."""
    return visit(reduced_motion="reduce")


def stage(page):
    return page.get_by_test_id("player-stage")


def drag(page, right: float, down: float) -> None:
    box = stage(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def reported(page, what: str):
    """The value that Python was told, once it was."""
    text = page.get_by_text(re.compile(rf"{what} \("))
    expect(text).to_be_visible()
    return ast.literal_eval(re.search(rf"{what} (\(.*?\))", text.text_content()).group(1))


def looked(page) -> tuple[float, float]:
    page.get_by_test_id("player-take").click()
    return reported(page, "looked")


def test_the_cloud_turns_until_somebody_touches_it(visit):
    still, page = visit(reduced_motion="reduce"), visit()
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-turning", "true")
    assert looked(page)[0] != looked(still)[0]  # pressing the button is a touch
    expect(root).to_have_attribute("data-turning", "false")


def test_it_rests_for_those_who_want_little_to_move(page):
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-turning", "false")


def test_python_hears_from_where_one_looks_when_it_is_asked_for(page):
    azimuth, elevation = looked(page)
    drag(page, 60, 30)
    expect(page.get_by_text(f"looked ({azimuth}, {elevation})")).to_be_visible()
    page.get_by_test_id("player-take").click()
    expect(page.get_by_text(f"looked ({azimuth}, {elevation})")).to_have_count(0)
    turned = reported(page, "looked")
    assert turned[0] == pytest.approx(azimuth - 27, abs=2)  # what is dragged right turns right
    assert turned[1] == pytest.approx(elevation + 14, abs=2)  # dragged down, it is seen from above


@pytest.mark.parametrize("by", ["mouse", "finger", "keys"])
def test_a_point_is_picked(page, by):
    """From straight above the camera sees the middle of the top."""
    stage(page).focus()
    for _ in range(9):
        page.keyboard.press("Shift+ArrowDown")
    box = stage(page).bounding_box()
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    if by == "mouse":
        stage(page).click(position=middle)
    elif by == "finger":
        stage(page).tap(position=middle)
    else:
        page.keyboard.press("Enter")
    x, y, z = reported(page, "picked")
    assert z == 2 and abs(x - 3) <= 1 and abs(y - 2) <= 1
    assert looked(page)[1] == 90


def test_the_camera_stands_where_it_says(page):
    """What is in front of it is nearer to it than the middle."""
    azimuth, elevation = np.radians(looked(page))
    level = np.cos(elevation)
    direction = [level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)]
    stage(page).focus()
    page.keyboard.press("Enter")
    assert np.dot(np.array(reported(page, "picked")) - [3, 2, 1], direction) > 0.5


def test_a_drag_picks_nothing(page):
    drag(page, 60, 0)
    looked(page)
    expect(page.get_by_text("picked None")).to_be_visible()


def test_what_cuts_is_drawn_over_the_particles(page):
    drawn = page.get_by_test_id("player-cut").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, k) => k % 4 === 3 && value > 0).length;
        }"""
    )
    assert drawn > 500


def test_nothing_plays_while_it_is_cut(page):
    expect(page.get_by_test_id("player-play")).to_be_hidden()
    expect(page.get_by_test_id("player-layer-before")).to_be_hidden()
    expect(page.get_by_test_id("player-legend").get_by_text("free")).to_have_count(0)
