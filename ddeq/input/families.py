"""Which of the shipped models a cloud is for."""

from __future__ import annotations

from dataclasses import dataclass

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten


@dataclass(frozen=True)
class Family:
    """Shipped models for one kind of cloud.

    Attributes:
        classifier, completer: their names in ``assets``.
        control: likewise, the classifier's network trained without a flow; None where none ships.
        prefix: of their settings in a link, as each has defaults of its own.
        flat: whether they take clouds in the plane.
    """

    classifier: str
    completer: str
    control: str | None
    prefix: str
    flat: bool

    @property
    def noun(self) -> str:
        """What one cloud is, in words."""
        return "digit" if self.flat else "object"


DIGITS = Family("digits", "completion-digits", "digits-control", "", True)
OBJECTS = Family("objects", "completion-objects", None, "object-", False)


def family_of(cloud: PointCloud) -> Family:
    """Of digits where the cloud lies in a plane, else of objects in space."""
    try:
        flatten(cloud)
    except UserError:
        return OBJECTS
    return DIGITS
