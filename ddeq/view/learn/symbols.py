r"""Symbols of the formulas: a colour and a meaning each, the same in formula and figure.

In LaTeX, ``\term{mu}{\mu}`` is the symbol ``mu`` drawn as ``\mu``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TONES = {  # on light, on dark: the player's, safe for colour-blind eyes
    "blue": ("#1f68ad", "#62b3ee"),
    "orange": ("#b84f00", "#f0913a"),
    "green": ("#00795d", "#3cc9a2"),
    "pink": ("#a64d86", "#e39cc9"),
    "grey": ("#5c6570", "#a5adb8"),
}


@dataclass(frozen=True)
class Symbol:
    """One symbol.

    Attributes:
        tone: of :data:`TONES`.
        meaning: what it is in the figure.
        key: the colour written in LaTeX, its own; the browser replaces it by the tone.
    """

    tone: str
    meaning: str
    key: str


_MEANINGS = {
    "x": ("blue", "The walking number: the blue line, from its start on the axis."),
    "map": ("orange", "The map: the orange curve. Drag its handle to change the slope."),
    "fixed": ("green", "The fixed point: where the map meets the diagonal."),
    "slope": ("orange", "The slope of the map: how steep the orange curve is."),
    "damping": ("grey", "The share of the way that a step goes: the slider Damping."),
    "a": ("blue", "The blue cloud. Drag its points."),
    "b": ("orange", "The orange cloud. Drag its points."),
    "plan": ("green", "The transport plan: the green lines, wider where more mass goes."),
    "kernel": ("grey", "The kernel: how strongly two points feel each other, by their distance."),
    "mu": ("blue", "The particles: the filled dots."),
    "target": ("grey", "The target: the small grey dots."),
    "gamma": ("pink", "The step size: how far a particle moves along its velocity."),
    "velocity": ("pink", "The velocity: where a particle is pulled, summed over all others."),
    "r": ("pink", "The kernel's exponent: how the pull depends on the distance."),
    "image": ("grey", "The particles as the network would have them: the rings."),
    "rho": ("green", "The input cloud, small, beside the particles."),
    "objective": ("orange", "The objective: the curve below the particles."),
    "exact": ("blue", "The exact gradient: the blue arrow."),
    "phantom": ("orange", "The phantom gradient: the orange arrow."),
    "unrolled": ("green", "What each further unrolled step adds: the green arrows."),
    "J": ("grey", "The Jacobian: how F(z) changes when z does. Here it shrinks and turns."),
    "theta": ("pink", "The weights of the network: what training changes."),
}

SYMBOLS = {
    name: Symbol(tone, meaning, f"#{0x5A6068 + 0x010101 * k:06x}")
    for k, (name, (tone, meaning)) in enumerate(_MEANINGS.items())
}


def with_symbols(text: str) -> str:
    r"""Markdown with every ``\term{name}{latex}`` in its symbol's colour."""
    return re.sub(
        r"\\term\{(\w+)\}\{((?:[^{}]|\{[^{}]*\})*)\}",
        lambda found: rf"\textcolor{{{SYMBOLS[found[1]].key}}}{{{found[2]}}}",
        text,
    )
