"""Everything that, with an input and a model, determines a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ddeq.errors import UserError
from ddeq.settings import setting, settings_of, values_of
from ddeq.solve.kernels import KERNELS, Kernel
from ddeq.solve.solvers import SOLVERS, Solver


@dataclass(frozen=True)
class Limits:
    """The settings of a run that belong to neither solver nor kernel."""

    steps: int = setting(200, 0, 5000, "Give up after this many steps.")
    tolerance: float = setting(
        1e-3, 0, 1, "Stop when the objective has fallen to this share of where it began."
    )
    particles: int = setting(10, 1, 1000, "How many particles flow; trained with 10.")
    noise: float = setting(
        0.0, 0, 10, "Shake the particles this much before each gradient, to leave bad spots."
    )
    seed: int = setting(0, 0, 2**31 - 1, "Which random start; the same seed is the same run.")


@dataclass(frozen=True)
class RunSettings:
    """Everything that, with an input and a model, determines a run.

    Attributes:
        solver, kernel: settings objects out of ``SOLVERS`` and ``KERNELS``.
        limits: steps, tolerance, particles, noise, seed.
    """

    solver: Solver
    kernel: Kernel
    limits: Limits

    def to_dict(self) -> dict[str, str | float]:
        """Flat names and numbers, for a link, a card or a file; :meth:`from_dict` inverts it."""
        return {
            "solver": SOLVERS.name_of(self.solver),
            **values_of(self.solver),
            "kernel": KERNELS.name_of(self.kernel),
            **values_of(self.kernel),
            **values_of(self.limits),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> RunSettings:
        """Settings from flat names and values, solver and kernel at least.

        A number that is not named takes its default.

        Raises:
            UserError: an unknown solver or kernel, or a number out of its range.
        """
        solver = _chosen("solver", plain["solver"], SOLVERS)
        kernel = _chosen("kernel", plain["kernel"], KERNELS)
        return cls(*(_parsed(kind, plain) for kind in (solver, kernel, Limits)))

    def taking(self, steps: int) -> RunSettings:
        """The same settings, with so many steps taken whatever the objective."""
        return replace(self, limits=replace(self.limits, steps=steps, tolerance=0.0))


def card_defaults(card: Mapping[str, Any], solver: str, kernel: str) -> dict[str, object]:
    """A model card's settings, as far as they hold for this solver and kernel.

    The card's numbers for its own solver and kernel say nothing about another, which brings its
    own defaults; nor does the number of steps that its own solver needs.
    """
    shipped = dict(card["settings"])
    if shipped["solver"] != solver:
        shipped.pop("steps", None)
    for what, name, registry in (("solver", solver, SOLVERS), ("kernel", kernel, KERNELS)):
        if shipped.get(what) != name:
            for foreign in settings_of(registry[shipped[what]]):
                shipped.pop(foreign.name, None)
            shipped[what] = name
    return shipped


def with_defaults(card: Mapping[str, Any], said: Mapping[str, object]) -> RunSettings:
    """What a person said, filled up from a model's card.

    Raises:
        UserError: as :meth:`RunSettings.from_dict`.
    """
    shipped = card["settings"]
    names = {what: str(said.get(what, shipped[what])) for what in ("solver", "kernel")}
    return RunSettings.from_dict({**card_defaults(card, **names), **said})


def beyond_defaults(card: Mapping[str, Any], settings: RunSettings) -> dict[str, str | float]:
    """What has to be said for :func:`with_defaults` to come to these settings, and no more."""
    plain = settings.to_dict()
    kinds = {what: plain[what] for what in ("solver", "kernel")}
    usual = {**with_defaults(card, kinds).to_dict(), **{k: card["settings"][k] for k in kinds}}
    return {name: value for name, value in plain.items() if value != usual[name]}


def _chosen(what: str, name: object, registry: Mapping[str, type]) -> type:
    if name not in registry:
        raise UserError(
            f"There is no {what} '{str(name)[:40]}': choose one of {', '.join(registry)}."
        )
    return registry[str(name)]


def _parsed(kind: type, plain: Mapping[str, object]) -> Any:
    given = {s.name: s.parse(plain[s.name]) for s in settings_of(kind) if s.name in plain}
    return kind(**given)
