"""Solvers: where the particles go next, given one evaluation of the objective.

A solver is a frozen dataclass of its settings. ``start`` makes its state, ``step`` returns the
next particles, the step size it took and the next state; nothing is hidden in the object. Each
cloud of a batch is solved by itself. To add a solver, write it in a file of this folder and name it
in ``SOLVERS``: command line, app and tests find it there.
"""

from ddeq.solve.solvers.euler import Euler, EulerDecay, EulerPower, Normalised, Polyak
from ddeq.solve.solvers.fixed_point import Anderson, Broyden, Picard
from ddeq.solve.solvers.frozen import Frozen, Majorise
from ddeq.solve.solvers.interface import Problem, Solver, decayed
from ddeq.solve.solvers.lbfgs import LBFGS
from ddeq.solve.solvers.line_search import Armijo
from ddeq.solve.solvers.momentum import Momentum, Nesterov

SOLVERS: dict[str, type[Solver]] = {
    "euler": Euler,
    "euler-decay": EulerDecay,
    "euler-power": EulerPower,
    "normalised": Normalised,
    "polyak": Polyak,
    "armijo": Armijo,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "l-bfgs": LBFGS,
    "frozen": Frozen,
    "majorise": Majorise,
    "picard": Picard,
    "anderson": Anderson,
    "broyden": Broyden,
}

__all__ = ["SOLVERS", "Problem", "Solver", "decayed", *(kind.__name__ for kind in SOLVERS.values())]
