"""Measures the player beside Plotly's animated 3-D scatter: `python -m ddeq.view.player.bench`.

Both show the same run in the same headless Chromium with software rendering. Each figure is the
median of several repetitions. Of the player's frames only those count that the graphics process has
finished; of Plotly's, generously, all that it announces.
"""

import argparse
import functools
import http.server
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ddeq.provenance import provenance, typed
from ddeq.records import as_text, into_file, record
from ddeq.run.format import Trajectory, encode
from ddeq.view.player.assets import script

CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # No display to wait for: else nothing counts more than its 60 frames a second.
    "--disable-frame-rate-limit",
    "--disable-gpu-vsync",
]
FEW, MANY = 2048, 20_000  # particles
SECONDS = 3.0  # over which frames are counted
SCRUBS = 40  # of 200 steps
RESOLVES = 20

# Both pages offer `subject`: show(url) resolves once drawn; frames(seconds) is a rate; scrub(step)
# resolves once that step is drawn.
PLAYER_PAGE = """<!doctype html><meta charset="utf-8"><div id="host"></div>
<script type="module">{script}
const host = document.getElementById("host");
const shadow = host.attachShadow({{ mode: "open" }});
const sheet = document.createElement("style");
sheet.textContent = PLAYER_CSS;
shadow.append(sheet);
const player = new Player(shadow, {{}});
const pixel = new Uint8Array(4);
let drawn = () => {{}};
const draw = player.draw.bind(player);
player.draw = () => {{
  draw();
  drawn();
}};
// Reading a pixel waits until everything before it has been drawn.
const finish = () => {{
  const {{ gl }} = player.stage.renderer;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
}};
const nextDraw = () => new Promise((resolve) => (drawn = () => resolve(finish())));
globalThis.subject = {{
  async show(url) {{
    const run = new Run();
    run.append(new Uint8Array(await (await fetch(url)).arrayBuffer()));
    const done = nextDraw();
    player.setRuns([run], {{ height: 500 }});
    await done;
  }},
  async frames(seconds) {{
    let count = 0;
    drawn = () => count++;
    player.clock.loop = [player.clock.first, player.clock.last];
    player.clock.play();
    finish();
    const begin = performance.now();
    player.invalidate();
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    player.clock.pause();
    finish();
    return (1000 * count) / (performance.now() - begin);
  }},
  async scrub(step) {{
    const done = nextDraw();
    const slider = player.transport.scrub;
    slider.value = step;
    slider.dispatchEvent(new Event("input"));
    await done;
  }},
}};
</script>"""

PLOTLY_PAGE = """<!doctype html><meta charset="utf-8"><div id="host"></div>
<script>{script}</script>
<script>
const host = document.getElementById("host");
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const frame = {{ duration: 0, redraw: true }};
const now = {{ mode: "immediate", frame, transition: {{ duration: 0 }} }};
globalThis.subject = {{
  async show(url) {{
    const figure = await (await fetch(url)).json();
    await Plotly.newPlot(host, figure);
    await painted();
  }},
  async frames(seconds) {{
    let count = 0;
    const note = () => count++;
    host.on("plotly_animatingframe", note);
    Plotly.animate(host, null, {{ ...now, fromcurrent: false }}).catch(() => {{}});
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    host.removeListener("plotly_animatingframe", note);
    await Plotly.animate(host, ["0"], now);
    return count / seconds;
  }},
  async scrub(step) {{
    await Plotly.animate(host, [String(step)], now);
    await painted();
  }},
}};
</script>"""


def run_of(particles: int, steps: int) -> Trajectory:
    """A cloud that flows onto a torus."""
    rng = np.random.default_rng(0)
    u, v = rng.uniform(0, 2 * np.pi, (2, particles))
    ring = 2 + 0.7 * np.cos(v)
    target = np.stack([ring * np.cos(u), ring * np.sin(u), 0.7 * np.sin(v)], axis=1)  # (N, 3)
    start = 1.5 * rng.normal(size=(particles, 3))
    share = np.exp(-4 * np.linspace(0, 1, steps))[:, None, None]  # (T, 1, 1)
    flow = (target + share * (start - target)).astype(np.float32)  # (T, N, 3)
    return Trajectory("torus", np.arange(steps, dtype=np.int32), flow)


def plotly_json(run: Trajectory) -> bytes:
    """The same run as `st.plotly_chart` would send it: a 3-D scatter with one frame a step."""
    import plotly.graph_objects as go

    def scatter(step: int) -> go.Scatter3d:
        x, y, z = run.particles[step].T
        return go.Scatter3d(x=x, y=y, z=z, mode="markers", marker={"size": 2})

    frames = [go.Frame(data=[scatter(t)], name=str(t)) for t in range(len(run.steps))]
    return go.Figure([scatter(0)], {"height": 500}, frames).to_json().encode()


class Subject:
    """One of the two ways to show a run, in a page of its own."""

    def __init__(self, page: Any, folder: Path, pack: Callable[[Trajectory], bytes]) -> None:
        self.page, self.folder, self.pack = page, folder, pack
        self.cdp = page.context.new_cdp_session(page)

    def show(self, run: Trajectory) -> tuple[float, int]:
        """Milliseconds from arrays in Python to a drawn frame, and bytes sent."""
        begin = time.perf_counter()
        data = self.pack(run)
        (self.folder / "data").write_bytes(data)
        packed = time.perf_counter() - begin
        shown = self.page.evaluate(
            "async () => { const t = performance.now(); await subject.show('data');"
            " return performance.now() - t; }"
        )
        return 1000 * packed + shown, len(data)

    def frames_per_second(self) -> float:
        return self.page.evaluate("s => subject.frames(s)", SECONDS)

    def longest_scrub(self, steps: int) -> float:
        """Milliseconds, over steps far apart."""
        order = [int(k * 0.618 * steps) % steps for k in range(1, SCRUBS + 1)]
        return self.page.evaluate(
            """async (order) => {
              let longest = 0;
              for (const step of order) {
                const begin = performance.now();
                await subject.scrub(step);
                longest = Math.max(longest, performance.now() - begin);
              }
              return longest;
            }""",
            order,
        )

    def heap(self) -> float:
        """Bytes of JavaScript objects and their array buffers after collecting garbage."""
        self.cdp.send("HeapProfiler.collectGarbage")
        usage = self.cdp.send("Runtime.getHeapUsage")
        return usage["usedSize"] + usage.get("backingStorageSize", 0)


def measure(subject: Subject, repetitions: int, say: Callable[[str], None]) -> dict[str, float]:
    def repeated(measurement: Callable[[], float]) -> float:
        return median(measurement() for _ in range(repetitions))

    result: dict[str, float] = {}
    run = run_of(FEW, 100)
    subject.show(run)  # the first one also compiles
    shows = [subject.show(run) for _ in range(repetitions)]
    result["first_frame_ms"] = median(ms for ms, _ in shows)
    result["bytes_per_particle_step"] = shows[0][1] / run.particles[..., 0].size
    say("frames a second")
    result["fps_2048"] = repeated(subject.frames_per_second)
    subject.show(run_of(MANY, 30))
    result["fps_20000"] = repeated(subject.frames_per_second)
    say("scrubbing")
    subject.show(run_of(FEW, 200))
    result["longest_scrub_ms"] = repeated(lambda: subject.longest_scrub(200))
    say("memory")
    run = run_of(FEW, 100)
    heaps = []
    for _ in range(RESOLVES):
        subject.show(run)
        heaps.append(subject.heap())
    result["heap_growth"] = heaps[-1] / heaps[1] - 1
    return result


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def _tell(kind: str, what: str) -> None:
    print(f"{kind}: {what} ...", file=sys.stderr)


def measured(repetitions: int) -> dict[str, Any]:
    """Both ways to show a run, by name, and the version of the browser."""
    from playwright.sync_api import sync_playwright
    from plotly.offline import get_plotlyjs

    subjects: dict[str, tuple[str, str, Callable[[Trajectory], bytes]]] = {
        "player": (PLAYER_PAGE, script(), encode),
        "plotly": (PLOTLY_PAGE, get_plotlyjs(), plotly_json),
    }
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        program = shutil.which("chromium") or shutil.which("chromium-headless-shell")
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        results["chromium"] = browser.version
        with served(folder) as address:
            for kind, (template, code, pack) in subjects.items():
                (folder / f"{kind}.html").write_text(
                    template.format(script=code.replace("</", "<\\/"))
                )
                page = browser.new_page(viewport={"width": 1000, "height": 800})
                page.goto(f"{address}/{kind}.html")
                page.wait_for_function("globalThis.subject")
                results[kind] = measure(
                    Subject(page, folder, pack),
                    repetitions,
                    functools.partial(_tell, kind),
                )
                page.close()
        browser.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    origin = provenance(typed("python -m ddeq.view.player.bench", sys.argv[1:], {}))
    found = record(measured(arguments.repetitions), origin)
    print(as_text(found), end="")
    if arguments.record is not None:
        into_file(arguments.record, found)


if __name__ == "__main__":
    main()
