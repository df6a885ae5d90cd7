"""Page *Classify* as a person uses it, in headless Chromium."""

import csv
import io
import re

import numpy as np
import open3d as o3d
import pytest
from playwright.sync_api import expect

from ddeq.input.gallery import load_gallery

ANY_NUMBER = re.compile(r"\d+")
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SENTENCE = re.compile(r"The model reads this as an? (\d) \((\S+)% sure\)")


@pytest.fixture
def visit(chromium, app):
    """Opens the app at a query and waits for the outcome; a script error fails the test."""
    contexts, errors = [], []

    def opened(query: str = "", settled: bool = True):
        context = chromium.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(60_000)  # as patient as expect
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app}/?{query}")
        if settled:
            expect(page.get_by_text(SENTENCE)).to_be_visible()
            expect(page.get_by_test_id("player-status")).to_contain_text("of where it began")
            expect(page.get_by_test_id("player-root")).to_have_attribute("data-last", ANY_NUMBER)
            page.evaluate(TWO_FRAMES)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def outcome(page) -> tuple[str, str]:
    """Predicted class and confidence, as the sentence says."""
    text = page.get_by_text(SENTENCE).text_content()
    return SENTENCE.search(text).groups()


def bars(page) -> list[str]:
    return [b.get_attribute("data-value") for b in page.get_by_test_id("player-bar").all()]


def step_is(page, step: int) -> None:
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-step", str(step))


def scrub(page, value: int) -> None:
    page.get_by_test_id("player-scrub").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )
    step_is(page, value)


def upload(page, name: str, content: bytes) -> None:
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def test_picking_a_digit_shows_its_prediction(visit):
    page = visit("digit=0")
    assert outcome(page)[0] == "0"
    page.get_by_test_id("digit-26").click()
    expect(page.get_by_text(re.compile("reads this as a 1"))).to_be_visible()
    expect(page).to_have_url(re.compile("digit=26"))
    expect(page.get_by_test_id("digit-26")).to_have_attribute("aria-checked", "true")


def test_the_probabilities_follow_the_timeline(visit):
    page = visit("digit=60")
    last = int(page.get_by_test_id("player-root").get_attribute("data-last"))
    scrub(page, 1)
    early = bars(page)
    scrub(page, last)
    late = bars(page)
    assert early != late
    assert sum(map(float, late)) == pytest.approx(1, abs=1e-3)
    page.get_by_test_id("player-step-back").click()
    step_is(page, last - 1)


def test_a_link_reproduces_the_run(visit):
    page = visit("digit=100&solver=euler-decay&euler-decay-steps=20&seed=3")
    scrub(page, 20)
    again = visit(page.url.split("?")[1])
    scrub(again, 20)
    assert outcome(again) == outcome(page)
    assert bars(again) == bars(page)


@pytest.mark.parametrize("query", ["digit=60", "input=Objects&object=6"])
def test_what_a_particle_looks_at_lights_up_and_moves_with_the_flow(visit, query):
    page = visit(query, settled=False)
    expect(page.get_by_test_id("player-status")).to_contain_text("of where it began")
    canvas, said = page.get_by_test_id("player-input"), page.get_by_test_id("player-looking")

    def picture() -> str:
        page.evaluate(TWO_FRAMES)
        return canvas.evaluate("canvas => canvas.toDataURL()")

    scrub(page, 1)
    pictures = [picture()]
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("p")
    expect(said).to_have_text(re.compile(r"Particle 1: half on \d+ points?"))
    pictures.append(picture())
    page.keyboard.press("p")
    expect(said).to_contain_text("Particle 2")
    pictures.append(picture())
    scrub(page, 4)
    pictures.append(picture())
    page.get_by_test_id("player-head").select_option("head 2")
    pictures.append(picture())
    assert len(set(pictures)) == len(pictures)
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("Escape")
    expect(said).to_contain_text("Click a particle")
    assert picture() == pictures[0]


def where(page, n: int) -> list[float]:
    """Where particle ``n`` of the first run is on the page."""
    return page.evaluate(
        """n => {
          const { player } = [...ddeqPlayers.values()].find((entry) => entry.player);
          const { views, root } = player.stage;
          const { run, at, matrix: m, rect } = views[0];
          const p = run.between("particles", at, n, [0, 0, 0]);
          const row = (k) => m[k] * p[0] + m[4 + k] * p[1] + m[8 + k] * p[2] + m[12 + k];
          const box = root.getBoundingClientRect();
          return [
            box.left + (rect.x + ((row(0) / row(3) + 1) / 2) * rect.width) / player.dpr,
            box.top + (rect.y + ((1 - row(1) / row(3)) / 2) * rect.height) / player.dpr,
          ];
        }""",
        n,
    )


def test_a_thrown_particle_flows_on_beside_the_run_it_left(visit):
    page = visit("digit=60")
    root, touching = page.get_by_test_id("player-root"), page.get_by_test_id("player-touching")
    expect(touching).to_be_visible()
    expect(page.get_by_test_id("player-remove")).to_be_disabled()
    scrub(page, 5)
    x, y = where(page, 0)
    camera = page.evaluate("[...ddeqPlayers.values()][0].player.stage.camera.yaw")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=4)
    expect(page.get_by_test_id("player-held")).to_be_visible()
    page.mouse.up()
    expect(root).to_have_attribute("data-runs", "2")
    expect(page.get_by_test_id("player-stage")).to_contain_text("thrown at step 5")
    expect(page.get_by_role("button", name="Back to the run nobody touched")).to_be_visible()
    assert page.evaluate("[...ddeqPlayers.values()][0].player.stage.camera.yaw") == camera
    assert page.evaluate("[...ddeqPlayers.values()][0].player.runs[1].steps[0]") == 5
    page.get_by_role("button", name="Back to the run nobody touched").click()
    expect(root).to_have_attribute("data-runs", "1")


def test_particles_are_added_and_removed(visit):
    page = visit("digit=60")
    stage, root = page.get_by_test_id("player-stage"), page.get_by_test_id("player-root")
    page.get_by_test_id("player-add").click()
    expect(stage).to_contain_text("one added at step")
    expect(root).to_have_attribute("data-runs", "2")
    page.get_by_role("button", name="Back to the run nobody touched").click()
    expect(root).to_have_attribute("data-runs", "1")
    stage.focus()
    page.keyboard.press("p")
    page.get_by_test_id("player-remove").click()
    expect(stage).to_contain_text("particle 1 removed at step")


def test_a_setting_changed_runs_again_and_enters_the_link(visit):
    page = visit("digit=100")
    page.get_by_text("Solver settings").click()
    field = page.get_by_role("spinbutton", name="Step limit")
    field.fill("3")
    field.press("Enter")
    expect(page.get_by_text(re.compile("after 3 steps and 4 network evaluations"))).to_be_visible()
    expect(page).to_have_url(re.compile("nesterov-steps=3"))


def test_a_ply_file_is_classified(visit, tmp_path):
    gallery = load_gallery()
    points = gallery.cloud(180).points
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(np.pad(points, [(0, 0), (0, 1)])))
    o3d.io.write_point_cloud(str(tmp_path / "digit.ply"), cloud)
    page = visit("digit=180")
    expected = outcome(page)
    page.get_by_test_id("digit-0").click()
    expect(page.get_by_text(re.compile("reads this as a 0"))).to_be_visible()
    upload(page, "digit.ply", (tmp_path / "digit.ply").read_bytes())
    expect(page.get_by_text(re.compile(f"reads this as an? {expected[0]}"))).to_be_visible()
    assert outcome(page) == expected


def test_a_broken_file_is_one_sentence_and_nothing_is_lost(visit):
    page = visit("digit=0")
    before = outcome(page)
    upload(page, "broken.ply", b"ply\nformat ascii 1.0\nelement vertex 9999999\n")
    expect(page.get_by_role("alert")).to_contain_text("broken.ply")
    assert outcome(page) == before
    expect(page.get_by_test_id("player-bars")).to_be_visible()


def test_a_drawing_is_classified(visit):
    page = visit("digit=0")
    page.get_by_text("Draw", exact=True).click()
    canvas = page.get_by_test_id("pad-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.55, 0.15))
    page.mouse.down()
    page.mouse.move(*at(0.45, 0.85), steps=12)
    page.mouse.up()
    page.get_by_test_id("pad-use").click()
    expect(page.get_by_text(re.compile("reads this as a 1"))).to_be_visible()


def solving(visit):
    """The page in the midst of a solve too long to end before a slow browser has shown it."""
    long = "solver=euler&euler-steps=5000&tolerance=0&particles=300"
    page = visit(f"digit=0&{long}", settled=False)
    last = re.compile(r"\d\d+")  # streaming before the end
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-last", last)
    return page


def stop(page) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").click()
    expect(page.get_by_text(SENTENCE)).to_contain_text("You stopped it")
    expect(page.get_by_test_id("player-status")).to_contain_text("You stopped it")


def test_stop_keeps_what_was_solved(visit):
    page = solving(visit)
    stop(page)
    assert 0 < int(page.get_by_test_id("player-root").get_attribute("data-last")) < 5000


def test_a_setting_changed_while_solving_starts_afresh(visit):
    page = solving(visit)
    page.get_by_text("Solver settings").click()
    field = page.get_by_role("spinbutton", name="Step limit")
    field.fill("4")
    field.press("Enter")
    expect(page.get_by_text(SENTENCE)).to_contain_text("after 4 steps")
    expect(page.get_by_test_id("player-status")).to_contain_text("It met the step limit")
    expect(page.get_by_test_id("player-root")).to_have_attribute("data-last", "4")


def test_a_rerun_while_solving_goes_on(visit):
    page = solving(visit)
    page.get_by_text("Upload", exact=True).first.click()
    expect(page.locator("input[type=file]")).to_be_attached()
    stop(page)


def lost(route) -> None:
    route.fulfill(status=404)


def is_lost(response) -> bool:
    return response.status == 404


def test_data_lost_while_solving_is_fetched_again(visit):
    page = solving(visit)
    page.route("**/media/*.bin", lost)
    for _ in range(3):
        with page.expect_response(is_lost):
            pass
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute("**/media/*.bin", lost)
    stop(page)


def test_lost_data_of_a_finished_run_is_asked_for_once_more(visit):
    page = visit("digit=0")
    page.route("**/media/*.bin", lost, times=3)  # in the midst of what the finished run needs
    page.get_by_test_id("digit-26").click()
    expect(page.get_by_text(SENTENCE)).to_contain_text("a 1")
    right = page.locator('[data-testid="player-bar"][data-right]')
    expect(right).to_have_attribute("data-label", "1")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_data_that_stays_lost_is_an_error(visit):
    page = visit("digit=0")
    page.route("**/media/*.bin", lost)
    page.get_by_test_id("digit-26").click()
    expect(page.get_by_role("alert")).to_contain_text("run the solver again")


def test_a_run_can_be_taken_home(visit):
    page = visit("digit=0&nesterov-steps=10")
    files = {}
    for name in ("Trajectory (.npz)", "Metrics (.csv)", "Interactive page (.html)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[download.value.suggested_filename] = download.value.path().read_bytes()
    arrays = np.load(io.BytesIO(files["ddeq-run.npz"]), allow_pickle=False)
    rows = list(csv.DictReader(io.StringIO(files["ddeq-run.csv"].decode())))
    assert len(rows) == len(arrays["particles"])
    assert float(rows[-1]["objective"]) == pytest.approx(float(arrays["objective"][-1]))
    assert (
        b"player" in files["ddeq-run.html"]
        and b'http-equiv="refresh"' not in files["ddeq-run.html"]
    )


def test_on_a_phone_nothing_sticks_out(visit):
    page = visit("digit=0")
    page.set_viewport_size({"width": 400, "height": 850})
    expect(page.get_by_test_id("player-play")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_picking_an_object_shows_its_prediction(visit):
    page = visit("input=Objects&object=0", settled=False)
    reading = re.compile(r"reads this as an? [\w ]+ \(")
    expect(page.get_by_text(reading)).to_be_visible()
    page.get_by_test_id("object-0").press("ArrowDown")
    expect(page.get_by_test_id("object-6")).to_be_focused()  # the first table
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("object=6"))
    expect(page.get_by_text("Oak table", exact=True)).to_be_visible()
    expect(page.get_by_test_id("object-6")).to_have_attribute("aria-checked", "true")


def test_an_uploaded_mesh_is_shown_and_its_up_axis_can_be_changed(visit):
    page = visit("digit=0")
    corners = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 5)]
    sides = [(1, 3, 4, 2), (5, 6, 8, 7), (1, 2, 6, 5), (3, 7, 8, 4), (1, 5, 7, 3), (2, 4, 8, 6)]
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += ["f " + " ".join(map(str, side)) for side in sides]
    upload(page, "box.obj", "\n".join(lines).encode())
    expect(page.get_by_text("a mesh of 8 points and 6 faces")).to_be_visible()
    canvas = page.get_by_test_id("cloud-canvas")
    expect(canvas).to_be_visible()
    before = canvas.evaluate("(c) => c.toDataURL()")
    axis = page.get_by_role("combobox", name="Up axis")
    other = "x" if axis.input_value() != "x" else "z"
    axis.click()
    page.get_by_role("option", name=other, exact=True).click()
    turned = "([c, before]) => c.toDataURL() !== before"
    page.wait_for_function(turned, arg=[canvas.element_handle(), before])
    read = re.compile(r"(?:reads this as|its best guess is) an? \w+")
    expect(page.get_by_text(read)).to_be_visible()
