"""The player's ES modules as one script: no bundler, no network."""

import functools
import json
import re
from pathlib import Path

WEB = Path(__file__).parent / "web"
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[\w./]+\.js)";\n', re.MULTILINE)
_COMMON_IMPORT = re.compile(r'^import (\w+) from "(\.[\w./]+\.cjs)";\n', re.MULTILINE)
_COMMON_MODULE = (
    "/*\n{licence}*/\nconst {name} = ((exports) => {{\n{source}\nreturn exports;\n}})({{}});"
)


@functools.cache
def script() -> str:
    """The player as one module that exports `mount` (Streamlit) and `mountPage`."""
    texts = {"PLAYER_CSS": "player.css", "PAGE_HTML": "page.html"}
    constants = (
        f"const {name} = {json.dumps((WEB / file).read_text())};" for name, file in texts.items()
    )
    return "\n".join([*constants, joined(WEB / "entry.js")])


def joined(entry: Path) -> str:
    """A module and all that it imports by a relative path, each once, as one module.

    They share one scope then, so their top-level names must differ; those of a CommonJS module,
    which other people wrote, stay its own, and its licence stays with it.
    """
    ordered: dict[Path, str] = {}

    def add(path: Path) -> None:
        path = path.resolve()
        if path in ordered:
            return
        source = path.read_text()
        ordered[path] = ""  # taken, in case of a circular import
        for name, imported in _COMMON_IMPORT.findall(source):
            foreign = (path.parent / imported).resolve()
            ordered[foreign] = _COMMON_MODULE.format(
                name=name,
                source=foreign.read_text(),
                licence=foreign.with_name("LICENSE.md").read_text(),
            )
        for imported in _IMPORT.findall(source):
            add(path.parent / imported)
        del ordered[path]
        ordered[path] = _COMMON_IMPORT.sub("", _IMPORT.sub("", source))

    add(entry)
    *library, last = ordered.values()
    return "\n".join([*(re.sub(r"^export ", "", s, flags=re.MULTILINE) for s in library), last])
