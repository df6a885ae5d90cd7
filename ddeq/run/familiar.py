"""Whether an input is like those a model has learned, by where its solve ended.

A *score* is a number of an equilibrium that is the larger the less usual it is. A model's card
tells how it is distributed on validation clouds, which no training has seen: what is less usual
than nearly all of them is not known. ``ddeq evaluate known --card`` chooses the score that tells
strange inputs best from validation clouds, and writes it there.

Sources: confidence, Hendrycks and Gimpel 2017, https://arxiv.org/abs/1610.02136; energy, Liu et al.
2020, https://arxiv.org/abs/2010.03759.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KNOWN_SHARE = 0.95  # of the validation clouds count as known
_LEVELS = 101  # quantiles that tell a distribution


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the solves of ``K`` clouds ended.

    Attributes:
        logits: class scores ``(K, C)``.
        relative_objective: ``(K,)``.
    """

    logits: np.ndarray
    relative_objective: np.ndarray


def _energy(ends: Ends) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # of solves that did not end in numbers
        return -np.logaddexp.reduce(ends.logits.astype(np.float64), axis=1)


def _doubt(ends: Ends) -> np.ndarray:
    """Minus the logarithm of the greatest probability."""
    return -(ends.logits.max(1) + _energy(ends))


PARTS: dict[str, Callable[[Ends], np.ndarray]] = {
    "confidence": _doubt,
    "energy": _energy,
    "objective": lambda ends: ends.relative_objective,
}
"""Numbers ``(K,)`` of equilibria, the larger the less usual."""

SCORES: dict[str, tuple[str, ...]] = {
    "confidence": ("confidence",),
    "energy": ("energy",),
    "objective": ("objective",),
    "confidence or energy": ("confidence", "energy"),
}
"""Parts of a score: of several, the one that is least usual counts."""


@dataclass(frozen=True)
class Familiar:
    """What is usual for one model.

    Attributes:
        score: a name out of :data:`SCORES`.
        parts: of each part its quantiles on validation clouds, from the least to the greatest.
        together: quantiles of the greatest of the parts' places among them.
    """

    score: str
    parts: Mapping[str, Sequence[float]]
    together: Sequence[float]

    def unlike(self, ends: Ends) -> np.ndarray:
        """The share of validation clouds ``(K,)``, 0 to 1, that are more usual than these.

        1 for solves that did not end in numbers.
        """
        places = [_place(PARTS[name](ends), levels) for name, levels in self.parts.items()]
        found = _place(np.max(places, axis=0), self.together)
        return np.where(np.isnan(found), 1.0, found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a model card; :func:`familiar_of` inverts it."""
        parts = {name: list(levels) for name, levels in self.parts.items()}
        return {"score": self.score, "parts": parts, "together": list(self.together)}


def learn_familiar(score: str, ends: Ends) -> Familiar:
    """What is usual by this score, told by validation clouds."""
    parts = {name: _quantiles(PARTS[name](ends)) for name in SCORES[score]}
    places = [_place(PARTS[name](ends), levels) for name, levels in parts.items()]
    return Familiar(score, parts, _quantiles(np.max(places, axis=0)))


def familiar_of(entry: Mapping[str, Any]) -> Familiar:
    """From the entry "known" of a model card."""
    return Familiar(entry["score"], entry["parts"], entry["together"])


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    return tuple(np.quantile(values, np.linspace(0, 1, _LEVELS)).tolist())


def _place(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """The share of a distribution below each value, by its quantiles; 1 beyond its greatest."""
    return np.interp(values, levels, np.linspace(0, 1, len(levels)))
