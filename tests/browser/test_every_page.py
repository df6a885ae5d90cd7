"""Every page in headless Chromium: nothing sticks out of it, and it asks nothing of the net."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

WIDTHS = (1400, 800, 390)
ENDED = re.compile("of where it began|You stopped it|It met the step limit")
PAGES = {
    "classify": "?digit=60",
    "objects": "?input=Objects&object=6",
    "complete": "complete?digit=168&fill-picard-steps=3",
    "complete objects": "complete?input=Objects&object=6&object-fill-picard-steps=1",
    "lab": "lab?digit=60&a-picard-steps=3&b-euler-steps=3",
    "learn": "learn?chapter=4",
}
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# By how many pixels each box around the page is wider within than it is, and which elements reach
# to where a scrollbar would be: this browser shows none.
STICKS_OUT = """() => {
  const found = {};
  const block = document.querySelector("[data-testid=stMainBlockContainer]");
  for (let node = block; node; node = node.parentElement) {
    const out = node.scrollWidth - node.clientWidth;
    if (out > 0) found[node.dataset.testid ?? node.tagName] = out;
  }
  for (const node of block.querySelectorAll("[data-testid=stElementContainer]")) {
    if (node.getBoundingClientRect().right > innerWidth - 15) found[node.className] = "scrollbar";
  }
  return found;
}"""

# Sources of the input that are not in one row within the page, and thumbnails of which only a part
# is seen; a strip of objects among their names may end within one.
CUT_OFF = """() => {
  const sources = [...document.querySelectorAll(".st-key-input button")];
  const top = sources[0]?.getBoundingClientRect().top;
  const found = sources.filter((source) => {
    const box = source.getBoundingClientRect();
    return box.top !== top || box.left < 0 || box.right > innerWidth;
  });
  for (const host of document.querySelectorAll(".st-key-digits *, .st-key-objects *")) {
    const picker = host.shadowRoot?.querySelector(".picker");
    if (!picker || (picker.querySelector("span") && innerWidth <= 1000)) continue;
    const { left, right } = picker.getBoundingClientRect();
    found.push(...[...picker.querySelectorAll("button")].filter((cell) => {
      const box = cell.getBoundingClientRect();
      const inside = (x) => x > left + 1 && x < right - 1;
      return inside(box.left + 5) !== inside(box.right - 5); // where the picture is
    }));
  }
  return found.map((node) => node.ariaLabel ?? node.textContent);
}"""


def at_every_width(page):
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(TWO_FRAMES)
        yield width


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_and_nothing_is_asked_of_the_net(chromium, app, name):
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900})
    asked = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app}/{PAGES[name]}")
    if name.startswith("complete"):
        page.get_by_role("button", name="Complete", exact=True).click()
    player = page.get_by_test_id("player-root").first
    expect(player).to_have_attribute("data-last", re.compile(r"[1-9]"))
    if name != "learn":
        expect(page.get_by_test_id("player-status")).to_contain_text(ENDED)
    player.get_by_test_id("player-scrub").evaluate(
        "(e) => { e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    for width in at_every_width(page):
        assert page.evaluate(STICKS_OUT) == {}, width
        assert page.evaluate(CUT_OFF) == [], width
    icon = page.locator("link[rel~=icon]").first.get_attribute("href")
    assert icon.startswith("data:image/svg")
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    context.close()
