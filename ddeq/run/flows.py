"""From a model's encoded input and a run's settings to a solve."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ddeq.model.encoded import Encoded
from ddeq.run.settings import RunSettings
from ddeq.seeds import shaking
from ddeq.solve.flow import Flow, StopRule


def flow_of(
    encoded: Encoded,
    z0: Tensor,
    settings: RunSettings,
    seeds: Sequence[int] = (),
    *,
    velocity: bool = True,
) -> Flow:
    """The solve that settings ask for, ready to be iterated.

    Args:
        encoded: ``B`` input clouds, as a model's ``encode`` returns them.
        z0: initial particles ``(B, N, d)``, as a model's ``start`` returns them.
        settings: of the solve; their number of particles and their seed are those of ``z0``.
        seeds: ``B`` of them, of the noise; they may be left out where there is none.
        velocity: whether every step has its velocity, though the solver does not need it.
    """
    limits = settings.limits
    return Flow(
        encoded.operator,
        z0,
        solver=settings.solver,
        kernel=settings.kernel,
        stop=StopRule(limits.steps, limits.tolerance),
        mask=encoded.mask,
        share=encoded.share,
        noise=limits.noise,
        generators=shaking(seeds),
        velocity=velocity,
    )
