"""Chapter 3: a cloud flows to a target that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from ddeq.metrics.transport import emd
from ddeq.seeds import seeded, shaking
from ddeq.solve.flow import Flow, FlowStep, StopRule
from ddeq.solve.kernels import Kernel
from ddeq.solve.solvers import Solver


def standing_still(target: Tensor) -> Callable[[Tensor], Tensor]:
    """The simplest operator: whatever the particles ``(1, N, d)``, ``F(z) = target``."""
    return lambda z: target + 0 * z


def flow_to(
    target: np.ndarray,
    solver: Solver,
    kernel: Kernel,
    *,
    steps: int = 200,
    noise: float = 0.0,
    seed: int = 0,
) -> Flow:
    """The gradient flow of ``1/2 MMD^2(mu, target)`` from Gaussian particles, ready to iterate.

    Args:
        target: ``(N, 2)``; as many particles flow.
        solver, kernel: of :class:`ddeq.solve.flow.Flow`.
        steps: how many.
        noise: see :class:`ddeq.solve.flow.Flow`.
        seed: of start and noise.

    Source: Arbel et al. 2019, https://arxiv.org/abs/1906.04370, section 2.
    """
    [start] = seeded([seed])
    z0 = 0.5 * torch.randn(1, *target.shape, generator=start, dtype=torch.float64)
    return Flow(
        standing_still(torch.from_numpy(target)[None]),
        z0,
        solver=solver,
        kernel=kernel,
        stop=StopRule(steps, tolerance=0.0),
        noise=noise,
        generators=shaking([seed]),
    )


def distances(steps: Iterable[FlowStep], target: np.ndarray) -> list[float]:
    """How far the particles of every step still have to travel on average (exact EMD)."""
    return [emd(step.particles[0].detach().numpy(), target) for step in steps]


def leftover(flow: Flow, target: np.ndarray, tail: int = 20) -> float:
    """What remains: the mean of the last ``tail`` of :func:`distances`."""
    return float(np.mean(distances(list(flow)[-tail:], target)))
