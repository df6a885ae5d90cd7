"""Results on disk, with where they come from: in a model's card, or in a file of their own.

A record is what an evaluation or a bench found, plain values, with its ``provenance`` beside. In a
card, records are under ``results`` by name. The documents take their figures from records.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddeq.errors import UserError

DIGITS = 6  # significant, of recorded numbers

_NUMBERS = re.compile(r"\[\n\s+([^\[\]{}\"]*?)\n\s+\]")


def record(found: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
    """``found`` with its ``provenance`` first; numbers rounded to :data:`DIGITS` digits.

    What is not finite is None: JSON has no such numbers.
    """
    return {"provenance": dict(origin), **_rounded(found)}


def into_card(card: Path, name: str, content: Mapping[str, Any]) -> None:
    """Put a record into a model card (.json), in the place of the one of this name."""
    known = json.loads(card.read_text())
    known["results"] = {**known.get("results", {}), name: content}
    into_file(card, known)


def tell_card(card: Path, name: str, content: Mapping[str, Any] | float) -> None:
    """Put something that a model needs to run into its card (.json), before its results."""
    known = json.loads(card.read_text())
    results = known.pop("results", None)
    known[name] = _rounded(content)
    into_file(card, known if results is None else {**known, "results": results})


def into_file(file: Path, content: Mapping[str, Any]) -> None:
    """Write JSON.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        file.write_text(as_text(content))
    except OSError as error:
        raise UserError(
            f"'{file}' cannot be written ({error.strerror}), so give another file."
        ) from error


def as_text(content: Mapping[str, Any]) -> str:
    """JSON to read and to compare: indented, with lists of numbers on one line."""
    text = json.dumps(content, indent=2)
    return _NUMBERS.sub(lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inside) for inside in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
