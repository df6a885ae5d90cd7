"""What `pip install` brings: a wheel that stands without the checkout, and says what it needs."""

import ast
import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ddeq.input.gallery import load_gallery

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared(*extras: str) -> dict[str, Requirement]:
    """What the package asks for, by the name of the distribution."""
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(r.name): r for r in found if r.name != "ddeq"}


def third_party(files: list[Path]) -> set[str]:
    """The distributions that these files import from."""
    modules = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    foreign = modules - {"ddeq"} - set(sys.stdlib_module_names)
    absent = {"ray": ["ray"], "starlette": ["starlette"]}  # of an extra that few have
    return {canonicalize_name((known.get(name) or absent[name])[0]) for name in foreign}


def test_everything_that_is_imported_is_declared():
    def files(*folders: str) -> list[Path]:
        return [file for folder in folders for file in (ROOT / folder).rglob("*.py")]

    app = [*files("ddeq/view", "pages"), ROOT / "app.py"]
    # In a browser, as nobody does but developers.
    measured = [ROOT / "ddeq/view/bench.py", ROOT / "ddeq/view/player/bench.py"]
    training = files("ddeq/training", "ddeq/evaluation")
    served = ROOT / "ddeq/engine/ray_serve.py"
    library = {*files("ddeq")} - {*app, *training, served}
    assert third_party([served]) <= {*declared("serve")}
    assert third_party(sorted(library)) <= {*declared()}
    assert third_party(training) <= {*declared("train")}
    assert third_party([file for file in app if file not in measured]) <= {*declared("app")}
    assert third_party(measured) <= {*declared("app", "dev")}


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-serve.txt"]
)
def test_the_pinned_releases_are_those_that_the_package_asks_for(name):
    lines = (ROOT / name).read_text().splitlines()
    pinned = [Requirement(line.split("#")[0]) for line in lines if re.match(r"\w", line)]
    own = {"requirements-dev.txt": ("dev",), "requirements-serve.txt": ("serve",)}
    extras = own.get(name, ("app", "train"))
    asked = {
        key: requirement
        for key, requirement in declared(*extras).items()
        if name == "requirements.txt" or key not in declared()
    }
    usual = {key for key, r in asked.items() if r.marker is None or r.marker.evaluate()}
    assert {canonicalize_name(pin.name) for pin in pinned} == usual
    for pin in pinned:
        [version] = pin.specifier
        assert version.operator == "==" and version.version in asked[pin.name].specifier


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of the programs of an environment that the wheel was installed into.

    It sees the packages of this environment, which are what the wheel depends on, and neither the
    checkout nor anything else that lies in it.
    """
    folder = tmp_path_factory.mktemp("package")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    venv.create(folder / "venv", symlinks=True)
    programs = folder / "venv" / "bin"
    [site] = (folder / "venv").glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    [wheel] = wheels.iterdir()
    into = ["--python", str(programs / "python"), "install", "--no-deps", str(wheel)]
    subprocess.run([*pip, *into], check=True)
    return programs


@pytest.fixture
def elsewhere(tmp_path) -> dict:
    """How a process runs in an empty folder, far from the checkout."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return {"cwd": tmp_path, "env": environment | {"OMP_NUM_THREADS": "1"}, "text": True}


def test_the_wheel_is_what_runs_and_is_typed(installed, elsewhere):
    program = "import ddeq, pathlib; print(ddeq.__version__, pathlib.Path(ddeq.__file__).parent)"
    command = [installed / "python", "-c", program]
    said = subprocess.run(command, **elsewhere, capture_output=True, check=True).stdout
    version, folder = said.split()
    assert installed.parent in Path(folder).parents and (Path(folder) / "py.typed").is_file()
    command = [installed / "ddeq", "--version"]
    said = subprocess.run(command, **elsewhere, capture_output=True, check=True).stdout
    assert said.split() == ["ddeq", version]


def test_the_installed_command_classifies_a_shipped_cloud(installed, elsewhere):
    digit = 60  # a two
    np.savetxt(elsewhere["cwd"] / "digit.csv", load_gallery().cloud(digit).points, delimiter=",")
    command = [installed / "ddeq", "classify", "digit.csv", "--json"]
    done = subprocess.run(command, **elsewhere, capture_output=True, check=True)
    assert json.loads(done.stdout)["label"] == str(load_gallery().labels[digit])


def test_the_installed_app_starts_and_shows_its_first_page(installed, elsewhere):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [installed / "ddeq", "app", *options, "--server.headless", "true"]
    server = subprocess.Popen(command, **elsewhere, stdout=subprocess.PIPE)
    try:
        assert any("URL" in line for line in server.stdout), "the app ended at once"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
            assert (answer.status, answer.read()) == (200, b"ok")
    finally:
        server.terminate()
        server.wait()
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        "from ddeq.shipped import root\n"
        "page = AppTest.from_file(root() / 'app.py', default_timeout=300).run()\n"
        "assert not page.exception, page.exception\n"
        "print(page.title[0].value)"
    )
    command = [installed / "python", "-c", program]
    done = subprocess.run(command, **elsewhere, capture_output=True, check=True)
    assert done.stdout.strip() == "Watch a network think by flowing"
