"""The player's ES modules as one script: no bundler, no network."""

import functools
import json
import re
from pathlib import Path

WEB = Path(__file__).parent / "web"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)


@functools.cache
def script() -> str:
    """The player as one module that exports `mount` (Streamlit) and `mountPage`.

    It joins `entry.js` and all it imports, each once. They share one scope then, so their
    top-level names must differ.
    """
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        source = (WEB / name).read_text()
        ordered[name] = ""  # taken, in case of a circular import
        for imported in _IMPORT.findall(source):
            add(imported)
        del ordered[name]
        ordered[name] = _IMPORT.sub("", source)

    add("entry.js")
    *library, entry = ordered
    texts = {"PLAYER_CSS": "player.css", "PAGE_HTML": "page.html"}
    return "\n".join(
        [
            *(
                f"const {name} = {json.dumps((WEB / file).read_text())};"
                for name, file in texts.items()
            ),
            *(re.sub(r"^export ", "", ordered[name], flags=re.MULTILINE) for name in library),
            ordered[entry],
        ]
    )
