"""Results say where they come from, and nothing of the machine's paths."""

import json
import subprocess
from pathlib import Path

import pytest

from ddeq.provenance import ROOT, provenance, typed

FOLDERS = {"--data": "MNIST_FOLDER", "--runs": "RUNS_FOLDER"}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["evaluate", "digits", "--data", "/home/me/mnist"], "evaluate digits --data MNIST_FOLDER"),
        (["evaluate", "digits", "--data=mnist"], "evaluate digits --data=MNIST_FOLDER"),
        (["evaluate", "--runs", "runs", "--json"], "evaluate --runs RUNS_FOLDER --json"),
        (["evaluate", "--model", "digits-control"], "evaluate --model digits-control"),
        (["evaluate", "--model", f"{ROOT}/assets/a.json"], "evaluate --model assets/a.json"),
        (
            ["evaluate", "--figure", "/tmp/x.svg", "--limit", "3"],
            "evaluate --figure FIGURE --limit 3",
        ),
        (["evaluate", "--record=../x.json"], "evaluate --record=RECORD"),
        (["train", "/tmp/recipe.toml"], "train PATH"),
        (["evaluate", "--seeds", "0", "1"], "evaluate --seeds 0 1"),
    ],
)
def test_commands_are_told_as_others_would_type_them(arguments, shown):
    assert typed("ddeq", arguments, FOLDERS) == f"ddeq {shown}"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in {
        "code.py": "1",
        "assets/model.json": json.dumps({"points": 400, "results": {"test": 1}}),
        "docs/results.md": "words",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "all")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "dirty"),
    [
        ("code.py", "1", False),
        ("code.py", "2", True),
        ("docs/results.md", "other words", False),
        ("assets/model.json", '{"points": 400, "results": {"test": 2}}', False),
        ("assets/model.json", '{"points": 300, "results": {"test": 1}}', True),
        ("untracked.txt", "a note", False),
    ],
)
def test_a_tree_is_dirty_when_code_or_settings_are_not_those_of_the_commit(
    checkout, file, text, dirty
):
    (checkout / file).write_text(text)
    found = provenance("a command", checkout)
    assert found["commit"] == git(checkout, "rev-parse", "HEAD")
    assert found["dirty"] is dirty


def test_outside_of_a_checkout_there_is_no_commit(tmp_path, checkout):
    inside = checkout / "venv"
    inside.mkdir()  # what is installed within somebody's repository is not of that repository
    for folder in (inside, tmp_path / "nowhere"):
        found = provenance("a command", folder)
        assert found["commit"] is None and found["dirty"] is None


def test_versions_machine_and_date_are_told():
    found = provenance("a command")
    assert {*found["versions"]} == {"python", "torch", "ddeq"} and all(found["versions"].values())
    assert found["machine"]["cores"] >= 1 and found["machine"]["processor"]
    assert len(found["date"].split("-")) == 3
