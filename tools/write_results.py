"""Write the figures of the documents anew, from the records that evaluations and benches wrote.

python tools/write_results.py [--check]

In a document, a figure or a table stands between marks, ``<!--{{ EXPRESSION }}-->98.03 %<!--/-->``.
The expression is Jinja's. It names records: those of a model card by the card's and the record's
name, such as ``digits.test.accuracy``, those of ``docs/results/`` by the file's name; ``-`` becomes
``_``. Formats and tables are the functions of ``result_tables.py``, here as functions and filters.

Several trainings side by side: ``ddeq evaluate modelnet --runs RUNS_FOLDER --record
docs/results/modelnet.json``, and ``models_table(modelnet.models)`` in a document.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import jinja2

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import result_tables

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "docs/results.md", "docs/scaling.md", "docs/solvers.md")

MARKED = re.compile(r"(<!--\{\{(.*?)\}\}-->)(.*?)(<!--/-->)", re.DOTALL)
ANY_MARK = re.compile(r"<!--\{\{|<!--/-->")


class _Environment(jinja2.Environment):
    """Where ``a.b`` is the entry "b", although dictionaries have a method of that name, too."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)


def records(root: Path = ROOT) -> dict[str, Any]:
    """All records by name: of each card its results, and what is in ``docs/results``."""
    found = {}
    for card in sorted((root / "assets").glob("*.json")):
        found[_name(card)] = json.loads(card.read_text()).get("results", {})
    for file in sorted((root / "docs" / "results").glob("*.json")):
        found[_name(file)] = json.loads(file.read_text())
    return found


def _name(file: Path) -> str:
    return file.stem.replace("-", "_")


def written(text: str, known: dict[str, Any]) -> str:
    """A document with all that stands between marks written anew.

    Raises:
        ValueError: a mark without its other, or an expression that names no record.
    """
    if len(ANY_MARK.findall(text)) != 2 * len(MARKED.findall(text)):
        raise ValueError("A mark has no end, or an end no mark.")
    environment = _Environment(undefined=jinja2.StrictUndefined)
    environment.globals.update(_FORMATS)
    environment.filters.update(_FORMATS)

    def figure(found: re.Match) -> str:
        try:
            shown = environment.from_string(f"{{{{{found[2]}}}}}").render(known)
        except (jinja2.TemplateError, KeyError, TypeError) as error:
            raise ValueError(f"{found[2].strip()}: {error}") from error
        block = "\n" if "\n" in shown else ""
        if not block and re.search(r"^[\s>*-]*$", text[: found.start()].rpartition("\n")[2]):
            raise ValueError(f"{found[2].strip()}: a line begins with it, which ends a paragraph.")
        return f"{found[1]}{block}{shown}{block}{found[4]}"

    return MARKED.sub(figure, text)


_FORMATS = {
    name: made
    for name, made in vars(result_tables).items()
    if callable(made) and getattr(made, "__module__", "") == result_tables.__name__
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one would differ")
    check, known, differ = parser.parse_args().check, records(), []
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text()
        if (anew := written(text, known)) != text:
            differ.append(name)
            if not check:
                path.write_text(anew)
    print("\n".join(differ) or "All figures are those of the records.")
    return int(check and bool(differ))


if __name__ == "__main__":
    sys.exit(main())
