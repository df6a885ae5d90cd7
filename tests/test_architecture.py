"""The library stands without the app, the app without a network, and every layer on those below."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from tools import import_graph

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
APP = {"streamlit", "plotly", "altair"}


def section(title: str) -> str:
    return PAGE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


def layers() -> list[set[str]]:
    """Rooms by layer, from the bottom, as the documentation lists them."""
    rows = re.findall(r"^\| (`.*?) \|", section("Who may import whom"), re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", row)) for row in rows]


def test_a_room_imports_only_from_layers_below_its_own():
    graph = import_graph.room_graph()
    order = {room: number for number, layer in enumerate(layers()) for room in layer}
    assert set(graph) == set(order)
    wrong = [(a, b) for a, below in graph.items() for b in below if order[b] >= order[a]]
    assert not wrong


def test_no_module_imports_itself_by_way_of_others():
    TopologicalSorter(import_graph.module_graph()).prepare()


def test_arrows_are_read_from_the_code(tmp_path):
    (tmp_path / "a.py").write_text(
        "import torch\nfrom ddeq.solve import flow as f\n\ndef late():\n    import ddeq.run.base\n"
    )
    assert import_graph.imports_of(tmp_path / "a.py") == {
        "torch",
        "ddeq.solve.flow",
        "ddeq.run.base",
    }
    graph = import_graph.module_graph()
    assert "ddeq.solve.kernels" in graph["ddeq.solve.flow"]
    assert "ddeq.view.page" in graph["app"]


def test_arrows_that_a_longer_way_implies_are_left_out():
    graph = {"c": {"a", "b"}, "b": {"a"}, "a": set()}
    assert import_graph.without_detours(graph) == {"c": {"b"}, "b": {"a"}, "a": set()}
    assert import_graph.rows_of(graph) == [["c"], ["b"], ["a"]]


def test_the_way_of_the_data_leads_through_folders():
    way = import_graph.way_of_data(import_graph.room_graph())
    assert way["run"] == {"input", "metrics", "model", "solve"}
    assert "errors" not in way and {"app", "pages"} < set(way)


def test_the_picture_is_up_to_date():
    drawn = import_graph.picture(import_graph.room_graph())
    assert import_graph.PICTURE.read_text() == drawn, "run: python tools/import_graph.py --draw"


def test_every_place_to_look_is_there():
    """A cell names a place from the root, then files beside it or in it."""
    for row in re.findall(r"^\| .* \| (`.*) \|$", section("Where to look"), re.MULTILINE):
        first, *more = re.findall(r"`([\w/.]+)`", row)
        assert (ROOT / first).exists(), first
        folder = (ROOT / first) if (ROOT / first).is_dir() else (ROOT / first).parent
        for name in more:
            assert (folder / name).exists() or (ROOT / name).exists(), (first, name)


def test_only_the_view_imports_the_app():
    for name, path in import_graph.modules().items():
        if import_graph.room_of(name) not in ("view", "pages", "app"):
            imported = {found.partition(".")[0] for found in import_graph.imports_of(path)}
            assert not imported & APP, name


def test_the_library_never_loads_the_app():
    names = [name for name in import_graph.modules() if name.startswith("ddeq")]
    names = [name for name in names if not name.startswith("ddeq.view")]
    program = (
        "import importlib, sys\n"
        f"for name in {sorted(set(names) - {'ddeq.__main__'})}:\n"
        "    importlib.import_module(name)\n"
        "assert not {'streamlit', 'plotly'} & set(sys.modules), 'the library imports the app'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_pages_hold_widgets_calls_and_views_alone():
    """They name nothing below the view but its error, and define nothing."""
    for page in (ROOT / "pages").glob("*.py"):
        used = import_graph.imports_of(page)
        beyond = [name for name in used if not name.startswith("ddeq.view.")]
        assert {*beyond} <= {"streamlit", "ddeq.errors.UserError"}, (page.name, beyond)
        defined = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, defined) for node in ast.walk(ast.parse(page.read_text())))


def test_every_refusal_is_shown_letter_by_letter():
    """What users are told may hold names and lines of their files."""
    shown = r"st\.(?:error|warning)\((?!verbatim\()"
    for folder in ("pages", "ddeq/view"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(shown, path.read_text()), path.name
