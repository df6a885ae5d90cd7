"""Takes the pictures of the pages in docs/ anew, in headless Chromium.

python tools/take_pictures.py [classify complete lab learn]
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1400, "height": 900}
CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
PAGES = {  # name of the picture: address of the page
    "classify": "?digit=163",
    "complete": "complete?digit=168&step=1",  # a link to a moment is completed at once
    "lab": "lab?digit=163",
    "learn": "learn?chapter=3",
}
SCROLLED = {"complete": "player-scrub"}  # what is at the bottom, where that is below the fold
TO_BOTTOM = """(node) => {
  const part = node.closest(".transport");
  part.style.scrollMarginBottom = "16px";
  part.scrollIntoView({ block: "end" });
}"""
PATIENCE = 180_000  # ms for a solve on a slow machine


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The address of the app."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, *options, "--server.headless", "true"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if not any("URL" in line for line in server.stdout):
            raise SystemExit("The app ended at once: start it by hand to see why.")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def at_rest(page: Page) -> None:
    """Wait until the run is solved and shown at its last step."""
    player = page.get_by_test_id("player-root").first
    expect(player).to_have_attribute("data-last", re.compile(r"[1-9]"))
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Stop")).to_have_count(0)
    expect(player).not_to_have_attribute("data-live", re.compile(""))
    player.get_by_test_id("player-scrub").evaluate(
        "(e) => { e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(player).to_have_attribute("data-step", player.get_attribute("data-last"))
    page.wait_for_timeout(1000)  # for what fades


def take(names: list[str]) -> None:
    expect.set_options(timeout=PATIENCE)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        for name in names:
            context = browser.new_context(viewport=SIZE, color_scheme="light")
            context.add_init_script("try { localStorage['ddeq-tour-classify'] = 'seen' } catch {}")
            page = context.new_page()
            page.goto(f"{address}/{PAGES[name]}")
            at_rest(page)
            if name in SCROLLED:
                page.get_by_test_id(SCROLLED[name]).evaluate(TO_BOTTOM)
            page.screenshot(path=ROOT / "docs" / f"{name}.png")
            context.close()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *PAGES], help="default: all")
    take(parser.parse_args().names or list(PAGES))


if __name__ == "__main__":
    main()
