"""Explicit Euler steps along the velocity, by several rules for how long a step is."""

from __future__ import annotations

from dataclasses import dataclass

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import floor, half_life, step_size, trials
from ddeq.solve.solvers.interface import GRADIENT_FLOW, LINE_SEARCH, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Straight


class Velocity(Direction):
    """Downhill: the particles' velocity in the gradient flow."""

    def look(self, here: Evaluation, state: None, problem: Problem) -> tuple[Straight, None]:
        return Straight(here.particles, here.downhill), None


@SOLVERS.register(
    "euler",
    GRADIENT_FLOW,
    "Constant steps downhill: the paper's solver. It cannot quite arrive.",
)
@dataclass(frozen=True)
class Euler(Named):
    """Explicit Euler with a constant step: the paper's solver (gamma = 5).

    With the energy distance it cannot arrive: the kernel's gradient does not shrink near the
    target, so particles end up chattering at a distance proportional to the step.
    """

    step_size: float = step_size(5.0)

    @property
    def solver(self) -> Along:
        return Along(Velocity(), rules.Constant(self.step_size))


@SOLVERS.register(
    "euler-decay", GRADIENT_FLOW, "Steps downhill that get shorter, so that particles settle."
)
@dataclass(frozen=True)
class EulerDecay(Named):
    """Explicit Euler with a geometrically decaying step, the plainest cure for chattering.

    With objectives that are sharp at their minimum, as here, subgradient steps that decay
    geometrically, and not too fast, converge geometrically.

    Source: Goffin 1977, https://doi.org/10.1007/BF01584346.
    """

    step_size: float = step_size(5.0)
    half_life: float = half_life(20.0)
    floor: float = floor(0.01)

    @property
    def solver(self) -> Along:
        return Along(Velocity(), rules.Geometric(self.step_size, self.half_life, self.floor))


@SOLVERS.register("euler-power", GRADIENT_FLOW, "Steps downhill that get shorter ever more slowly.")
@dataclass(frozen=True)
class EulerPower(Named):
    """Explicit Euler with steps ``gamma_0 (1 + k / delay)^-p``.

    For ``p`` up to 1 the steps add up to any distance, so no start is too far away.

    Source: Robbins and Monro 1951, https://doi.org/10.1214/aoms/1177729586.
    """

    step_size: float = step_size(5.0)
    delay: float = setting(20.0, 1, 1000, "Steps before the step size falls noticeably.")
    power: float = setting(1.0, 0.1, 2, "How fast the step size falls; up to 1 it gets anywhere.")

    @property
    def solver(self) -> Along:
        return Along(Velocity(), rules.Power(self.step_size, self.delay, self.power))


@SOLVERS.register(
    "normalised",
    GRADIENT_FLOW,
    "Steps downhill of a length that is given, however steep it is.",
)
@dataclass(frozen=True)
class Normalised(Named):
    """Steps of a given length, ``gamma_k v / |v|`` with the norm of ``L^2(mu)``, decaying.

    Source: Shor 1985, *Minimization Methods for Non-Differentiable Functions*, chapter 2,
    https://doi.org/10.1007/978-3-642-82118-9.
    """

    length: float = setting(5.0, 0.001, 20, "How far particles move in the first step, on average.")
    half_life: float = half_life(15.0)
    floor: float = floor(0.01)

    @property
    def solver(self) -> Along:
        decay = rules.Geometric(self.length, self.half_life, self.floor)
        return Along(Velocity(), rules.Normalised(decay))


@SOLVERS.register(
    "polyak", GRADIENT_FLOW, "Steps downhill as long as the objective says that there is to go."
)
@dataclass(frozen=True)
class Polyak(Named):
    """Polyak's step ``gamma = a (G - G*) / |v|^2``, with ``G* = 0`` at a fixed point.

    Along the velocity ``G`` falls by ``|v|^2`` a unit of time, so this step would arrive if ``G``
    were linear; it is long far away and short nearby, without a schedule.

    Source: Polyak 1969, https://doi.org/10.1016/0041-5553(69)90035-5.
    """

    aim: float = setting(1.0, 0.05, 1.95, "Which part of the way to objective 0 a step aims at.")
    longest: float = setting(20.0, 0.01, 100, "No step size is larger than this.")

    @property
    def solver(self) -> Along:
        return Along(Velocity(), rules.Polyak(self.aim, self.longest))


@SOLVERS.register("armijo", LINE_SEARCH, "Steps downhill whose length is tried out first.")
@dataclass(frozen=True)
class Armijo(Named):
    """Euler with a backtracking line search: no step that raises the objective, if it can.

    Each step first tries twice the length that the last one took.

    Source: Armijo 1966, https://doi.org/10.2140/pjm.1966.16.1.
    """

    step_size: float = step_size(10.0)
    trials: int = trials(10)

    @property
    def solver(self) -> Along:
        return Along(Velocity(), rules.Backtracking(self.step_size, self.trials))
