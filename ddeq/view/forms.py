"""Form fields for a run's settings; their values live in the page's URL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from ddeq.run.settings import Limits, RunSettings, card_defaults
from ddeq.settings import Setting, settings_of
from ddeq.solve.kernels import KERNELS
from ddeq.solve.registry import Registry
from ddeq.solve.solvers import SOLVERS
from ddeq.view.glossary import explain

NAMES = {
    "r": "exponent r",
    "eps": "smoothing",
    "sigma": "bandwidth",
    "inner": "inner moves",
    "steps": "step limit",
}


def settings_form(
    card: Mapping[str, Any],
    prefix: str = "",
    without: Collection[str] = (),
    first: Mapping[str, Any] | None = None,
) -> RunSettings:
    """Fields for every setting of a run, bound to the URL; what is left alone is the card's.

    Args:
        card: of the model.
        prefix: of the fields' names in the URL, for pages whose models have other defaults.
        without: settings that mean nothing here; they keep their own defaults.
        first: a solver to begin with, and its defaults, in the place of the card's.
    """
    first = first or {}
    solver = _choice("solver", SOLVERS, first.get("solver", card["settings"]["solver"]), prefix)
    kernel = _choice("kernel", KERNELS, card["settings"]["kernel"], prefix)
    defaults = card_defaults(card, solver, kernel)
    if solver == first.get("solver"):
        defaults |= first
    given: dict[str, Any] = {"solver": solver, "kernel": kernel}
    # A field whose default depends on the solver or kernel is a field of its own for each.
    for owner, kind in ((solver, SOLVERS[solver]), (kernel, KERNELS[kernel]), ("", Limits)):
        columns = st.columns(2)
        fields = [field for field in settings_of(kind) if field.name not in without]
        for place, field in enumerate(fields):
            with columns[place % 2]:
                default = defaults.get(field.name, field.default)
                whose = solver if field.name == "steps" else owner
                key = f"{whose}-{field.name}" if whose else field.name
                given[field.name] = _number(field, default, prefix + key)
    return RunSettings.from_dict(given)


def _choice(name: str, kinds: Registry[Any], default: str, prefix: str) -> str:
    chosen = st.selectbox(
        name.capitalize(),
        list(kinds),
        index=list(kinds).index(default),
        help=explain(name),
        key=prefix + name,
        bind="query-params",
    )
    family = kinds.families[chosen]
    st.caption(kinds.hints[chosen], help=f"*{family.name}*: {family.meaning}")
    return chosen


def _number(field: Setting, default: Any, key: str) -> float:
    """A number field; a whole number's has whole steps, a small one's fine ones."""
    whole = isinstance(field.default, int)
    kind = int if whole else float
    return st.number_input(
        NAMES.get(field.name, field.name.replace("_", " ")).capitalize(),
        min_value=kind(field.low),
        max_value=kind(field.high),
        value=kind(default),
        step=1 if whole else max(10.0 ** _digit(default), 1e-4),
        format="%d" if whole else "%g",
        help=field.hint,
        key=key,
        bind="query-params",
    )


def _digit(value: float) -> int:
    """The power of ten of a sensible step for a field that shows ``value``."""
    return int(f"{value:e}".split("e")[1]) - 1 if value else -1
