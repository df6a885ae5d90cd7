"""The library stands without the app, and the app without a network."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_library_never_imports_the_app():
    files = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "ddeq").rglob("*.py")]
    names = [".".join(path.parts) for path in files if "view" not in path.parts]
    program = (
        "import importlib, sys\n"
        f"for name in {sorted(set(names) - {'ddeq.__main__'})}:\n"
        "    importlib.import_module(name)\n"
        "assert not {'streamlit', 'plotly'} & set(sys.modules), 'the library imports the app'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_pages_hold_no_mathematics():
    for page in (ROOT / "pages").glob("*.py"):
        imported = {
            name.name.split(".")[0]
            for node in ast.walk(ast.parse(page.read_text()))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert not imported & {"torch", "numpy", "scipy", "ot"}, page.name
