"""The view of a cloud in space as a person uses it, in headless Chromium."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

SCRIPT = Path(__file__).parent / "cloud_view_script.py"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def address(serve):
    with serve(SCRIPT) as server:
        yield server.address


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(viewport={"width": 600, "height": 800}, has_touch=True)
    errors = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(canvas(page)).to_have_attribute("data-camera", re.compile(","))
    yield page
    context.close()
    assert not errors


def canvas(page):
    return page.get_by_test_id("cloud-canvas")


def camera(page) -> tuple[int, int]:
    page.evaluate(TWO_FRAMES)
    azimuth, elevation = canvas(page).get_attribute("data-camera").split(",")
    return int(azimuth), int(elevation)


def drag(page, right: float, down: float) -> None:
    box = canvas(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def test_a_drag_turns_the_view(page):
    azimuth, elevation = camera(page)
    drag(page, 60, 30)
    turned = camera(page)
    assert turned[0] == pytest.approx(azimuth - 27, abs=2)  # what is dragged right turns right
    assert turned[1] == pytest.approx(elevation + 14, abs=2)  # dragged down, it is seen from above


def test_arrow_keys_turn_and_a_double_click_turns_back(page):
    home = camera(page)
    canvas(page).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert camera(page) == (pytest.approx(home[0] - 11, abs=1), pytest.approx(home[1] + 6, abs=1))
    canvas(page).dblclick(position={"x": 2, "y": 2})
    assert camera(page) == home


def test_what_is_shown_is_said(page):
    expect(page.get_by_test_id("cloud-count")).to_have_text("585 points")
    label = canvas(page).get_attribute("aria-label")
    assert "585 points" in label and "arrow keys" in label
    assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_stand_out_from_the_page(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.reload()
    camera(page)
    colours = canvas(page).evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const counts = new Map();
          for (let k = 0; k < data.length; k += 4) {
            if (data[k + 3] < 255) continue; // the page shows through, or an edge
            const grey = Math.round((data[k] + data[k + 1] + data[k + 2]) / 3);
            counts.set(grey, (counts.get(grey) ?? 0) + 1);
          }
          return [...counts];
        }"""
    )
    greys = [grey for grey, count in colours for _ in range(count)]
    page_grey = 255 if scheme == "light" else 20
    contrast = sorted(abs(grey - page_grey) for grey in greys)
    assert len(greys) > 300 and contrast[len(greys) // 20] > 20  # all but edges are seen
    assert contrast[-len(greys) // 5] > 110
