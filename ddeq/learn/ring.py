"""Chapter 4: an operator in the plane that is small enough to see whole.

It does three things to a cloud: it moves the centre towards that of the input, it pulls every
particle towards a ring about the centre, as wide as the input is, and it turns the cloud. No
particle of the ring stays where it is, but the ring does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.metrics.particles import spread


def towards_ring(z: Tensor, centre: Tensor, axes: Tensor, pull: float) -> Tensor:
    """Move particles ``(B, N, 2)`` the share ``pull`` of the way to a ring.

    Args:
        z: the particles.
        centre: of the ring, ``(B, 1, 2)``.
        axes: ``(B, 2, 2)``, which maps the unit circle to the ring.
        pull: 0 leaves everything, 1 puts every particle on the ring.
    """
    mean = z.mean(1, keepdim=True)  # (B, 1, 2): the only way particles know of each other
    u = z - mean  # (B, N, 2)
    unit = u / (u.norm(dim=-1, keepdim=True) + 1e-3)  # smooth where a particle is at the centre
    return torch.lerp(mean, centre, pull) + torch.lerp(u, unit @ axes, pull)


@dataclass(frozen=True)
class RingOperator:
    """``F(z, x)``: towards a ring as wide as the input cloud ``x``, about its centre, and a turn.

    Attributes:
        pull: how far towards the ring, 0 to 1.
        turn: degrees.
    """

    pull: float = 0.4
    turn: float = 30.0

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Centre ``(B, 1, 2)`` and axes ``(B, 2, 2)`` of the input ``(B, M, 2)``; once a solve."""
        radius = spread(x)[:, None, None]
        return x.mean(1, keepdim=True), radius * torch.eye(2, dtype=x.dtype)

    def __call__(self, z: Tensor, context: tuple[Tensor, Tensor]) -> Tensor:
        """``F(z) (B, N, 2)``; a turn of the particles turns about their own new centre."""
        image = towards_ring(z, *context, self.pull)
        centre = image.mean(1, keepdim=True)
        return centre + (image - centre) @ rotation(self.turn, z).T

    def of(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """``z -> F(z, x)`` with the input encoded."""
        context = self.encode(x)
        return lambda z: self(z, context)


def rotation(degrees: float, like: Tensor) -> Tensor:
    """Matrix ``(2, 2)`` of a turn to the left."""
    angle = math.radians(degrees)
    return like.new_tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )


def even_start(particles: int, size: float = 0.3) -> Tensor:
    """Particles evenly spaced on a small circle far from the centre, ``(1, N, 2)``."""
    angle = 2 * math.pi * torch.arange(particles, dtype=torch.float64) / particles
    return size * torch.stack([angle.cos(), angle.sin()], -1)[None] - 1.2


def random_start(particles: int, seed: int) -> Tensor:
    """Gaussian particles ``(1, N, 2)``, as the real models start."""
    generator = torch.Generator().manual_seed(seed)
    return 0.6 * torch.randn(1, particles, 2, generator=generator, dtype=torch.float64)


def movement(z: Tensor, image: Tensor) -> float:
    """Mean distance of particles ``(1, N, 2)`` from their *own* images, as a list has it."""
    return float((image - z).norm(dim=-1).mean())
