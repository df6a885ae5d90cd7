"""Functions can be read aloud: at most 40 lines without their docstring, at most 6 parameters.

Those that are longer are named here, with the reason.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES, PARAMETERS = 40, 6

WHY = {
    "ddeq/evaluation/completion.py compare": "what is compared and how it is solved, by keyword",
    "ddeq/input/formats/plain.py read_numbers": "how a table is written, by keyword",
    "ddeq/lab/fork.py Fork.__init__": "those of the run it is, and where it leaves another",
    "ddeq/solve/flow.py Flow.__init__": "the settings of a solve, by keyword; they meet here alone",
    "ddeq/run/completion.py CompleterRun.__init__": "the settings of a run, by keyword",
    "ddeq/training/loop.py train": "one loop, from top to bottom; what it is given, by keyword",
    "ddeq/view/player/component.py player": "what the player shows, by keyword",
}


def functions():
    files = [p for folder in ("ddeq", "pages", "tools") for p in (ROOT / folder).rglob("*.py")]
    for path in sorted([ROOT / "app.py", *files]):
        stack = [("", ast.parse(path.read_text()))]
        while stack:
            inside, node = stack.pop()
            for child in ast.iter_child_nodes(node):
                named = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                name = f"{inside}.{child.name}".lstrip(".") if named else inside
                stack.append((name, child))
                if named and not isinstance(child, ast.ClassDef):
                    yield f"{path.relative_to(ROOT).as_posix()} {name}", child


def size(function):
    """Lines without the docstring, and parameters without ``self``."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    every = function.args
    names = [a.arg for a in (*every.posonlyargs, *every.args, *every.kwonlyargs)]
    return lines, len([name for name in names if name not in ("self", "cls")])


def test_functions_are_short_or_say_why_not():
    long = {}
    for name, function in functions():
        lines, parameters = size(function)
        if lines > LINES or parameters > PARAMETERS:
            long[name] = f"{lines} lines, {parameters} parameters"
    assert {name: found for name, found in long.items() if name not in WHY} == {}


def test_no_reason_outlives_its_function():
    long = {name for name, f in functions() if size(f)[0] > LINES or size(f)[1] > PARAMETERS}
    assert WHY.keys() - long == set()
