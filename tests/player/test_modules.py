"""The player's JavaScript: its own unit tests, and agreement with the Python side."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from playwright._impl._driver import compute_driver_executable

from ddeq.view.player import Curve, Looked, Trajectory, decode, encode
from ddeq.view.player.assets import WEB, script

HERE = Path(__file__).parent
NODE = compute_driver_executable()[0]  # Playwright brings one along


def node(*arguments):
    return subprocess.run([NODE, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_javascript(path):
    result = node("--test", path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("precise", [False, True], ids=["uint16", "float32"])
def test_the_browser_reads_what_python_wrote(tmp_path, precise):
    rng = np.random.default_rng(0)
    T, N, C = 9, 5, 3

    def floats(*shape):
        return rng.normal(size=shape).astype(np.float32)

    written = Trajectory(
        label="run é",
        steps=np.cumsum(rng.integers(1, 4, T)).astype(np.int32),
        particles=floats(T, N, 3),
        ghost=floats(T, N, 3),
        terms=floats(T, 3, N, 3),
        bars=rng.dirichlet(np.ones(C), T).astype(np.float32),
        classes=("a", "b", "c"),
        curves=(Curve("objective", floats(T), "objective", True),),
        kept=np.array([True, False, True, False, False]),
        input=floats(4, 2),
        truth=floats(6, 3),
        status="Converged.",
    )
    (tmp_path / "run").write_bytes(encode(written, precise=precise, chunk=4))
    seen = json.loads(node(HERE / "read_run.mjs", tmp_path / "run").stdout)
    expected = decode((tmp_path / "run").read_bytes())
    assert (seen["label"], seen["status"]) == (expected.label, expected.status)
    assert seen["steps"] == expected.steps.tolist()
    for name in ("particles", "ghost", "bars", "kept"):
        np.testing.assert_allclose(seen[name], getattr(expected, name), atol=1e-6)
    np.testing.assert_allclose(seen["terms"], expected.terms.reshape(T, 3 * N, 3), atol=1e-6)
    np.testing.assert_allclose(seen["curves"][0], expected.curves[0].values, rtol=1e-6)
    np.testing.assert_allclose(seen["input"], expected.input.ravel(), rtol=1e-6)
    np.testing.assert_allclose(seen["truth"], expected.truth.ravel(), rtol=1e-6)


@pytest.mark.parametrize("tokens", [None, 3], ids=["points", "tokens"])
def test_the_browser_sees_what_a_particle_looks_at(tmp_path, tokens):
    """The mean of the heads and one of them, at recorded steps and half-way between two."""
    rng = np.random.default_rng(0)
    T, N, H, M, w = 4, 3, 2, 6, 5
    shares = None if tokens is None else rng.dirichlet(np.ones(M), tokens).astype(np.float32)
    keys = rng.normal(size=(H, tokens or M, w)).astype(np.float32)
    queries = rng.normal(size=(T, H, N, w)).astype(np.float32)
    written = Trajectory(
        label="run",
        steps=np.arange(T, dtype=np.int32),
        particles=np.zeros((T, N, 2), np.float32),
        input=np.zeros((M, 2), np.float32),
        looked=Looked(keys, shares),
        queries=queries,
    )
    (tmp_path / "run").write_bytes(encode(written, chunk=3))
    seen = json.loads(node(HERE / "read_attention.mjs", tmp_path / "run").stdout)
    powers = np.exp(np.einsum("thnw,hcw->thnc", queries, keys))
    paid = powers / powers.sum(-1, keepdims=True)  # (T, H, N, tokens or M)
    if shares is not None:
        paid = paid @ shares  # (T, H, N, M)
    np.testing.assert_allclose(seen["mean"], paid.mean(1), atol=5e-3)
    np.testing.assert_allclose(seen["second"], paid[:, 1], atol=5e-3)
    np.testing.assert_allclose(seen["between"], paid[1:3].mean((0, 1)), atol=5e-3)


def test_the_joined_script_is_one_valid_module(tmp_path):
    (tmp_path / "player.mjs").write_text(script())
    result = node("--check", tmp_path / "player.mjs")  # clashing names would be a syntax error
    assert result.returncode == 0, result.stderr
    assert not re.search(r"^import ", script(), re.MULTILINE)
    for path in WEB.glob("*.js"):  # none is left out
        assert path.read_text().splitlines()[0] in script(), path.name


def test_other_peoples_code_is_in_the_script_with_its_licence():
    for path in WEB.glob("*/*.cjs"):
        assert path.read_text() in script()
        assert path.with_name("LICENSE.md").read_text() in script()
