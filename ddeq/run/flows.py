"""From a model's encoded input and a run's settings to a solve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ddeq.input.preprocess import collate
from ddeq.model.classifier import Classifier
from ddeq.model.encoded import Encoded
from ddeq.run.settings import RunSettings
from ddeq.seeds import shaking
from ddeq.solve.flow import Flow, FlowStep, StopRule


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


@torch.no_grad()
def flow_of_clouds(
    model: Classifier,
    clouds: Sequence[np.ndarray],
    settings: RunSettings,
    seeds: Sequence[int],
    device: torch.device | str = "cpu",
) -> Flow:
    """The solve of ``B`` prepared clouds ``(M_b, d_x)`` in one batch, each from its seed."""
    x, mask = collate(clouds)
    encoded = model.encode(x.to(device), None if mask.all() else mask.to(device))
    z0 = model.start(seeds, settings.limits.particles)
    return flow_of(encoded, z0, settings, seeds, velocity=False)


def after(flow: Flow, counts: Sequence[int]) -> Iterator[tuple[int, FlowStep]]:
    """A flow after each of these numbers of steps; where it ends before, it stays as it is."""
    waiting = sorted(counts)
    for here in flow:
        ended = not here.running.any()
        while waiting and (here.step == waiting[0] or ended):
            yield waiting.pop(0), here
