"""Headless Chromium and running Streamlit scripts, shared by all browser tests."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def newcomers():
    """One browser for all tests, whose visitors come for the first time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
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


@contextlib.contextmanager
def serving(script: Path) -> Iterator[str]:
    """The address at which a Streamlit script runs, started as a person would start it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", str(script)),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
            *("--server.headless", "true", "--server.fileWatcherType", "none"),
            *("--browser.gatherUsageStats", "false"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert any("URL" in line for line in server.stdout), f"{script.name} ended at once."
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def serve():
    """Runs a Streamlit script: ``with serve(path) as address``."""
    return serving


@pytest.fixture(scope="session")
def app():
    """The address of the app."""
    with serving(ROOT / "app.py") as address:
        yield address
