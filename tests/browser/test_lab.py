"""Page *Solver lab* as a person uses it, in headless Chromium."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

ENDED = re.compile("of where it began|You stopped it|It met the step limit")
SHORT = {"a-picard-steps": 4, "b-euler-steps": 6, "a-tolerance": 0, "b-tolerance": 0}
CELLS = {"x-values": 3, "y-values": 3, "p-momentum-steps": 5, "p-tolerance": 0}


@pytest.fixture
def visit(chromium, app):
    """Opens a section of the page; a script error fails the test."""
    contexts, errors = [], []

    def opened(look: str, width: int = 1400, **query: object):
        context = chromium.new_context(viewport={"width": width, "height": 1000})
        context.set_default_timeout(60_000)  # as patient as expect
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/lab?{urlencode({'look': look, **query})}")
        expect(page.get_by_role("heading", name="The solver lab")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def status(page):
    return page.get_by_test_id("player-status")


def last_step(page, step: int) -> None:
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-last", str(step))


def cells(page) -> list[list[str]]:
    """The texts of the table, which is drawn but also there to be read."""
    rows = page.locator("[data-testid=stDataFrame] table tbody tr")
    return [row.locator("td").all_text_contents() for row in rows.all()]


def test_two_settings_race(visit):
    page = visit("Race", digit=60, **SHORT)
    expect(status(page)).to_contain_text("B \u00b7 euler")
    last_step(page, 6)
    expect(page.locator("[data-testid=stDataFrame] table tbody tr")).to_have_count(2)
    assert [row[:2] for row in cells(page)] == [["A \u00b7 picard", "5"], ["B \u00b7 euler", "7"]]


def test_the_witness_steps_with_the_timeline(visit):
    page = visit("Witness", digit=60, **{"w-picard-steps": 3, "w-tolerance": 0})
    last_step(page, 3)
    expect(page.get_by_text("F(\u03bc)) at step 3")).to_be_visible()
    for button, step in (("Go to the start", 0), ("Step forward", 1)):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_text(f"F(\u03bc)) at step {step}")).to_be_visible()
        expect(page.get_by_test_id("player-root")).to_have_attribute("data-step", str(step))


def test_a_cell_of_the_phase_diagram_plays(visit):
    page = visit("Phase diagram", digit=60, **CELLS)
    page.get_by_role("button", name="Compute the diagram").click()
    expect(page.get_by_text("Lowest objective with its particles apart")).to_be_visible()
    plot = page.locator("[data-testid=stPlotlyChart] .nsewdrag")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text(re.compile("reads this as a .* after 5 steps"))).to_be_visible()
    expect(status(page)).to_contain_text("It met the step limit")
    last_step(page, 5)


def test_a_run_is_forked_at_a_step(visit):
    settings = {"t-euler-steps": 6, "t-tolerance": 0, "f-picard-steps": 3, "f-tolerance": 0}
    page = visit("Fork", digit=60, **settings)
    expect(status(page)).to_contain_text("branch from step 3")
    page.get_by_role("slider", name="Fork at step").press("ArrowRight")
    expect(status(page)).to_contain_text("branch from step 4")
    expect(page).to_have_url(re.compile("at=4"))
    last_step(page, 4 + 3)


def test_stop_leaves_the_page_usable(visit):
    many = {"x-values": 16, "y-values": 16, "p-momentum-steps": 5000, "p-tolerance": 0}
    page = visit("Phase diagram", digit=60, **many)
    page.get_by_role("button", name="Compute the diagram").click()
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Watch a cell")).to_be_visible()
    expect(main.get_by_role("button", name="Stop")).to_have_count(0)
    page.get_by_role("radio", name="Witness").click()
    expect(page.get_by_text("They flow from red to blue")).to_be_visible()
    expect(status(page)).to_contain_text(ENDED)


def test_leaving_early_is_what_classify_does_then(visit):
    page = visit("Does the flow matter?", digit=60, **{"x-picard-steps": 3})
    page.get_by_role("button", name="Measure").click()
    dial = page.get_by_role("slider", name="Leave early")
    for key in ("Home", "ArrowRight", "ArrowRight"):
        dial.press(key)
    page.get_by_role("button", name="Use it on the other pages").click()
    expect(page.get_by_text("now take at most 2 steps")).to_be_visible()
    page.get_by_role("link", name="Classify").click()
    expect(page.get_by_text(re.compile("after 2 steps and 3 network evaluations"))).to_be_visible()


def test_an_object_races(visit):
    lanes = {f"object-{name}": value for name, value in SHORT.items()}
    page = visit("Race", input="Objects", object=6, **lanes)
    last_step(page, 6)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_test_id("object-0").click()
    expect(page.get_by_text("Armchair", exact=True)).to_be_visible()
    last_step(page, 6)
    expect(page.locator("[data-testid=stDataFrame] table tbody tr")).to_have_count(2)


@pytest.mark.parametrize("look", ["Race", "Fork", "Witness", "Phase diagram"])
def test_on_a_phone_nothing_sticks_out(visit, look):
    page = visit(look, width=420, digit=60, **SHORT, **CELLS)
    if look == "Phase diagram":
        page.get_by_role("button", name="Compute the diagram").click()
        expect(page.get_by_text("Watch a cell")).to_be_visible()
    else:
        expect(status(page)).to_contain_text(ENDED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
