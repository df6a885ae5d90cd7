"""Headless Chromium and the running app, shared by all browser tests."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each opens contexts of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app():
    """The address of the app, started as a person would start it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", "app.py"),
            *("--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert any("URL" in line for line in process.stdout), "The app ended at once."
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
