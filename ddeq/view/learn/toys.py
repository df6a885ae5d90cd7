"""From the steps of a toy in the plane to what the player shows; no projection is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ddeq.solve.flow import FlowStep
from ddeq.solve.kernels import Kernel, uniform_mass
from ddeq.solve.objective import velocity_terms
from ddeq.view.player import Curve, Trajectory, encode


@dataclass(frozen=True, eq=False)
class Scenery:
    """What the player shows beside the particles of a toy.

    Attributes:
        note: one line below.
        truth: points ``(K, 2)`` shown behind the particles.
        rho: the input cloud ``(M, 2)``.
        ghost: whether to show ``F(mu)``.
        kernel: of the flow, to split its steps into their exact parts; None if none was followed.
    """

    note: str
    truth: np.ndarray | None = None
    rho: np.ndarray | None = None
    ghost: bool = True
    kernel: Kernel | None = None


def plane(
    steps: Sequence[FlowStep],
    label: str,
    curves: Mapping[str, Sequence[float]],
    scenery: Scenery,
) -> bytes:
    """Encoded steps of one cloud in the plane.

    Args:
        steps: T of a flow with ``B = 1, d = 2``.
        label: names the run.
        curves: name to a number a step; drawn on a logarithmic axis, one chart each.
        scenery: what else is shown.
    """
    truth, rho, kernel = scenery.truth, scenery.rho, scenery.kernel
    return encode(
        Trajectory(
            label=label,
            steps=np.array([step.step for step in steps], np.int32),
            particles=_stacked([step.particles for step in steps]),
            ghost=_stacked([step.image for step in steps]) if scenery.ghost else None,
            terms=None if kernel is None else np.stack([_terms(step, kernel) for step in steps]),
            curves=tuple(
                Curve(name, np.array(values, np.float32), name, log=True)
                for name, values in curves.items()
            ),
            truth=None if truth is None else truth.astype(np.float32),
            input=None if rho is None else rho.astype(np.float32),
            axes=("x", "y"),
            note=scenery.note,
        )
    )


def _stacked(tensors: Sequence) -> np.ndarray:
    return np.stack([t[0].detach().numpy() for t in tensors]).astype(np.float32)  # (T, N, 2)


def _terms(step: FlowStep, kernel: Kernel) -> np.ndarray:
    """The exact parts of a step, ``(3, N, 2)``."""
    parts = velocity_terms(step, kernel, uniform_mass(step.particles))
    moved = [parts.attraction, parts.repulsion, parts.through_operator]
    return float(step.step_size) * _stacked(moved)
