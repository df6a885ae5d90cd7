"""Plain fixed-point iteration."""

from __future__ import annotations

from dataclasses import dataclass

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.interface import PLAIN_ITERATION, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Segment


class Image(Direction):
    """To the images of the particles, each to its own; no gradient at all.

    It asks more than a measure fixed point needs, that every particle is its own image, and knows
    nothing of the objective, so it need not end where the gradient flow does.
    """

    needs_velocity = False

    def look(self, here: Evaluation, state: None, problem: Problem) -> tuple[Segment, None]:
        return Segment(here.particles, here.image), None


@SOLVERS.register(
    "picard",
    PLAIN_ITERATION,
    "No gradient: every particle moves to where the network sends it.",
)
@dataclass(frozen=True)
class Picard(Named):
    """Plain fixed-point iteration ``z <- (1 - a) z + a F(z)``; no gradient at all."""

    damping: float = setting(1.0, 0.01, 1, "1 jumps to F(z); less moves only part of the way.")

    @property
    def solver(self) -> Along:
        return Along(Image(), rules.Constant(self.damping))
