"""Solvers: where the particles go next, given one evaluation of the objective.

A solver is a frozen dataclass of its settings. ``start`` makes its state, ``step`` returns the
next particles, the step size it took and the next state; nothing is hidden in the object. Each
cloud of a batch is solved by itself. Most are a direction and a step rule (``parts``), and have a
name for people to choose them by. To add one, write it in a file of this folder and register it
there: command line, app and tests find it in ``SOLVERS``.
"""

from ddeq.solve.registry import import_all
from ddeq.solve.solvers.anderson import Anderson
from ddeq.solve.solvers.broyden import Broyden
from ddeq.solve.solvers.gradient_flow import (
    Armijo,
    Euler,
    EulerDecay,
    EulerPower,
    Normalised,
    Polyak,
)
from ddeq.solve.solvers.held import Frozen, Majorise
from ddeq.solve.solvers.interface import SOLVERS, Named, Problem, Solver
from ddeq.solve.solvers.lbfgs import LBFGS
from ddeq.solve.solvers.momentum import Momentum, Nesterov
from ddeq.solve.solvers.picard import Picard

import_all(__name__, __path__)

__all__ = [
    "LBFGS",
    "SOLVERS",
    "Anderson",
    "Armijo",
    "Broyden",
    "Euler",
    "EulerDecay",
    "EulerPower",
    "Frozen",
    "Majorise",
    "Momentum",
    "Named",
    "Nesterov",
    "Normalised",
    "Picard",
    "Polyak",
    "Problem",
    "Solver",
]
