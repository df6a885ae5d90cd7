"""Functions of the view can be read aloud."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ddeq" / "view").rglob("*.py")]
MOST_LINES, MOST_PARAMETERS = 40, 6
OPTIONS = {"player"}  # its options are given by keyword, as those of Streamlit's own elements are


def lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its documentation."""
    text = 0
    if ast.get_docstring(function) is not None:
        text = function.body[0].end_lineno - function.body[0].lineno + 1
    return function.end_lineno - function.lineno + 1 - text


def parameters(function: ast.FunctionDef) -> int:
    given = function.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_no_function_is_long_and_none_takes_many_things():
    found = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name not in OPTIONS:
                size = lines(node), parameters(node)
                if size[0] > MOST_LINES or size[1] > MOST_PARAMETERS:
                    found[f"{path.relative_to(ROOT)}: {node.name}"] = size
    assert not found
