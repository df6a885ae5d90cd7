"""What a session keeps: every name once, and nowhere else."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from ddeq.view.session import Kept, Name

ROOT = Path(__file__).parents[2]
MODULES = [*(ROOT / "pages").glob("*.py"), *(ROOT / "ddeq" / "view").rglob("*.py")]


def keys_of_widgets(tree: ast.AST) -> list[str]:
    """The names that elements of a module are given as they stand."""
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "key":
            if isinstance(node.value, ast.Constant):
                found.append(node.value.value)
            elif isinstance(node.value, ast.Name) and node.value.id in constants:
                found.append(constants[node.value.id])
    return found


def keys_of_the_session(tree: ast.AST) -> set[str]:
    """The names under which a module asks the session for something, as they stand."""

    def is_session(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == "session_state"

    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_session(node.value):
            name = node.slice
        elif isinstance(node, ast.Call) and is_session(getattr(node.func, "value", None)):
            name = node.args[0]
        elif isinstance(node, ast.Attribute) and is_session(node.value):
            name = ast.Constant(None if node.attr in ("get", "pop") else node.attr)
        else:
            continue
        if isinstance(name, ast.Constant) and name.value is not None:
            found.add(name.value)
    return found


def test_every_name_is_in_the_apps_namespace_and_is_used():
    names = [Kept(name).key for name in Name]
    assert len(set(names)) == len(names) and all(name.startswith("ddeq.") for name in names)
    everything = "\n".join(path.read_text() for path in MODULES)
    for name in Name:
        assert f"Name.{name.name}" in everything, name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_beside_them_the_session_is_asked_for_ones_own_widgets_alone(path):
    tree = ast.parse(path.read_text())
    assert keys_of_the_session(tree) <= set(keys_of_widgets(tree))


def test_no_two_widgets_have_one_name():
    """One session has all pages, so a name means the same on each."""
    names = Counter(
        key for path in MODULES for key in {*keys_of_widgets(ast.parse(path.read_text()))}
    )
    assert [name for name, count in names.items() if count > 1] == []
