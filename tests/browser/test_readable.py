"""What is small can be read, and where the keyboard is can be seen, in headless Chromium."""

import contextlib
import re

import pytest
from playwright.sync_api import TimeoutError, expect

PAGES = {"classify": "?digit=60", "complete": "complete?object=0", "lab": "lab?digit=60"}
# Texts below 18 pixels whose contrast with what is behind them is less than 4.5 : 1.
FAINT = """() => {
  const parts = (colour) => {
    const numbers = colour.match(/[\\d.]+/g).map(Number);
    return colour.startsWith("color(srgb") ? numbers.map((c, k) => (k < 3 ? 255 * c : c)) : numbers;
  };
  const over = ([r, g, b, a = 1], under, share) =>
    [r, g, b].map((c, k) => c * a * share + under[k] * (1 - a * share));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => {
      const s = c / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const up = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  // What stands beside a slider's thumb is within it for the browser alone.
  const UNREAD =
    "[disabled], [aria-disabled=true], .katex, [data-testid=stIconMaterial], [role=slider]," +
    "[data-testid=stSliderThumbValue]";
  const found = [];
  const check = (node) => {
    const style = getComputedStyle(node);
    const said = [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const box = node.getBoundingClientRect();
    const seen = box.width > 1 && box.height > 1 && style.visibility === "visible";
    if (said && seen && parseFloat(style.fontSize) < 18) {
      let [share, behind] = [1, null];
      for (let at = node; at && !behind; at = up(at)) {
        const { opacity, backgroundColor } = getComputedStyle(at);
        share *= Number(opacity);
        if (at.closest(UNREAD)) return;
        const [r, g, b, a = 1] = parts(backgroundColor);
        if (a === 1) behind = [r, g, b];
      }
      behind ??= [255, 255, 255];
      if (share * (parts(style.color)[3] ?? 1) < 0.05) return; // shown when it is pointed at
      const [x, y] = [light(over(parts(style.color), behind, share)), light(behind)];
      const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
      const text = node.textContent.trim().slice(0, 30);
      if (contrast < 4.5) found.push(`${text} ${contrast.toFixed(2)}`);
    }
  };
  const visit = (root) => {
    for (const node of root.querySelectorAll("*")) {
      check(node);
      if (node.shadowRoot) visit(node.shadowRoot);
    }
  };
  visit(document.querySelector("[data-testid=stMainBlockContainer]"));
  return found;
}"""


@pytest.fixture
def visit(chromium, app):
    contexts = []

    def opened(path: str, **options):
        context = chromium.new_context(viewport={"width": 1400, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{app}/{path}")
        expect(page.get_by_test_id("player-root").first).to_have_attribute(
            "data-step", re.compile(".")
        )
        expect(page.locator("[data-test-script-state=notRunning]")).to_have_count(1)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_small_text_stands_out(visit, name, scheme):
    page = visit(PAGES[name], color_scheme=scheme)
    with contextlib.suppress(TimeoutError):  # while a page is drawn anew, its old parts are pale
        page.wait_for_function(f"() => ({FAINT})().length === 0")
    assert page.evaluate(FAINT) == []


def test_the_keyboard_is_seen_among_the_pages(visit):
    page = visit(PAGES["classify"])
    link = page.get_by_role("link", name="Complete", exact=True)
    link.focus()
    style = "(e) => getComputedStyle(e).outlineStyle"
    assert link.evaluate(style) == "solid"


def test_who_wants_little_to_move_sees_the_end_at_once(visit):
    page = visit(PAGES["classify"], reduced_motion="reduce")
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-step", root.get_attribute("data-last"))
    assert root.get_attribute("data-playing") == "false"


def test_long_work_has_one_stop(chromium, app):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{app}/?digit=0&solver=euler&euler-steps=5000&tolerance=0&particles=300")
    root = page.get_by_test_id("player-root")
    expect(root).to_have_attribute("data-last", re.compile(r"\d\d+"))
    expect(page.get_by_role("button", name="Stop")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("You stopped it").first).to_be_visible()
    context.close()
