"""Which of a model's classes are right about a cloud, where the cloud's own class has another name.

Furniture comes with classes of its own (:data:`ddeq.training.datasets.furniture.CLASSES`), and the
classifier of objects knows those of ModelNet40.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """What a cloud is.

    Attributes:
        name: of its class, as its own data call it.
        right: the classes that a model may call it by; none where no class fits.
    """

    name: str
    right: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """Furniture of a class whose name holds a word is rightly called by these of ModelNet40."""

    kind: str
    word: str
    right: tuple[str, ...]


RULES = (
    Rule("bed", "", ("bed",)),
    Rule("car", "", ("car",)),
    Rule("chair", "", ("chair",)),
    Rule("lamp", "", ("lamp",)),
    Rule("opening", "door", ("door",)),
    Rule("person", "", ("person",)),
    Rule("plant", "", ("plant",)),
    Rule("sofa", "", ("sofa",)),
    Rule("storage", "", ("bookshelf", "dresser", "night_stand", "tv_stand", "wardrobe")),
    Rule("table", "desk", ("desk", "table")),
    Rule("table", "", ("table",)),
)
"""The first that fits counts, and what none fits has no class: windows, which ModelNet40 lacks.

An opening is a door or a window, and its name says which. Storage is all that holds things, of
which ModelNet40 has five kinds, and the furniture does not say which it is. A table called a desk
is both. Armchairs are chairs here, however much they look like sofas, and a plant is no flower
pot, though ModelNet40 has pots with plants in them.
"""


_SPOKEN = {
    "opening": "door or window",
    "stairs": "flight of stairs",
    "storage": "piece of storage furniture",
    "tv_stand": "TV stand",
    "xbox": "Xbox",
}
"""Classes that are called otherwise in a sentence."""


def about_furniture(kind: str, name: str) -> Answer:
    """What a piece of furniture is, by its class and by the name that its maker gave it."""
    fits = (rule.right for rule in RULES if rule.kind == kind and rule.word in name.lower())
    return Answer(kind, next(fits, ()))


def about_digit(label: int) -> Answer:
    """What a digit is: models call it by the same name."""
    return Answer(str(label), (str(label),))


def right_among(labels: Sequence[str], answers: Sequence[Answer]) -> np.ndarray:
    """Which of a model's ``C`` classes are right about each of ``K`` clouds, bool ``(K, C)``.

    Nowhere true in the row of a cloud for which the model has no class.
    """
    marks = [label in answer.right for answer in answers for label in labels]
    return np.array(marks, bool).reshape(len(answers), len(labels))


def class_name(label: str) -> str:
    """A class in words, such as "night stand"."""
    return _SPOKEN.get(label, label.replace("_", " "))


def right_names(answer: Answer | None, labels: Sequence[str]) -> tuple[str, ...]:
    """Those of a model's classes that are right, in words; none where that is not known."""
    right = () if answer is None else answer.right
    return tuple(class_name(label) for label in labels if label in right)
