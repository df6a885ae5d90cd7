"""Headless Chromium and running Streamlit scripts, shared by all browser tests."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).parents[2]
# Without windows, and pages composed without the software GL that the player is drawn with: half
# the CPU time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
]

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def newcomers():
    """One browser for all tests, whose visitors come for the first time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Returning:
    """A browser whose visitors have seen the tour of the app, which no longer begins by itself."""

    browser: Browser

    def new_context(self, **options):
        context = self.browser.new_context(**options)
        context.add_init_script("try { localStorage['ddeq-tour-classify'] = 'seen' } catch {}")
        return context


@pytest.fixture(scope="session")
def chromium(newcomers):
    """The browser of most tests; each opens contexts of its own."""
    return Returning(newcomers)


@dataclass(frozen=True)
class Server:
    """A running Streamlit server."""

    address: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """CPU time it has used so far."""
        spent = self.process.cpu_times()
        return spent.user + spent.system


def run_command(script: Path) -> list[str]:
    """What ``make run`` runs, with another script than the app's if so wanted."""
    dry_run = ["make", "--no-print-directory", "--dry-run", "run"]
    said = subprocess.run(dry_run, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    program, *words = shlex.split(said.splitlines()[-1])
    assert Path(program).name == "streamlit" and "app.py" in words
    here = Path(sys.executable).with_name("streamlit")
    return [str(here), *(str(script) if word == "app.py" else word for word in words)]


@contextlib.contextmanager
def serving(script: Path) -> Iterator[Server]:
    """A Streamlit script at an address of its own, run as ``make run`` runs the app."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Who tests may have set the number of threads; who runs the app has not.
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    if script.parent != ROOT:
        environment["PYTHONPATH"] = str(ROOT)
    server = subprocess.Popen(
        [
            *run_command(script),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
            *("--server.headless", "true"),  # opens no browser
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert any("URL" in line for line in server.stdout), f"{script.name} ended at once."
        yield Server(f"http://127.0.0.1:{port}", psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def serve():
    """Runs a Streamlit script: ``with serve(path) as server``."""
    return serving


@pytest.fixture(scope="session")
def app():
    """The address of the app."""
    with serving(ROOT / "app.py") as server:
        yield server.address
