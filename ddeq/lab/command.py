"""Commands that do what a run of the app did, to be typed where ``ddeq`` is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddeq.input.families import Family
from ddeq.lab.snippet import INPUT_FILE, PARTIAL_FILE
from ddeq.run.settings import RunSettings, beyond_defaults
from ddeq.settings import flag

COMPLETED_FILE = "completed.ply"


def classification(family: Family, card: Mapping[str, Any], settings: RunSettings) -> str:
    """The same run of what :func:`ddeq.lab.snippet.input_npz` keeps.

    Args:
        family: of the input.
        card: of the family's classifier.
        settings: of the run.
    """
    said = beyond_defaults(card, settings)
    kept = () if family.flat else ("--keep-all",)
    return _command("classify", INPUT_FILE, family, [*kept, *_options(said)])


def completion(family: Family, card: Mapping[str, Any], settings: RunSettings, free: int) -> str:
    """The same run of what :func:`ddeq.lab.snippet.partial_npz` keeps.

    Args:
        family: of the input.
        card: of the family's completer.
        settings: of the run.
        free: particles of it.
    """
    said = beyond_defaults(card, settings)
    said.pop("particles", None)  # those of classifiers
    options = [f"--out {COMPLETED_FILE}", f"--free {free}", *_options(said)]
    return _command("complete", PARTIAL_FILE, family, options)


def _command(name: str, file: str, family: Family, options: list[str]) -> str:
    up = () if family.flat else ("--up z",)  # as the app has turned it
    return " ".join(["ddeq", name, file, *up, *options])


def _options(said: Mapping[str, object]) -> list[str]:
    return [f"{flag(name)} {value}" for name, value in said.items()]
