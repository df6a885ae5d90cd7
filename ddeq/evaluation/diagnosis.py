"""What is wrong with a solve: does ``F`` contract, do particles part, do seeds agree, what is left?

Everything here asks an operator alone, ``z (B, N, d) -> F(z)``, of a shipped model or of anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ddeq.metrics.particles import distinct_particles, spread
from ddeq.metrics.transport import w2
from ddeq.model.encoded import Encoded
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.gradients.implicit import implicit
from ddeq.solve.gradients.interface import OperatorFn
from ddeq.solve.gradients.measures import angle
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import SOLVERS

APPLICATIONS = 60  # of the Jacobian, of which the last half is looked at
ASKED = ("picard", "anderson", "nesterov", "euler-decay")
"""Solvers whose floors are told."""


@dataclass(frozen=True)
class Findings:
    """What was found of some clouds; medians over them.

    Attributes:
        particles: of each.
        spectral_radius: of the Jacobian of ``F`` where plain iteration has come to.
        distinct: different particles there, see :func:`ddeq.metrics.particles.distinct_particles`.
        seeds_apart: Wasserstein distance of the ends of two seeds, relative to their spread.
        floors: by solver, ``G / G_0`` after all the steps that were allowed.
        gradient_off: angle of the phantom gradient at the equilibrium to the implicit one, degrees.
    """

    particles: int
    spectral_radius: float
    distinct: float
    seeds_apart: float
    floors: dict[str, float]
    gradient_off: float


class Starts(Protocol):
    """Where particles of every cloud start, ``(B, N, d)``, by a seed."""

    def __call__(self, seed: int) -> Tensor: ...


def diagnose(encoded: Encoded, starts: Starts, steps: int = 100) -> Findings:
    """Ask about input clouds that are encoded already.

    Args:
        encoded: ``B`` of them, with as many valid particles each.
        starts: initial particles.
        steps: that every solver may take.
    """
    ends = {name: _end(encoded, starts(0), name, steps) for name in ASKED}
    z, _ = ends["picard"]
    other, _ = _end(encoded, starts(1), "picard", steps)
    apart = [w2(a.double().numpy(), b.double().numpy()) for a, b in zip(z, other, strict=True)]
    relative = torch.tensor(apart) / spread(z).double().clamp_min(1e-12)
    return Findings(
        particles=z.shape[1],
        spectral_radius=float(spectral_radius(encoded.operator, z).median()),
        distinct=float(distinct_particles(z).double().median()),
        seeds_apart=float(relative.median()),
        floors={name: float(left.median()) for name, (_, left) in ends.items()},
        gradient_off=gradient_off(encoded.operator, z),
    )


def _end(encoded: Encoded, z0: Tensor, solver: str, steps: int) -> tuple[Tensor, Tensor]:
    """Particles and ``G / G_0`` after all steps."""
    settings = RunSettings(SOLVERS[solver](), Riesz(), Limits(steps=steps, tolerance=0.0))
    end = flow_of(encoded, z0, settings, velocity=False).run()
    return end.particles.cpu(), end.relative_objective.cpu()


def spectral_radius(operator: OperatorFn, z: Tensor, seed: int = 0) -> Tensor:
    """The largest modulus of an eigenvalue of ``J_F`` at ``z (B, N, d)``, cloud by cloud: ``(B,)``.

    By how much the transposed Jacobian, whose eigenvalues are the same, makes a random vector
    longer in a step, in the geometric mean over many steps: with complex eigenvalues a vector turns
    and its length rises and falls. 0 where the Jacobian makes it 0.

    Source: Gelfand's formula, https://en.wikipedia.org/wiki/Spectral_radius.
    """
    with torch.enable_grad():
        inner = z.detach().requires_grad_()
        image = operator(inner)
    if not image.requires_grad:  # it does not even look at its particles
        return torch.zeros_like(z[:, 0, 0])
    generator = torch.Generator().manual_seed(seed)
    u = torch.randn(z.shape, generator=generator, dtype=z.dtype).to(z.device)
    u = u / _length(u)
    growth = []
    for _ in range(APPLICATIONS):
        (u,) = torch.autograd.grad(image, inner, u, retain_graph=True)
        length = _length(u)
        growth.append(length.flatten().clamp_min(torch.finfo(z.dtype).tiny).log())
        u = u / length.clamp_min(torch.finfo(z.dtype).tiny)
    radius = torch.stack(growth[APPLICATIONS // 2 :]).mean(0).exp()
    return torch.where(radius < 1e-12, 0.0, radius)


def _length(u: Tensor) -> Tensor:
    return u.flatten(1).norm(dim=1)[:, None, None]


def gradient_off(operator: OperatorFn, z: Tensor, seed: int = 0) -> float:
    """Angle between the phantom and the implicit gradient of a random loss at ``z``, in degrees.

    Both send the loss's gradient into ``F`` at the equilibrium, the implicit one through
    ``(I - J_F^T)^-1`` before.
    """
    generator = torch.Generator().manual_seed(seed)
    loss = torch.randn(z.shape, generator=generator, dtype=z.dtype).to(z.device)
    shift = torch.zeros_like(z).requires_grad_()
    with torch.enable_grad():
        equilibrium = implicit(lambda z: operator(z) + shift, z)
        (sent,) = torch.autograd.grad(equilibrium, shift, loss)
    return angle(sent.flatten().double(), loss.flatten().double())


def advice(found: Findings) -> list[str]:
    """One sentence for each thing to know, the good ones too."""
    best = min(found.floors, key=lambda name: found.floors[name])
    return [
        _of_radius(found.spectral_radius),
        _of_distinct(found.distinct, found.particles),
        _of_seeds(found.seeds_apart),
        f"Of these solvers {best} comes lowest, to {found.floors[best]:.1e} of where it began.",
        _of_gradient(found.gradient_off),
    ]


def _of_radius(radius: float) -> str:
    if radius < 0.9:
        return "F contracts here: plain iteration converges, and quickly."
    if radius < 1:
        return "F contracts slowly here: Anderson acceleration saves steps."
    return (
        "F does not contract here: particles do not rest under plain iteration; if their measure "
        "is to, use a gradient flow, and a penalty on the residual in training."
    )


def _of_distinct(distinct: float, particles: int) -> str:
    if distinct >= 0.8 * particles:
        return "Particles stay apart."
    return "Particles fall together: train with a separation_weight."


def _of_seeds(apart: float) -> str:
    if apart < 0.25:
        return "Two seeds end at about the same measure."
    return "Two seeds end at different measures: there are several equilibria, or no arrival yet."


def _of_gradient(off: float) -> str:
    if off < 30:
        return "The phantom gradient points about where the implicit one does."
    return "The phantom gradient is far from the implicit one: try phantom-k or reversible."
