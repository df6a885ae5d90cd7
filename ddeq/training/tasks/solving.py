"""What every task does before its loss: solve a batch without a graph."""

from __future__ import annotations

import torch
from torch import Tensor

from ddeq.model.encoded import Encoded
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import SOLVERS, Solver

PLAIN = SOLVERS["picard"]()


def solved(encoded: Encoded, z0: Tensor, solver: Solver, steps: int) -> Tensor:
    """Where a solver is so many steps from ``z0 (B, N, d)``; without a step ``z0`` itself."""
    if solver == PLAIN:  # which needs no objective
        with torch.no_grad():
            for _ in range(steps):
                z0 = encoded.operator(z0)
        return z0
    if not steps:
        return z0
    settings = RunSettings(solver, Riesz(), Limits()).taking(steps)
    with torch.no_grad():
        return flow_of(encoded, z0, settings, velocity=False).run().particles
