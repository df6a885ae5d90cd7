"""What may be chosen by name, with its heading and one sentence on it.

A module of a package registers its own kinds, and the package imports all its modules: adding a
kind is adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Family:
    """A heading that kinds come under.

    Attributes:
        name: a term of the field.
        meaning: one sentence on it, for the glossary.
        place: among the headings; those that do not care come last.
    """

    name: str
    meaning: str
    place: int = 99


class Registry(dict[str, type[Kind]], Generic[Kind]):
    """Kinds by name, heading by heading.

    Attributes:
        families: the heading of each name.
        hints: a sentence on each name, for who chooses.
    """

    def __init__(self) -> None:
        super().__init__()
        self.families: dict[str, Family] = {}
        self.hints: dict[str, str] = {}

    def register(self, name: str, family: Family, hint: str) -> Callable[[type[Kind]], type[Kind]]:
        """Decorates a frozen dataclass of settings, each with a default.

        Raises:
            ValueError: the name is taken.
        """

        def add(kind: type[Kind]) -> type[Kind]:
            if name in self:
                raise ValueError(f"'{name}' is {self[name].__qualname__} already")
            self.families[name], self.hints[name] = family, hint
            kinds = sorted({**self, name: kind}.items(), key=lambda k: self.families[k[0]].place)
            self.clear()
            self.update(kinds)
            return kind

        return add

    def name_of(self, instance: object) -> str:
        """The name of the kind that an object is of.

        Raises:
            KeyError: it is of none.
        """
        for name, kind in self.items():
            if type(instance) is kind:
                return name
        raise KeyError(type(instance).__qualname__)


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that they register what they hold."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")
