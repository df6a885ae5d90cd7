"""Page *Complete* as a person uses it, in headless Chromium."""

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from ddeq.input.clouds import read_file
from ddeq.input.gallery import load_gallery

SEVEN = 168
SENTENCE = re.compile(r"(\d+) free particles? flowed beside (\d+) known points")
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
COUNT = re.compile(r"([\d,]+) of [\d,]+ points removed")
FAST = "fill-picard-steps=4"


@pytest.fixture
def visit(chromium, app):
    """Opens the page at a query and completes what stands there; a script error fails the test."""
    contexts, errors = [], []

    def opened(query: str = FAST, settled: bool = True, size=(1400, 1000), complete: bool = True):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/complete?{query}")
        if complete:
            page.get_by_role("button", name="Complete", exact=True).click()
        if settled and complete:
            expect(page.get_by_text(SENTENCE)).to_be_visible()
            expect(page.get_by_test_id("player-status")).to_contain_text("of where it began")
            page.evaluate(TWO_FRAMES)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def canvas(page):
    return page.get_by_test_id("cutter-canvas")


def removed(page) -> int:
    return int(canvas(page).get_attribute("data-removed"))


def drag(page, *places: tuple[float, float]) -> None:
    """A stroke on the plot through places in its unit square."""
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def press_complete(page) -> tuple[int, int]:
    """Known points and free particles of the completion of what is cut."""
    expect(page.get_by_text(SENTENCE)).to_have_count(0)  # nothing is completed yet
    page.get_by_role("button", name="Complete", exact=True).click()
    text = page.get_by_text(SENTENCE).text_content()
    free, known = map(int, SENTENCE.search(text).groups())
    return known, free


def test_what_the_brush_removes_is_filled_in(visit):
    page = visit(f"digit={SEVEN}&cut=By+hand&{FAST}", complete=False)
    page.get_by_test_id("cutter-clear").click()
    expect(page.get_by_text("Nothing was removed")).to_be_visible()
    drag(page, (0.1, 0.15), (0.9, 0.15))
    gone = removed(page)
    assert 10 < gone < 60
    expect(page.get_by_text(re.compile(f"^{gone} of"))).not_to_have_count(0)
    count = len(load_gallery().cloud(SEVEN).points)
    known, free = press_complete(page)
    assert known == count - gone and free == int(1.275 * known) - known
    expect(page).to_have_url(re.compile("removed="))
    again = visit(page.url.split("?")[1], complete=False)
    assert removed(again) == gone  # the link holds the cut


def test_a_completion_that_is_done_at_once_is_shown_at_its_end(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-step", "4")


def test_box_lasso_undo_and_clear(visit):
    page = visit(f"digit={SEVEN}&{FAST}", complete=False)
    page.get_by_text("By hand", exact=True).click()
    expect(page.get_by_test_id("cutter-clear")).to_be_enabled()  # it begins with the holes
    page.get_by_test_id("cutter-clear").click()
    expect(canvas(page)).to_have_attribute("data-removed", "0")
    page.get_by_test_id("cutter-box").click()
    drag(page, (0.02, 0.02), (0.98, 0.3))
    boxed = removed(page)
    assert boxed > 20
    page.get_by_test_id("cutter-lasso").click()
    drag(page, (0.1, 0.6), (0.9, 0.6), (0.9, 0.98), (0.1, 0.98))
    both = removed(page)
    assert both > boxed
    page.get_by_test_id("cutter-undo").click()
    assert removed(page) == boxed
    page.get_by_test_id("cutter-undo").click()
    page.get_by_test_id("cutter-undo").click()
    expect(page.get_by_test_id("cutter-undo")).to_be_disabled()
    assert removed(page) > 0  # the holes again


def test_the_brush_works_from_the_keyboard(visit):
    page = visit(f"digit={SEVEN}&{FAST}", complete=False)
    page.get_by_text("By hand", exact=True).click()
    page.get_by_test_id("cutter-clear").click()
    canvas(page).focus()
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert removed(page) > 0
    page.keyboard.press("Control+z")
    assert removed(page) == 0


def test_seeds_fill_in_side_by_side(visit):
    page = visit(f"digit={SEVEN}&seeds=3&{FAST}")
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-runs", "3")
    expect(page.get_by_text(re.compile(r"(One|Several) completions?"))).to_be_visible()
    labels = [page.get_by_test_id("player-stage").get_by_text(f"seed {k}") for k in range(3)]
    places = {tuple(label.bounding_box().values())[:2] for label in labels}
    assert len(places) == 3  # each on its own view


def test_stop_keeps_what_was_filled_in(visit):
    query = f"digit={SEVEN}&fill-solver=euler&fill-euler-steps=5000&fill-tolerance=0"
    page = visit(query, settled=False)
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-last", re.compile(r"[1-9]"))
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_text(SENTENCE)).to_contain_text("You stopped it")
    expect(page.get_by_test_id("player-status")).to_contain_text("You stopped it")
    assert 0 < int(root.get_attribute("data-last")) < 5000


def test_the_player_tells_known_from_free_and_hides_the_truth(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    legend = page.get_by_test_id("player-legend")
    for text in ("known", "free", "removed"):
        expect(legend.get_by_text(text, exact=True)).to_be_visible()
    page.get_by_test_id("player-view").click()
    page.get_by_test_id("player-show-truth").click()
    expect(legend.get_by_text("removed", exact=True)).to_be_hidden()


def test_the_completed_cloud_holds_every_known_point_to_the_last_bit(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    files = {}
    for suffix in (".ply", ".xyz", ".npy", ".csv"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Cloud ({suffix})").click()
        files[suffix] = download.value.path().read_bytes()
    completed = np.load(io.BytesIO(files[".npy"]), allow_pickle=False)
    free, known = map(int, SENTENCE.search(page.get_by_text(SENTENCE).text_content()).groups())
    assert completed.shape == (known + free, 2)
    whole = {tuple(point) for point in load_gallery().cloud(SEVEN).points.tolist()}
    assert {tuple(point) for point in completed[:known].tolist()} <= whole
    rows = list(csv.DictReader(io.StringIO(files[".csv"].decode())))
    read = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    np.testing.assert_array_equal(read, completed)
    assert [int(row["known"]) for row in rows] == [1] * known + [0] * free


BOX = """
v 0 0 0\nv 4 0 0\nv 4 2 0\nv 0 2 0\nv 0 0 1\nv 4 0 1\nv 4 2 1\nv 0 2 1
f 1 2 3 4\nf 5 6 7 8\nf 1 2 6 5\nf 4 3 7 8\nf 1 4 8 5\nf 2 3 7 6
"""  # 4 wide, 2 high as .obj is y up, and 1 deep
OBJECT_FAST = f"{FAST}&object-fill-picard-steps=1"


def upload(page, name: str, content: str) -> None:
    page.get_by_text("Upload", exact=True).click()
    file = {"name": name, "mimeType": "text/plain", "buffer": content.encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([file])
    expect(stage(page)).to_have_attribute("aria-label", re.compile(f"^{re.escape(name)}"))


def stage(page):
    return page.get_by_test_id("player-stage")


def downloaded(page) -> np.ndarray:
    """Points of the completed cloud as a .ply file."""
    button = page.get_by_role("button", name="Cloud (.ply)")
    still = page.locator("[data-test-script-state=notRunning]")
    expect(still).to_have_count(1)  # else a button may be replaced while it is clicked
    expect(button).to_have_count(1)  # that of the completion before is gone
    with page.expect_download() as download:
        button.click()
    return read_file(download.value.path(), "completed.ply").cloud.points


def view_removed(page) -> int:
    """Points that are cut away, once that is said."""
    text = page.get_by_text(COUNT).first.text_content()
    return int(COUNT.match(text).group(1).replace(",", ""))


def test_an_object_is_scanned_from_where_one_looks_and_completed_in_its_own_axes(visit):
    page = visit(OBJECT_FAST, complete=False)
    upload(page, "box.obj", BOX)
    before = view_removed(page)
    stage(page).focus()
    for _ in range(14):
        page.keyboard.press("Shift+ArrowUp")
    page.get_by_test_id("player-take").click()
    expect(page).to_have_url(re.compile(r"azimuth=\d+.*elevation=-\d+|elevation=-\d+.*azimuth=\d+"))
    expect(page.get_by_text(COUNT).first).not_to_contain_text(f"{before:,} of")
    gone = view_removed(page)
    known, free = press_complete(page)
    assert free == gone
    found = downloaded(page)
    assert found.shape == (known + free, 3)
    low, high = np.zeros(3), np.array([4.0, 2, 1])
    on_a_face = (found[:known] == low) | (found[:known] == high)  # to the last bit
    assert on_a_face.any(axis=1).all()
    assert (found[:known] >= low).all() and (found[:known] <= high).all()
    # From below the camera did not see the top.
    assert (found[:known, 1] < 2).mean() > 0.95


def test_points_of_an_object_come_back_to_the_last_bit(visit):
    points = np.random.default_rng(0).normal(size=(60, 3)).round(3) / 3
    page = visit(f"{OBJECT_FAST}&part=Plane&normal=y", complete=False)
    upload(
        page, "cloud.csv", "x,y,z\n" + "\n".join(",".join(map(repr, p)) for p in points.tolist())
    )
    known, free = press_complete(page)
    found = downloaded(page)
    whole = {tuple(point) for point in points.tolist()}
    assert len(found) == known + free == 60
    assert {tuple(point) for point in found[:known].tolist()} <= whole


def test_a_click_places_the_sphere(visit):
    query = f"{OBJECT_FAST}&input=Objects&object=3&part=Sphere&sphere=20"
    page = visit(query, complete=False)
    before = page.get_by_text(COUNT).first.text_content()
    box = stage(page).bounding_box()
    stage(page).click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile("centre="))
    expect(page.get_by_text(COUNT).first).not_to_have_text(before)
    gone = view_removed(page)
    assert 20 < gone < 500
    assert press_complete(page)[1] == gone


def test_the_run_can_be_taken_home(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    names = ("Run (.npz)", "Metrics (.csv)", "Interactive page (.html)")
    sizes = []
    for name in names:
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        sizes.append(len(download.value.path().read_bytes()))
    assert min(sizes) > 100


STAGE = [
    ("desk", (1400, 900), ("player-stage", "player-scrub", "player-play")),
    ("phone", (390, 844), ("player-stage", "player-scrub", "player-play")),
]
BOTTOM = "(e) => e.getBoundingClientRect().bottom + document.documentElement.scrollTop"


@pytest.mark.parametrize(("where", "size", "parts"), STAGE, ids=lambda value: str(value)[:5])
def test_the_cut_and_what_fills_it_in_are_one_view_within_the_first_screen(
    visit, where, size, parts
):
    page = visit("object=0", size=size, complete=False)
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-cut", "")
    first = stage(page).element_handle()
    assert stage(page).evaluate(BOTTOM) <= size[1]
    page.get_by_role("button", name="Complete", exact=True).click()
    expect(root).to_have_attribute("data-last", re.compile(r"[1-9]"))
    expect(page.get_by_text(re.compile("^(Worse than before|Filled in)"))).to_be_visible()
    page.evaluate(TWO_FRAMES)
    assert stage(page).evaluate("(e, first) => e === first", first)  # it is the very view
    for part in parts:
        assert page.get_by_test_id(part).evaluate(BOTTOM) <= size[1], part


def test_before_after_truth_and_error_are_seen_in_that_view(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    legend = page.get_by_test_id("player-legend")
    for layer, there, gone in (
        ("before", "removed", "free"),
        ("truth", "removed", "free"),
        ("after", "free", "from the truth"),
    ):
        page.get_by_test_id(f"player-layer-{layer}").click()
        expect(legend.get_by_text(there, exact=True)).to_be_visible()
        expect(legend.get_by_text(re.compile(gone))).to_have_count(0)
    page.get_by_test_id("player-layer-error").click()
    expect(legend.get_by_text(re.compile("from the truth"))).to_be_visible()


def test_several_seeds_show_where_they_agree(visit):
    page = visit(f"digit={SEVEN}&{FAST}&seeds=2")
    legend, agreement = (page.get_by_test_id(f"player-{n}") for n in ("legend", "layer-agreement"))
    name = page.locator(".labels h3").first.bounding_box()
    tools = page.locator(".layers").bounding_box()
    assert name["y"] >= tools["y"] + tools["height"]  # nothing lies over it
    agreement.click()
    expect(agreement).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("player-layer-error")).to_have_attribute("aria-pressed", "false")
    expect(legend.get_by_text(re.compile("from other seeds"))).to_be_visible()
    agreement.click()
    expect(legend.get_by_text("free", exact=True)).to_be_visible()


def test_one_seed_has_nobody_to_agree_with(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    expect(page.get_by_test_id("player-layer-error")).to_be_visible()
    expect(page.get_by_test_id("player-layer-agreement")).to_be_hidden()


def test_three_curves_are_shown_and_the_others_behind_more(visit):
    page = visit(f"digit={SEVEN}&{FAST}")
    more = page.get_by_test_id("player-more")
    charts = page.get_by_test_id("player-chart").filter(visible=True)
    expect(charts).to_have_count(3)
    more.locator("summary").click()
    expect(charts).to_have_count(7)


def test_both_pages_work_on_the_same_digit_with_settings_of_their_own(visit):
    page = visit(f"digit=30&{FAST}")
    page.get_by_role("link", name="Classify").first.click()
    expect(page.get_by_text(re.compile("The model reads this as a"))).to_be_visible()
    page.get_by_role("link", name="Complete").first.click()
    expect(page.get_by_text(SENTENCE)).to_be_visible()  # it is still there


def test_on_a_phone_nothing_sticks_out(visit):
    page = visit(f"digit={SEVEN}&{FAST}", size=(420, 850))
    expect(page.get_by_test_id("player-play")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
