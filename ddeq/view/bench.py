"""Measures the app as a person waits for it: `python -m ddeq.view.bench app`.

In headless Chromium with software rendering, beside the server on the same machine. Each figure is
the median of several repetitions; every cold start is that of a server of its own.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from ddeq.provenance import provenance, typed
from ddeq.records import as_text, into_file, record

CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
]
APP = Path(__file__).parents[2] / "app.py"
PATIENCE = 120_000  # ms
DIGITS = (26, 60, 84, 100, 132, 156, 180, 204)  # clicked one after the other

ENTRY = "[...(globalThis.ddeqPlayers ?? new Map()).values()].find((entry) => entry.player)"
LABEL = f"() => ({ENTRY}).player.runs[0].meta.label"
MOVES = f"() => (({ENTRY})?.player.clock.time ?? 0) > 0"
# Of another run than that of this name: its first frame, the end of its solve, and its last frame.
ANOTHER = (
    f"(name) => {{ const run = ({ENTRY})?.player.runs[0]; return run && run.meta.label !== name; }}"
)
SOLVED = f"(name) => ({ANOTHER})(name) && Boolean(({ENTRY}).player.runs[0].status)"
SHOWN = f"""(name) => {{
  if (!({SOLVED})(name)) return false;
  const {{ live, playing, time, last }} = ({ENTRY}).player.clock;
  return !live && !playing && time >= last;
}}"""
# In the page, so that no message between programs is counted: until what a pin lights is drawn.
PIN = f"""() => new Promise((done) => {{
  const {{ player }} = {ENTRY};
  const input = player.input.canvas;
  player.unpin();
  requestAnimationFrame(() => requestAnimationFrame(() => {{
    const from = performance.now();
    const wait = () => {{
      if (input.hasAttribute("data-lit")) done((performance.now() - from) / 1000);
      else requestAnimationFrame(wait);
    }};
    player.pinNext();
    requestAnimationFrame(wait);
  }}));
}})"""


@contextmanager
def serving() -> Iterator[str]:
    """The app on a server of its own, which has served nobody yet; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
    words = [word for name, value in options.items() for word in (f"--server.{name}", str(value))]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(APP), *words],
        cwd=APP.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        if not any("URL" in line for line in server.stdout):
            raise SystemExit("The app's server ended at once; start it by hand to see why.")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def measured(repetitions: int) -> dict[str, Any]:
    """All figures, by name.

    ``click_to_last_frame_s`` is not the machine's alone: a whole run is shown in two seconds, so
    that a swift one is seen to flow.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(args=CHROMIUM, executable_path=program)
        try:
            cold = [_cold_start(browser) for _ in range(repetitions)]
            with serving() as address:
                found = _warm(browser, address, repetitions)
            return {"cold_start_to_moving_s": median(cold)} | found | {"chromium": browser.version}
        finally:
            browser.close()


def _cold_start(browser: Any) -> float:
    """Seconds from the start of a server until a particle moves."""
    began = time.perf_counter()
    with serving() as address:
        page = _visitor(browser)
        page.goto(f"{address}/?digit=0")
        page.wait_for_function(MOVES)
        took = time.perf_counter() - began
        page.context.close()
    return took


def _warm(browser: Any, address: str, repetitions: int) -> dict[str, Any]:
    """All else, of a server that has served somebody."""
    page = _visitor(browser)
    loaded: list[Any] = []
    page.on("requestfinished", lambda request: loaded.append(request))
    page.goto(f"{address}/?digit=0")
    page.wait_for_function(SHOWN, arg="")
    found: dict[str, Any] = _weights(loaded, address)
    found["reload_to_moving_s"] = median(_reload(page) for _ in range(repetitions))
    clicks = [_pick(page, DIGITS[k % len(DIGITS)]) for k in range(repetitions)]
    for name, times in zip(
        ("first_frame", "solved", "last_frame"), zip(*clicks, strict=True), strict=True
    ):
        found[f"click_to_{name}_s"] = median(times)
    found["pin_to_lit_s"] = median(page.evaluate(PIN) for _ in range(repetitions))
    page.context.close()
    return found


def _visitor(browser: Any) -> Any:
    """A page of somebody who has nothing of the app yet, but has seen its tour."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.add_init_script("try { localStorage['ddeq-tour-classify'] = 'seen' } catch {}")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    return page


def _weights(loaded: list[Any], address: str) -> dict[str, int]:
    """Requests and bytes of the first load, and those that are not Streamlit's own files."""
    sizes = [(request.url, request.sizes()["responseBodySize"]) for request in loaded]
    own = [size for url, size in sizes if not url.startswith(f"{address}/static/")]
    return {
        "first_load_requests": len(sizes),
        "first_load_bytes": sum(size for _, size in sizes),
        "of_these_ours_bytes": sum(own),
    }


def _reload(page: Any) -> float:
    began = time.perf_counter()
    page.reload(wait_until="commit")
    page.wait_for_function(MOVES)
    took = time.perf_counter() - began
    page.wait_for_function(SHOWN, arg="")
    return took


def _pick(page: Any, digit: int) -> tuple[float, ...]:
    """Seconds from a click in the gallery to the first new frame, to the end of the solve, and to
    the last frame."""
    before = page.evaluate(LABEL)
    began = time.perf_counter()
    page.get_by_test_id(f"digit-{digit}").click()
    took = []
    for state in (ANOTHER, SOLVED, SHOWN):
        page.wait_for_function(state, arg=before)
        took.append(time.perf_counter() - began)
    return tuple(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["app"], help="what is measured")
    parser.add_argument("--json", action="store_true", help="print JSON rather than lines")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    figures = measured(arguments.repetitions)
    found = record(figures, provenance(typed("python -m ddeq.view.bench", sys.argv[1:], {})))
    if arguments.json:
        print(as_text(found), end="")
    else:
        for name, value in figures.items():
            print(f"{name:24} {value:.3g}" if isinstance(value, float) else f"{name:24} {value}")
    if arguments.record is not None:
        into_file(arguments.record, found)


if __name__ == "__main__":
    main()
