"""The README's example runs as printed, and the documents name what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def test_the_library_example_runs():
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].split()[0] == "2"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_paths_in_the_documents_lead_somewhere(document):
    text = document.read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    tops = "assets|ddeq|docs|pages|recipes|tests|tools"
    paths = re.findall(rf"`((?:{tops})/[^`\s]*)`", text)
    assert [path for path in paths if not [*ROOT.glob(path.rstrip("/"))]] == []


def test_the_tree_names_what_is_there():
    text = (ROOT / "README.md").read_text()
    tree = text[text.index("## The tree") :]
    named = re.findall(r"^(\S+?)/? {2,}", tree, re.MULTILINE)
    assert named and all((ROOT / name).exists() for name in named)
    modules = {f"ddeq/{path.name}" for path in (ROOT / "ddeq").glob("*.py")}
    assert modules - set(named) <= {"ddeq/__init__.py", "ddeq/__main__.py", "ddeq/errors.py"}
    packages = {f"ddeq/{path.parent.name}" for path in (ROOT / "ddeq").glob("*/__init__.py")}
    assert packages <= {name.rstrip("/") for name in named}
