"""A run as one web page that plays by itself, without a network."""

import base64
import html
import json
import re
from collections.abc import Sequence

from ddeq.view.player.assets import WEB, script


def export_html(runs: Sequence[bytes], title: str, *, height: int = 520) -> str:
    """A self-contained page that plays the encoded `runs`, also opened as a file."""
    texts = [base64.b64encode(run).decode() for run in runs]
    fill = {
        "title": html.escape(title),
        "script": script().replace("</", "<\\/"),
        "runs": json.dumps(texts),
        "options": json.dumps({"height": height}),
    }
    template = (WEB / "page.html").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fill[match[1]], template)
