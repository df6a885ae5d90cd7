"""What the demo shows, and in which order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """One input of the galleries.

    Attributes:
        source: as the page's row of sources names it.
        name: of the number in the link.
        number: in its gallery.
    """

    source: str
    name: str
    number: int


def _digit(number: int) -> Scene:
    return Scene("Digits", "digit", number)


def _object(number: int) -> Scene:
    return Scene("Objects", "object", number)


SCENES = (
    _digit(168),  # a seven: where the page begins by itself
    _object(0),  # an armchair
    _object(20),  # a wall light
    _digit(100),  # a four
    _object(12),  # a corner sofa
    _object(16),  # shelves
    _digit(230),  # a nine
    _object(6),  # an oak table
    _object(26),  # a plant
    _digit(204),  # an eight
    _object(15),  # a bed
    _digit(84),  # a three
)
"""All are recognised, and their particles arrive, with what the page begins with."""


def after(source: str, number: str) -> Scene:
    """The scene after that which a page shows; the first one after anything else.

    Args:
        source: of the input.
        number: of it, as a link says it.
    """
    shown = [(scene.source, str(scene.number)) for scene in SCENES]
    here = (source, number)
    return SCENES[(shown.index(here) + 1) % len(SCENES) if here in shown else 0]
