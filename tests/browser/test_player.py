"""The flow player as a person uses it, in headless Chromium."""

import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ddeq.view.player import Curve, Looked, Trajectory, encode, export_html

T, N, CLASSES = 41, 8, ("cat", "dog", "owl")


def trajectory(seed=0, label="euler", dim=3, kept=None):
    """A run with everything in it; the prediction changes from cat to owl at step 60 of 80."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, T)
    target = rng.normal(size=(N, dim))
    start = 3 * rng.normal(size=(N, dim))
    particles = target + (start - target) * np.exp(-3 * time)[:, None, None]  # (T, N, dim)
    terms = rng.normal(size=(T, 3, N, dim)) * 0.1
    bars = np.full((T, 3), 0.1)
    bars[:30, 0], bars[30:, 2] = 0.8, 0.8
    return Trajectory(
        label=label,
        steps=2 * np.arange(T, dtype=np.int32),
        particles=particles.astype(np.float32),
        ghost=np.broadcast_to(target, particles.shape).astype(np.float32),
        terms=terms.astype(np.float32),
        bars=bars.astype(np.float32),
        classes=CLASSES,
        curves=(
            Curve("objective", np.exp(-4 * time).astype(np.float32), "Objective", True),
            Curve("spread", (1 - time).astype(np.float32), "Spread", False),
        ),
        kept=kept,
        input=rng.normal(size=(50, 2)).astype(np.float32),
        axes=("PC 1 (41 %)", "PC 2 (14 %)", "PC 3 (7 %)")[:dim],
        note="Three axes explain 62 % of the variance.",
        right=("owl",),
        status="Converged after 80 steps.",
    )


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens a page with runs, exported as a file; any error in it fails the test."""
    contexts, errors = [], []

    def opened(*runs, size=(1200, 900), script=None, address="", **options):
        (tmp_path / "page.html").write_text(export_html([encode(run) for run in runs], "Runs"))
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if script:
            page.add_init_script(script)
        page.goto(f"file://{tmp_path}/page.html{address}")
        expect(root(page)).to_have_attribute("data-step", re.compile(r"\d+"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def root(page):
    return page.get_by_test_id("player-root")


def expect_step(page, step):
    expect(root(page)).to_have_attribute("data-step", str(step))


def slide(slider, value):
    slider.evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def scrub(page, step):
    slide(page.get_by_test_id("player-scrub"), step)


def bars(page):
    rows = page.get_by_test_id("player-bar")
    return rows.evaluate_all("rows => rows.map(r => [r.dataset.label, Number(r.dataset.value)])")


def screen_position(page, n):
    """Where particle `n` of the first run is on the page, by the player's own projection."""
    return page.evaluate(
        """n => {
          const { views, rects, root } = player.stage;
          const { run, at, matrix: m } = views[0];
          const p = run.between("particles", at, n, [0, 0, 0]);
          const row = (k) => m[k] * p[0] + m[4 + k] * p[1] + m[8 + k] * p[2] + m[12 + k];
          const box = root.getBoundingClientRect();
          const r = rects[0];
          return [
            box.left + r.x + (row(0) / row(3) + 1) / 2 * r.width,
            box.top + r.y + (1 - row(1) / row(3)) / 2 * r.height,
          ];
        }""",
        n,
    )


def stage_pixels(page):
    """The stage as an array (height, width, 3) in [0, 255]."""
    image = Image.open(io.BytesIO(page.get_by_test_id("player-stage").screenshot()))
    return np.asarray(image.convert("RGB")).astype(int)


def blueish(pixels):
    """How many pixels have the particles' accent colour rather than grey."""
    return int((pixels[..., 2] - pixels[..., 0] > 60).sum())


def looking_run():
    """Two heads: by the first, particle 0 looks at the left end of a row of points at first and at
    its right end at last; by the second, at its middle throughout."""
    M, time = 21, np.linspace(0, 1, T)
    queries = np.zeros((T, 2, N, M), np.float32)
    queries[:, 0, 0, 0], queries[:, 0, 0, M - 1] = 20 * (1 - time), 20 * time
    queries[:, 1, :, M // 2] = 20
    row = np.stack([np.linspace(-1, 1, M), np.zeros(M)], 1).astype(np.float32)
    looked = Looked(np.broadcast_to(np.eye(M, dtype=np.float32), (2, M, M)))
    return replace(trajectory(), input=row, looked=looked, queries=queries)


def glow(page):
    """Where on the input, from 0 at the left to 1, points are lit, or None."""
    return page.get_by_test_id("player-input").evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let [sum, count] = [0, 0];
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] < 200 || data[i] - data[i + 2] < 100) continue;
            sum += (i / 4) % width;
            count += 1;
          }
          return count ? sum / count / width : null;
        }"""
    )


def pin(page, n):
    page.mouse.click(*screen_position(page, n))
    expect(page.get_by_test_id("player-pin")).to_contain_text(f"particle {n + 1}")
    page.evaluate("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")


def test_a_pinned_particle_lights_what_it_looks_at(visit):
    page = visit(looking_run())
    said, head = page.get_by_test_id("player-looking"), page.get_by_test_id("player-head")
    expect(said).to_have_text("Click a particle: what does it look at?")
    expect(head).to_be_hidden()
    assert glow(page) is None
    pin(page, 0)
    assert said.get_attribute("title").endswith("particle 1 pays the 21 points.")
    head.select_option("head 1")
    expect(said).to_have_text("Particle 1: half on 1 point")
    left = glow(page)
    scrub(page, 80)
    expect_step(page, 80)
    right = glow(page)
    assert left < 0.25 and right > 0.75
    head.select_option("head 2")
    assert glow(page) == pytest.approx(0.5, abs=0.05)
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("p")
    expect(said).to_contain_text("Particle 2")
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    expect(said).to_contain_text("Click a particle")
    assert glow(page) is None


def test_attention_moves_while_the_run_plays(visit):
    page = visit(looking_run())
    pin(page, 0)
    page.get_by_test_id("player-head").select_option("head 1")
    before = glow(page)
    page.get_by_test_id("player-speed").select_option("8")
    page.get_by_test_id("player-play").click()
    expect_step(page, 80)
    expect(root(page)).to_have_attribute("data-playing", "false")
    assert before < 0.25 and glow(page) > 0.75


def test_runs_that_do_not_tell_say_nothing_of_what_particles_look_at(visit):
    page = visit(trajectory())
    pin(page, 0)
    expect(page.get_by_test_id("player-looking")).to_be_hidden()
    assert glow(page) is None


def test_playing_reaches_the_end_and_stops(visit):
    page = visit(trajectory())
    page.get_by_test_id("player-speed").select_option("8")
    page.get_by_test_id("player-play").click()
    expect(root(page)).to_have_attribute("data-playing", "true")
    expect_step(page, 80)
    expect(root(page)).to_have_attribute("data-playing", "false")
    expect(page.get_by_test_id("player-step-label")).to_have_text("step 80 / 80")


def test_pausing_holds_the_step(visit):
    page = visit(trajectory())
    page.get_by_test_id("player-play").click()
    page.wait_for_function("player.clock.time > 1")
    page.get_by_role("button", name="Pause").click()
    expect(root(page)).to_have_attribute("data-playing", "false")
    held = page.evaluate("player.clock.time")
    page.evaluate("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")
    assert page.evaluate("player.clock.time") == held < 80


def test_scrubbing_shows_the_probabilities_of_that_step(visit):
    run = trajectory()
    page = visit(run)
    for step in (2, 80, 58):
        scrub(page, step)
        expect_step(page, step)
        expected = dict(zip(CLASSES, run.bars[step // 2], strict=True))
        assert dict(bars(page)) == pytest.approx(expected, abs=1e-3)
    expect(page.get_by_test_id("player-bars")).to_have_attribute("data-prediction", "cat")


def test_single_steps_go_to_recorded_steps(visit):
    page = visit(trajectory())
    scrub(page, 11)
    page.get_by_test_id("player-step-forward").click()
    expect_step(page, 12)
    page.get_by_test_id("player-step-back").click()
    expect_step(page, 10)
    page.get_by_test_id("player-end").click()
    expect_step(page, 80)
    page.get_by_test_id("player-start").click()
    expect_step(page, 0)


def test_jumping_to_the_last_change_of_the_prediction(visit):
    page = visit(trajectory())
    page.get_by_test_id("player-change").click()
    expect_step(page, 60)
    expect(page.get_by_test_id("player-bars")).to_have_attribute("data-prediction", "owl")
    page.get_by_test_id("player-step-back").click()
    expect(page.get_by_test_id("player-bars")).to_have_attribute("data-prediction", "cat")


def test_every_key(visit):
    page = visit(trajectory())
    page.get_by_test_id("player-stage").focus()
    for key, step in [("ArrowRight", 2), ("ArrowRight", 4), ("ArrowLeft", 2), ("End", 80)]:
        page.keyboard.press(key)
        expect_step(page, step)
    page.keyboard.press("Home")
    expect_step(page, 0)
    page.keyboard.press("c")
    expect_step(page, 60)
    speed = page.get_by_test_id("player-speed")
    page.keyboard.press("]")
    expect(speed).to_have_value("2")
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(speed).to_have_value("0.5")
    page.keyboard.press(" ")
    expect(root(page)).to_have_attribute("data-playing", "true")
    page.keyboard.press(" ")
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.keyboard.press("?")
    expect(page.get_by_test_id("player-help-panel")).to_be_visible()
    expect(page.get_by_test_id("player-info")).to_contain_text("rounded by at most")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("player-help-panel")).to_be_hidden()
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("player.stage.camera.yaw") != pytest.approx(0.6)
    expect_step(page, 60)
    zoom = page.evaluate("player.stage.camera.zoom")
    page.keyboard.press("+")
    assert page.evaluate("player.stage.camera.zoom") > zoom
    page.keyboard.press("0")
    assert page.evaluate("player.stage.camera.zoom") == 1


def test_everything_that_can_be_pressed_has_a_name(visit):
    page = visit(trajectory())
    for role in ("button", "slider", "combobox"):
        for control in page.get_by_role(role).all():
            assert control.evaluate("e => e.getAttribute('aria-label') || e.textContent.trim()")
    scrub(page, 60)
    expect(page.get_by_role("slider", name="Step")).to_have_attribute(
        "aria-valuetext", "step 60 of 80, prediction owl (80 %)"
    )


def test_motion_is_interpolated_unless_recorded_steps_are_wanted(visit):
    run = trajectory()
    page = visit(run)
    drawn = "player.stage.views[0].run.between('particles', player.stage.views[0].at, 3)"
    scrub(page, 11)
    expect_step(page, 10)
    middle = (run.particles[5, 3] + run.particles[6, 3]) / 2
    assert page.evaluate(drawn) == pytest.approx(middle.tolist(), abs=1e-3)
    page.get_by_test_id("player-view").click()
    page.get_by_test_id("player-show-raw").check()
    page.wait_for_function("player.stage.views[0].at.u === 0")
    assert page.evaluate(drawn) == pytest.approx(run.particles[5, 3].tolist(), abs=1e-3)


def test_reduced_motion_shows_recorded_steps(visit):
    page = visit(trajectory(), reduced_motion="reduce")
    page.get_by_test_id("player-view").click()
    expect(page.get_by_test_id("player-show-raw")).to_be_checked()
    assert page.evaluate("player.clock.smooth") is False


def loop(page, *ends):
    page.get_by_test_id("player-loop").click()
    for name, step in zip(("from", "to"), ends, strict=True):
        slide(page.get_by_test_id(f"player-loop-{name}"), step)


def test_a_loop_stays_in_its_range(visit):
    page = visit(trajectory())
    loop(page, 10, 20)
    scrub(page, 12)
    page.get_by_test_id("player-speed").select_option("8")
    page.evaluate(
        """() => {
          globalThis.times = [];
          const note = () => { times.push(player.clock.time); requestAnimationFrame(note); };
          note();
        }"""
    )
    page.get_by_test_id("player-play").click()
    page.wait_for_function("times.filter((t, k) => k && t < times[k - 1]).length >= 2")
    assert page.evaluate("times.every(t => t >= 10 && t <= 20)")
    page.get_by_test_id("player-loop").click()
    expect_step(page, 80)


def test_hovering_tells_a_particle_s_values(visit):
    run = trajectory()
    page = visit(run)
    scrub(page, 40)
    expect_step(page, 40)
    page.mouse.move(*screen_position(page, 5))
    tip = page.get_by_test_id("player-tip")
    expect(tip).to_be_visible()
    n = int(re.search(r"particle (\d+)", tip.inner_text())[1]) - 1
    distance = np.linalg.norm(run.particles[20, n] - run.ghost[20, n])
    shown = re.search(r"to F\(μ\)\s*(\S+)", tip.inner_text())[1]
    assert float(shown.replace("−", "-")) == pytest.approx(distance, rel=0.01)
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_a_pinned_particle_s_step_is_the_sum_of_its_terms(visit):
    run = trajectory()
    page = visit(run)
    scrub(page, 40)
    expect_step(page, 40)
    page.mouse.click(*screen_position(page, 5))
    card = page.get_by_test_id("player-pin")
    expect(card).to_be_visible()
    n = int(re.search(r"particle (\d+)", card.inner_text())[1]) - 1
    vectors = {
        name: np.array([float(x) for x in text.split(",")])
        for name, text in card.locator("[data-term]").evaluate_all(
            "rows => rows.map(r => [r.dataset.term, r.dataset.vector])"
        )
    }
    names = ("attraction", "repulsion", "through F")
    for k, name in enumerate(names):
        assert vectors[name] == pytest.approx(run.terms[20, k, n], abs=1e-4)
    assert vectors["move"] == pytest.approx(sum(vectors[name] for name in names), abs=1e-9)
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_where_the_run_ends_no_step_is_taken_apart(visit):
    run = trajectory()
    page = visit(replace(run, status="It converged."))
    card, last = page.get_by_test_id("player-pin"), int(run.steps[-1])
    for step in (int(run.steps[-2]), last):
        scrub(page, step)
        expect_step(page, step)
        page.get_by_test_id("player-stage").focus()
        page.keyboard.press("p")
        expect(card.locator("[data-term]")).to_have_count(0 if step == last else 4)
    expect(card).to_contain_text("the run ends here")


def test_dragging_turns_and_the_wheel_zooms_once_the_stage_is_in_use(visit):
    page = visit(trajectory())
    box = page.get_by_test_id("player-stage").bounding_box()
    x, y = box["x"] + 60, box["y"] + 200
    page.mouse.move(x, y)
    page.mouse.wheel(0, -200)
    assert page.evaluate("player.stage.camera.zoom") == 1
    before = page.evaluate("player.stage.camera.yaw")
    page.mouse.down()
    page.mouse.move(x + 80, y + 10, steps=4)
    page.mouse.up()
    assert page.evaluate("player.stage.camera.yaw") != before
    page.mouse.wheel(0, -200)
    page.wait_for_function("player.stage.camera.zoom > 1")


def test_trails_velocities_and_colours_change_the_picture(visit):
    page = visit(trajectory(kept=np.arange(N) < 2))
    scrub(page, 11)
    expect_step(page, 10)
    pictures = [stage_pixels(page)]
    page.get_by_test_id("player-view").click()
    for name in ("trails", "arrows", "ghost"):
        page.get_by_test_id(f"player-show-{name}").click()
        pictures.append(stage_pixels(page))
    for colour in ("particle", "speed", "distance", "kept"):
        page.get_by_test_id("player-colour").select_option(colour)
        pictures.append(stage_pixels(page))
    for before, after in pairwise(pictures):
        assert (np.abs(before - after).max(axis=2) > 20).sum() > 50


def test_runs_are_compared_on_one_clock_and_camera(visit):
    runs = [trajectory(seed, label) for seed, label in enumerate(("euler", "picard", "anderson"))]
    page = visit(*runs)
    scrub(page, 40)
    expect_step(page, 40)
    assert page.evaluate("player.stage.views.map(v => v.at.a)") == [20, 20, 20]
    expect(page.get_by_test_id("player-bars")).to_have_count(3)
    for label in ("euler", "picard", "anderson"):
        expect(page.get_by_test_id("player-stage").get_by_text(label)).to_be_visible()
    boxes = page.evaluate("player.stage.rects.map(r => r.x)")
    assert boxes == sorted(set(boxes))  # side by side


def saved(page, kind):
    page.get_by_test_id("player-save").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"player-save-{kind}").click()
    return Path(download.value.path()).read_bytes(), download.value.suggested_filename


def test_saving_a_picture(visit):
    page = visit(trajectory())
    scrub(page, 40)
    data, name = saved(page, "png")
    assert name == "euler-step-40.png"
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert image.shape[1] >= 2 * page.evaluate("player.root.clientWidth")
    assert blueish(image[:, : image.shape[1] * 2 // 3]) > 1000  # the particles are in it


def test_saving_an_animation(visit):
    page = visit(trajectory(), size=(600, 900))
    loop(page, 10, 20)
    data, name = saved(page, "gif")
    assert name.endswith(".gif")
    film = Image.open(io.BytesIO(data))
    assert film.n_frames == 11  # steps 10, 11 ... 20
    film.seek(0)
    first = np.asarray(film.convert("RGB")).astype(int)
    film.seek(film.n_frames - 1)
    last = np.asarray(film.convert("RGB")).astype(int)
    assert (np.abs(first - last).max(axis=2) > 40).sum() > 200


def test_saving_a_video(visit):
    page = visit(trajectory(), size=(500, 900))
    page.get_by_test_id("player-speed").select_option("8")
    data, name = saved(page, "video")
    assert Path(name).suffix in (".mp4", ".webm")
    assert len(data) > 5000


def test_saving_a_cloud(visit):
    run = trajectory(kept=np.arange(N) < 2)
    page = visit(run)
    scrub(page, 40)
    expect_step(page, 40)
    lines = saved(page, "ply")[0].decode().splitlines()
    body = np.array([line.split() for line in lines[lines.index("end_header") + 1 :]], float)
    np.testing.assert_allclose(body[:, :3], run.particles[20], atol=1e-3)
    np.testing.assert_array_equal(body[:, 3], run.kept)


def test_a_saved_page_is_again_a_player_that_can_save_itself(visit, tmp_path):
    page = visit(trajectory())
    for generation in range(2):
        data, _ = saved(page, "html")
        path = tmp_path / f"saved-{generation}.html"
        path.write_bytes(data)
        page.goto(f"file://{path}")
        expect_step(page, 0)
        scrub(page, 58)
        expect(page.get_by_test_id("player-bars")).to_have_attribute("data-prediction", "cat")


def test_themes(visit):
    tones = {}
    for tone in ("light", "dark"):
        page = visit(trajectory(), color_scheme=tone)
        expect(root(page)).to_have_attribute("data-tone", tone)
        tones[tone] = stage_pixels(page).mean()
    assert tones["light"] > 200
    assert tones["dark"] < 60


def test_a_theme_that_changes_is_followed(visit):
    page = visit(trajectory(), color_scheme="light")
    page.emulate_media(color_scheme="dark")
    expect(root(page)).to_have_attribute("data-tone", "dark")


@pytest.mark.parametrize("width", [400, 820, 1400, 3840])
def test_nothing_is_wider_than_the_screen(visit, width):
    page = visit(trajectory(), trajectory(1, "picard"), size=(width, 900))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    stage = page.get_by_test_id("player-stage").bounding_box()
    chart = page.get_by_test_id("player-chart").first.bounding_box()
    assert stage["width"] > 0.6 * min(width, 2100)
    assert chart["y"] > stage["y"] + stage["height"]


def test_the_stage_is_sharp_on_a_dense_screen(visit):
    page = visit(trajectory(), device_scale_factor=2)
    ratio = page.evaluate("player.stage.canvas.width / player.stage.root.clientWidth")
    assert ratio == pytest.approx(2, abs=0.01)


def test_a_lost_context_is_recovered(visit):
    page = visit(trajectory())
    scrub(page, 40)
    expect_step(page, 40)
    assert root(page).page.get_by_test_id("player-stage").get_attribute("data-renderer") == "WebGL2"
    before = stage_pixels(page)
    page.evaluate(
        """async () => {
          const { canvas, gl } = player.stage.renderer;
          const loss = gl.getExtension("WEBGL_lose_context");
          const once = { once: true };
          const event = (name) => new Promise(f => canvas.addEventListener(name, f, once));
          const lost = event("webglcontextlost");
          loss.loseContext();
          await lost;
          await new Promise(f => setTimeout(f));
          const back = event("webglcontextrestored");
          loss.restoreContext();
          await back;
          await new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)));
        }"""
    )
    np.testing.assert_array_equal(stage_pixels(page), before)


def test_without_webgl_a_canvas_does_the_job_and_says_so(visit):
    with_gl = visit(trajectory())
    without = visit(
        trajectory(),
        script="""
          const original = HTMLCanvasElement.prototype.getContext;
          HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind === "webgl2" ? null : original.call(this, kind, ...rest);
          };""",
    )
    counts = []
    for page in (with_gl, without):
        scrub(page, 40)
        expect_step(page, 40)
        counts.append(blueish(stage_pixels(page)))
    expect(with_gl.get_by_test_id("player-fallback")).to_be_hidden()
    expect(without.get_by_test_id("player-fallback")).to_contain_text("WebGL2 is not available")
    assert counts[1] == pytest.approx(counts[0], rel=0.25)


def test_a_link_carries_the_step_and_the_camera(visit):
    page = visit(trajectory())
    scrub(page, 40)
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("+")
    camera = page.evaluate("player.stage.camera")
    page.get_by_test_id("player-link").click()
    page.wait_for_function("location.hash.includes('step=40')")
    page.reload()
    expect_step(page, 40)
    assert page.evaluate("player.stage.camera") == pytest.approx(camera, abs=1e-3)


def test_two_dimensions(visit):
    page = visit(trajectory(dim=2))
    before = page.evaluate("player.stage.camera")
    box = page.get_by_test_id("player-stage").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 200, steps=3)
    page.mouse.up()
    after = page.evaluate("player.stage.camera")
    assert after["x"] > before["x"]
    assert after["yaw"] == before["yaw"]  # a drag moves, there is nothing to turn


# In Streamlit

APP = """
import streamlit as st
from dataclasses import replace
from tests.browser.test_player import T, trajectory
from ddeq.view.pad import drawing_pad
from ddeq.view.player import encode_chunk, encode_header
from ddeq.view.player.component import player

run = trajectory(st.session_state.get("seed", 0))
pieces = st.session_state.setdefault("pieces", [])

def stream(first, last):
    for start in range(first, last, 5):
        frames = run.frames(start, min(start + 5, last))
        pieces.append(encode_chunk(start, replace(frames, status="")))
        player([pieces], key="flow", live=True)

begin, finish = st.button("Begin"), st.button("Finish")
if begin:
    pieces[:] = [encode_header(run)]
    stream(0, 20)
    st.session_state.live = True
if finish:
    stream(20, T)
    pieces.append(encode_chunk(T, run.frames(T, T)))
    st.session_state.live = False
if st.button("Another"):
    st.session_state.seed, st.session_state.live = 1, False
    run = trajectory(1)
    pieces[:] = [encode_header(run), encode_chunk(0, run)]
st.checkbox("Some setting")
if pieces:
    moment = player(
        [pieces], key="flow", live=st.session_state.get("live", False), links=True,
        state={k: st.query_params[k] for k in ("step", "camera") if k in st.query_params},
    )
    if moment.link:
        st.query_params.update(moment.link)
        st.text(f"linked to {moment.link['step']}")
strokes = drawing_pad("pad")
if strokes:
    st.text(f"{len(strokes)} strokes, first from {strokes[0][0]} to {strokes[0][-1]}")
st.text(f"pieces: {len(pieces)}")
"""


@pytest.fixture(scope="module")
def page_address(serve, tmp_path_factory):
    """The address of a running Streamlit page with a player and a drawing pad."""
    script = tmp_path_factory.mktemp("app") / "page.py"
    script.write_text(APP)
    with serve(script) as server:
        yield server.address


@pytest.fixture
def streamlit_page(chromium, page_address):
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.goto(page_address)
    expect(page.get_by_text("pieces: 0")).to_be_visible(timeout=30_000)
    yield page
    context.close()


def press(page, name, pieces):
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(f"pieces: {pieces}", exact=True)).to_be_visible()


def test_a_run_is_streamed_followed_and_finished(streamlit_page):
    page = streamlit_page
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    press(page, "Begin", 5)
    expect(root(page)).to_have_attribute("data-last", "38")
    expect_step(page, 38)  # follows live
    expect(root(page)).to_have_attribute("data-live", "")
    expect(page.get_by_test_id("player-live")).to_have_attribute("aria-pressed", "true")
    press(page, "Finish", 11)
    expect(root(page)).to_have_attribute("data-last", "80")
    expect_step(page, 80)
    expect(page.get_by_test_id("player-live")).to_be_hidden()
    expect(page.get_by_test_id("player-status")).to_have_text("Converged after 80 steps.")
    pieces = [url for url in fetched if url.endswith(".bin")]
    assert len(pieces) == len(set(pieces)) == 11  # each travels once


def test_a_rerun_keeps_the_player_as_it_is(streamlit_page):
    page = streamlit_page
    press(page, "Begin", 5)
    expect_step(page, 38)
    page.get_by_test_id("player-stage").focus()
    page.keyboard.press("+")
    page.get_by_test_id("player-speed").select_option("4")
    scrub(page, 10)
    root(page).evaluate("e => { globalThis.before = e; }")
    camera = page.evaluate("ddeqPlayers.get('flow').player.stage.camera")
    page.get_by_text("Some setting").click()
    press(page, "Another", 2)
    expect(root(page)).to_have_attribute("data-last", "80")
    expect_step(page, 10)
    assert root(page).evaluate("e => e === globalThis.before")
    assert page.evaluate("ddeqPlayers.get('flow').player.stage.camera") == camera
    expect(page.get_by_test_id("player-speed")).to_have_value("4")


def test_playing_reruns_nothing(streamlit_page):
    page = streamlit_page
    press(page, "Another", 2)
    expect_step(page, 0)
    sent = []
    page.on("websocket", lambda socket: sent.append(socket))
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_test_id("player-speed").select_option("8")
    page.get_by_test_id("player-play").click()
    expect_step(page, 80)
    scrub(page, 20)
    expect_step(page, 20)
    assert sent == []


def test_a_link_reaches_the_address_and_back(streamlit_page):
    page = streamlit_page
    press(page, "Another", 2)
    expect_step(page, 0)
    scrub(page, 30)
    expect_step(page, 30)
    page.get_by_test_id("player-link").click()
    expect(page.get_by_text("linked to 30")).to_be_visible()
    page.wait_for_url(re.compile("step=30"))
    page.reload()
    press(page, "Another", 2)
    expect_step(page, 30)


def test_streamlit_s_dark_theme_is_followed(streamlit_page):
    page = streamlit_page
    page.emulate_media(color_scheme="dark")
    page.reload()
    press(page, "Another", 2)
    expect(root(page)).to_have_attribute("data-tone", "dark")


def test_drawing_undoing_clearing_and_using_strokes(streamlit_page):
    page = streamlit_page
    pad = page.get_by_test_id("pad-canvas")
    pad.scroll_into_view_if_needed()
    expect(page.get_by_test_id("pad-use")).to_be_disabled()
    box = pad.bounding_box()

    def stroke(*points):
        moves = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        page.mouse.move(*moves[0])
        page.mouse.down()
        for move in moves[1:]:
            page.mouse.move(*move)
        page.mouse.up()

    stroke((0.25, 0.25), (0.75, 0.25), (0.5, 0.75))
    stroke((0.3, 0.5), (0.6, 0.5))
    stroke((0.1, 0.1), (0.2, 0.2))
    expect(pad).to_have_attribute("data-strokes", "3")
    page.get_by_test_id("pad-undo").click()
    expect(pad).to_have_attribute("data-strokes", "2")
    page.get_by_test_id("pad-use").click()
    said = page.get_by_text("2 strokes, first from")
    expect(said).to_be_visible()
    numbers = [float(x) for x in re.findall(r"[\d.]+", said.inner_text().split("from")[1])]
    assert numbers == pytest.approx([0.25, 0.25, 0.5, 0.75], abs=0.01)
    expect(pad).to_have_attribute("data-strokes", "2")  # still there after the rerun
    page.get_by_test_id("pad-clear").click()
    expect(pad).to_have_attribute("data-strokes", "0")
