"""Numbers a person may set: each with a range and a hint in plain words, checked when given."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, cast

from ddeq.errors import UserError


@dataclass(frozen=True)
class Setting:
    """One number of a settings dataclass.

    Attributes:
        name, default: as in the dataclass; whole numbers have an int default.
        low, high: the range a person may choose from, both included.
        hint: what it does, for a tooltip.
    """

    name: str
    default: float
    low: float
    high: float
    hint: str

    def parse(self, text: object) -> float:
        """The number that ``text`` says, of the default's type.

        Raises:
            UserError: not a number, or out of range.
        """
        try:
            number = float(str(text))
            whole = isinstance(self.default, int)
            if not self.low <= number <= self.high or (whole and number != math.floor(number)):
                raise ValueError
        except ValueError:
            kind = "a whole number" if isinstance(self.default, int) else "a number"
            raise UserError(
                f"The setting {self.name} cannot be '{str(text)[:40]}': give {kind} from "
                f"{self.low:g} to {self.high:g}."
            ) from None
        return int(number) if whole else number


def setting(default: float, low: float, high: float, hint: str) -> Any:
    """A dataclass field that :func:`settings_of` will list."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "hint": hint})


def flag(name: str) -> str:
    """The option of the command line that sets it."""
    return "--" + name.replace("_", "-")


def values_of(instance: object) -> dict[str, float]:
    """What the settings of a dataclass are in one of its instances, by name, in order."""
    return {field.name: getattr(instance, field.name) for field in settings_of(type(instance))}


def settings_of(cls: type) -> list[Setting]:
    """The settings of a dataclass, in order."""
    fields = (field for field in dataclasses.fields(cls) if field.metadata)
    return [Setting(f.name, cast(float, f.default), **f.metadata) for f in fields]
