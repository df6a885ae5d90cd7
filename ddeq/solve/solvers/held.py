"""Steps towards the images of the particles, with ``F`` held fixed on the way.

Each asks the network once a step, and differentiates nothing through it: the images ``F(z_k)`` are
a target like any other, and minimising ``1/2 MMD^2(mu, F(z_k))`` is a problem of its own. The
assignment of particles to images is the flow's, not that of plain iteration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ddeq.solve.objective import Evaluation, pull
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import half_life, inner, step_size
from ddeq.solve.solvers.interface import FROZEN_TARGET, MAJORISATION, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Length, Straight


class Towards(Direction):
    """The velocity of the flow to the images, as if they were fixed."""

    needs_velocity = False

    def look(self, here: Evaluation, state: None, problem: Problem) -> tuple[Straight, None]:
        return Straight(here.particles, _velocity(here, problem)), None


class Majorising(Direction):
    """To the minimum of a bound on the distance to the images, which touches it here.

    Repulsion is concave, so it is replaced by its tangent; attraction by paraboloids above it that
    touch it here (Weiszfeld). Their sum has its minimum at ``z + v / sum_j m_j w_ij``, where ``v``
    is the velocity towards the images and ``w_ij`` the pull of image ``j`` over its distance.

    Source: Mak and Joseph 2018, algorithm sp.ccp, https://doi.org/10.1214/17-AOS1629; Yuille and
    Rangarajan 2003, https://doi.org/10.1162/08997660360581958.
    """

    needs_velocity = False

    def look(self, here: Evaluation, state: None, problem: Problem) -> tuple[Straight, None]:
        mass = problem.mass(here.particles)
        stiffness = problem.kernel.stiffness(here.particles, here.image, mass)  # (B, N, 1)
        return Straight(here.particles, _velocity(here, problem) / stiffness), None


def _velocity(here: Evaluation, problem: Problem) -> Tensor:
    """Of the particles among themselves and towards their images, ``(B, N, d)``."""
    z, mass = here.particles, problem.mass(here.particles)
    return pull(z, here.image, mass, problem.kernel) - pull(z, z, mass, problem.kernel)


@dataclass(frozen=True)
class Held:
    """Several steps of a solver with the images of the first.

    It is for solvers that evaluate nothing themselves.
    """

    inner: int
    solver: Along

    @property
    def needs_velocity(self) -> bool:
        return False

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, Length, None]:
        memory = self.solver.start(here.particles)
        first: Length | None = None
        for i in range(int(self.inner)):
            to, length, memory = self.solver.step(here, i, memory, problem)
            here = replace(here, particles=to.particles if isinstance(to, Evaluation) else to)
            first = length if first is None else first
        return here.particles, 0.0 if first is None else first, None


@SOLVERS.register(
    "frozen",
    FROZEN_TARGET,
    "Many steps to where the network sends the particles, then it is asked again.",
)
@dataclass(frozen=True)
class Frozen(Named):
    """Several Euler steps towards the images, with a decaying step, then ``F`` again.

    A target network that is renewed every so many moves, as in Mnih et al. 2015,
    https://doi.org/10.1038/nature14236.
    """

    inner: int = inner(20)
    step_size: float = step_size(10.0)
    half_life: float = half_life(3.0)

    @property
    def solver(self) -> Held:
        decay = rules.Geometric(self.step_size, self.half_life, floor=0.0)
        return Held(self.inner, Along(Towards(), decay))


@SOLVERS.register(
    "majorise",
    MAJORISATION,
    "The same without a step size: each move minimises a bound on the distance.",
)
@dataclass(frozen=True)
class Majorise(Named):
    """The convex-concave procedure for the energy distance to the images: no step size at all.

    The distance to the images never grows for kernels with ``1 <= r < 2``, see :class:`Majorising`.
    """

    inner: int = inner(20)

    @property
    def solver(self) -> Held:
        return Held(self.inner, Along(Majorising(), rules.Constant(1.0)))
