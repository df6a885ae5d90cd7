"""What is to be completed: the same for every method."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ddeq.input.preprocess import Standardised
from ddeq.metrics.distances import f_score_radius

LEAST_KNOWN = 3


@dataclass(frozen=True, eq=False)
class Case:
    """A standardised cloud with a part missing.

    Attributes:
        number: of the case, seeds what is random about it.
        group: of cases that belong together, such as the cuts of one object.
        cut: how the part was removed.
        known, removed: ``(K, d)`` and ``(R, d)``, in units of the standardised whole cloud.
        standard: the known points as the models take them; undone, they are in those units.
        free: how many points are to complete it.
        label: of the whole; -1 where it has none.
    """

    number: int
    group: int
    cut: str
    known: np.ndarray
    removed: np.ndarray
    standard: Standardised
    free: int
    label: int = field(default=-1, kw_only=True)

    @property
    def whole(self) -> np.ndarray:
        """The cloud before the cut."""
        return np.concatenate([self.known, self.removed])

    def radius(self, share: float) -> float:
        """Of the F-score, see :func:`ddeq.metrics.distances.f_score_radius`."""
        return f_score_radius(self.whole, share)


def usable(keep: np.ndarray) -> bool:
    """Whether something was removed, and enough is left, of what to keep ``(M,)``."""
    return not keep.all() and keep.sum() >= LEAST_KNOWN
