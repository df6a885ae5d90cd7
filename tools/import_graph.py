"""Print the import graph of the code, and draw the data's way through it.

python tools/import_graph.py [--draw]

A room is a folder of ddeq/, a module at its top, pages/ or app.py. A room that imports another
stands on it: its floor is one above the highest floor it imports from.
"""

from __future__ import annotations

import argparse
import ast
import sys
import textwrap
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
WORDS = {"pages": "Widgets in, calls, views out.", "app": "Page configuration and navigation."}

Graph = dict[str, set[str]]
"""Each node and those it imports."""


def modules() -> dict[str, Path]:
    """Every module of the library and the app by its dotted name."""
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ddeq").rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return {
        name.removesuffix(".__init__"): path
        for name, path in sorted(zip(names, files, strict=True))
        if "node_modules" not in name
    }


def imports_of(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever in it: modules, and names out of them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_graph() -> Graph:
    """Which module imports which."""
    known = modules()

    def module_of(name: str) -> str | None:
        while name not in known and "." in name:
            name = name.rpartition(".")[0]
        return name if name in known else None

    return {
        name: {found for x in imports_of(path) if (found := module_of(x)) and found != name}
        for name, path in known.items()
    }


def room_of(module: str) -> str:
    """The room of a module: ``ddeq.solve.flow`` is in ``solve``."""
    top, _, rest = module.partition(".")
    return rest.split(".")[0] if top == "ddeq" and rest else top


def room_graph() -> Graph:
    """Which room imports which."""
    graph: Graph = {}
    for module, imported in module_graph().items():
        here = room_of(module)
        graph.setdefault(here, set()).update({room_of(name) for name in imported} - {here})
    if not any("ddeq" in below for below in graph.values()):
        del graph["ddeq"]  # the package's own docstring
    return graph


def floors_of(graph: Graph) -> dict[str, int]:
    """The floor of every room, from 1.

    Raises:
        graphlib.CycleError: two rooms import each other, perhaps by way of others.
    """
    floors: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():
        floors[room] = 1 + max((floors[below] for below in graph[room]), default=0)
    return floors


def without_detours(graph: Graph) -> Graph:
    """The graph without arrows that a longer way implies (its transitive reduction)."""
    reach: Graph = {}
    for room in TopologicalSorter(graph).static_order():
        reach[room] = set().union(*({below} | reach[below] for below in graph[room]))
    return {
        room: {x for x in below if not any(x in reach[y] for y in below)}
        for room, below in graph.items()
    }


def rows_of(graph: Graph) -> list[list[str]]:
    """Rooms floor by floor, from the top."""
    floors = floors_of(graph)
    return [
        sorted(room for room in graph if floors[room] == floor)
        for floor in range(max(floors.values()), 0, -1)
    ]


def summary(room: str) -> str:
    """What a room says of itself in its first line."""
    known = modules()
    path = known.get(f"ddeq.{room}") or known.get(room)
    text = WORDS.get(room) or ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return text.splitlines()[0].partition("; ")[0].rstrip(".").replace("`", "")


def way_of_data(graph: Graph) -> Graph:
    """Folders and the app alone: all rooms stand on single modules, and no data pass those."""
    folders = {room for room in graph if room in WORDS or (ROOT / "ddeq" / room).is_dir()}
    return {room: graph[room] & folders for room in folders}


def picture(graph: Graph) -> str:
    """The way of the data as an SVG: rooms by floor, and those arrows that no longer way implies.

    Imports go down, data go up; below all is a bar with the names of single modules.
    """
    wide, high, gap, rise = 236, 66, 18, 44
    way = way_of_data(graph)
    rows = rows_of(way)
    total = max(len(row) for row in rows) * (wide + gap) + gap
    left = {
        room: (total - len(row) * (wide + gap) + gap) / 2 + k * (wide + gap)
        for row in rows
        for k, room in enumerate(row)
    }
    top = {room: gap + k * (high + rise) for k, row in enumerate(rows) for room in row}
    arrows, boxes = [], []
    for room, below in sorted(without_detours(way).items()):
        for other in sorted(below):
            x0, y0 = left[other] + wide / 2, top[other]
            x1, y1 = left[room] + wide / 2, top[room] + high + 5
            bend = f"{x0:g} {y0 - rise:g} {x1:g} {y1 + rise:g}"
            arrows.append(f'<path d="M{x0:g} {y0:g}C{bend} {x1:g} {y1:g}"/>')
    for room in sorted(left):
        lines = textwrap.wrap(summary(room), 32, max_lines=2, placeholder=" …")
        boxes.append(_box(left[room], top[room], (wide, high), room, lines))
    bottom = gap + len(rows) * (high + rise) - rise + gap
    ground = ", ".join(sorted(set(graph) - set(way) - {"__main__"}))
    boxes.append(_box(gap, bottom, (total - 2 * gap, 50), "for all of them", [ground]))
    size = f"{total} {bottom + 50 + gap}"
    return "\n".join([_HEAD.format(size=size), *arrows, "</g>", *boxes, "</svg>\n"])


def _box(x: float, y: float, size: tuple[float, float], name: str, lines: list[str]) -> str:
    words = "".join(
        f'<text x="{x + 10:g}" y="{y + 39 + 16 * k:g}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{size[0]:g}" height="{size[1]:g}" rx="6"/>'
        f'<text class="name" x="{x + 10:g}" y="{y + 21:g}">{escape(name)}</text>{words}'
    )


_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">
<title>Folders of the code, floor by floor: imports go down, data go up</title>
<style>
text {{ font: 11.5px sans-serif; fill: #444 }}
.name {{ font: bold 14px sans-serif; fill: #111 }}
rect {{ fill: #f6f8fa; stroke: #8c959f }}
path {{ fill: none; stroke: #8c959f }}
</style>
<rect width="100%" height="100%" style="fill: #fff; stroke: none"/>
<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0 0L8 4L0 8Z" style="fill: #8c959f; stroke: none"/></marker>
<g style="marker-end: url(#tip)">"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", action="store_true", help=f"write {PICTURE.relative_to(ROOT)}")
    graph = room_graph()
    if parser.parse_args().draw:
        PICTURE.write_text(picture(graph), encoding="utf-8")
    rows = rows_of(graph)
    arrows = sum(len(below) for below in graph.values())
    for floor, row in zip(range(len(rows), 0, -1), rows, strict=True):
        for room in row:
            below = ", ".join(sorted(graph[room]))
            sys.stdout.write(f"{floor:>2}  {room:<12} {below and '-> '}{below}".rstrip() + "\n")
    sys.stdout.write(f"{len(graph)} rooms, {len(rows)} floors, {arrows} arrows\n")


if __name__ == "__main__":
    main()
