"""Chapter 5, second half: a DDEQ so small that it is trained while one watches.

It sees an arc and has to find the circle: its equilibrium shall be the whole circle as a cloud.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ddeq.learn.ring import towards_ring
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.gradients import phantom
from ddeq.solve.gradients.measures import graph_bytes
from ddeq.solve.kernels import Riesz, mmd2_loss, uniform_mass
from ddeq.solve.solvers import Picard

ARC_POINTS, PARTICLES = 12, 24
BATCH, ROUNDS = 32, 300
PULL = 0.7
RESIDUAL_WEIGHT = 0.3
HELD_OUT = 200  # arcs that training never sees


@dataclass(frozen=True)
class Arcs:
    """Examples to learn from.

    Attributes:
        x: thirds of circles ``(B, ARC_POINTS, 2)``, the inputs.
        circles: the whole circles ``(B, PARTICLES, 2)``, evenly spaced.
        z0: where particles start, ``(B, PARTICLES, 2)``.
    """

    x: Tensor
    circles: Tensor
    z0: Tensor


def draw(count: int, generator: torch.Generator) -> Arcs:
    """Random circles, and a third of each."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    centre, radius = uniform(-0.6, 0.6, 1, 2), uniform(0.5, 1.1, 1, 1)
    start = uniform(0, 2 * math.pi, 1)

    def on_circle(angles: Tensor) -> Tensor:
        return centre + radius * torch.stack([angles.cos(), angles.sin()], -1)

    whole = 2 * math.pi / PARTICLES * torch.arange(PARTICLES)
    x = on_circle(start + torch.linspace(0, 2 * math.pi / 3, ARC_POINTS))
    z0 = torch.randn(count, PARTICLES, 2, generator=generator)
    return Arcs(x, on_circle(start + whole), z0)


class TinyDDEQ(nn.Module):
    """The operator of chapter 4 without its turn; a network says from the input where the ring is.

    The network is a deep set: a small network for every point, a mean, another small network.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.points = nn.Sequential(
            nn.Linear(2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.summary = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 6))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Centre ``(B, 1, 2)`` and axes ``(B, 2, 2)`` of the ring, from ``x (B, M, 2)``."""
        origin = x.mean(1, keepdim=True)  # (B, 1, 2)
        seen = self.summary(self.points(x - origin).mean(1))  # (B, 6)
        # From the unit circle on; from a reflection, no cloud of the ring would be stable.
        return origin + seen[:, None, :2], torch.eye(2) + seen[:, 2:].reshape(-1, 2, 2)

    def forward(self, z: Tensor, context: tuple[Tensor, Tensor]) -> Tensor:
        """``F(z)``, ``(B, N, 2)``."""
        return towards_ring(z, *context, PULL)

    def flow(self, arcs: Arcs, steps: int) -> Flow:
        """The forward pass: so many plain iterations."""
        operator = partial(self, context=self.encode(arcs.x))
        stop = StopRule(steps, tolerance=0.0)
        return Flow(operator, arcs.z0, solver=Picard(), stop=stop, velocity=False)


@dataclass(frozen=True)
class Round:
    """What is known after ``number`` rounds of training.

    Attributes:
        number: rounds done.
        error: MMD^2 between equilibria and circles of held-out arcs, mean.
        model: as it is now; training goes on in the same object.
    """

    number: int
    error: float
    model: TinyDDEQ


def train(seed: int = 0, rounds: int = ROUNDS, report_every: int = 20) -> Iterator[Round]:
    """Train a tiny DDEQ, and report from time to time; leave the loop to stop.

    Every round solves fresh arcs to their equilibrium without a graph, applies ``F`` once more
    with one (the phantom gradient), and takes a step of Adam, as the real training does.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = TinyDDEQ()
    held_out = draw(HELD_OUT, torch.Generator().manual_seed(seed + 2**31))
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 3e-2, total_steps=max(rounds, 2), pct_start=0.1
    )
    yield Round(0, error(model, held_out), model)
    for number in range(1, rounds + 1):
        steps = int(torch.randint(1, 7, (), generator=generator))
        loss = equilibrium_loss(model, draw(BATCH, generator), steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if number % report_every == 0 or number == rounds:
            yield Round(number, error(model, held_out), model)


def equilibrium_loss(model: TinyDDEQ, arcs: Arcs, steps: int) -> Tensor:
    """``MMD^2`` of the equilibrium to the circle, and a little of its residual; a scalar."""
    with torch.no_grad():
        z_star = model.flow(arcs, steps).run().particles  # (B, N, 2)
    image = phantom(partial(model, context=model.encode(arcs.x)), z_star)
    mass = uniform_mass(image)
    to_circle = mmd2_loss(image, arcs.circles, mass, mass, Riesz())  # (B,)
    residual = mmd2_loss(z_star, image, mass, mass, Riesz())  # (B,)
    return (to_circle + RESIDUAL_WEIGHT * residual).mean()


@torch.no_grad()
def error(model: TinyDDEQ, arcs: Arcs, steps: int = 8) -> float:
    """Mean MMD^2 between equilibria and circles."""
    z = model.flow(arcs, steps).run().particles
    mass = uniform_mass(z)
    return float(mmd2_loss(z, arcs.circles, mass, mass, Riesz()).mean())


def memory_of_unrolling(depths: list[int]) -> tuple[list[int], int]:
    """Bytes kept for the backward pass of one batch: unrolled to each depth, and by phantom."""
    model, arcs = TinyDDEQ(), draw(BATCH, torch.Generator().manual_seed(0))

    def unrolled(depth: int) -> Tensor:
        context, z = model.encode(arcs.x), arcs.z0
        for _ in range(depth):
            z = model(z, context)
        return z

    return [graph_bytes(partial(unrolled, d)) for d in depths], graph_bytes(
        lambda: phantom(partial(model, context=model.encode(arcs.x)), arcs.z0)
    )
