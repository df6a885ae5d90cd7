"""Steps towards the images of the particles, with ``F`` held fixed on the way.

Each asks the network once a step, and differentiates nothing through it: the images ``F(z_k)`` are
a target like any other, and minimising ``1/2 MMD^2(mu, F(z_k))`` is a problem of its own. The
assignment of particles to images is the flow's, not that of plain iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.solve.kernels import Kernel, squared_distances
from ddeq.solve.objective import Evaluation, pull
from ddeq.solve.solvers.interface import Problem, decayed, half_life, inner, step_size


@dataclass(frozen=True)
class Frozen:
    """Several Euler steps towards the images, with a decaying step, then ``F`` again.

    A target network that is renewed every so many moves, as in Mnih et al. 2015,
    https://doi.org/10.1038/nature14236.
    """

    inner: int = inner(20)
    step_size: float = step_size(10.0)
    half_life: float = half_life(3.0)
    needs_velocity = False

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        z, mass = here.particles, problem.mass(here.particles)
        for i in range(int(self.inner)):
            gamma = decayed(self.step_size, self.half_life, 0.0, i)
            v = pull(z, here.image, mass, problem.kernel) - pull(z, z, mass, problem.kernel)
            z = z + gamma * v  # (B, N, d)
        return z, self.step_size, None


@dataclass(frozen=True)
class Majorise:
    """The convex-concave procedure for the energy distance to the images: no step size at all.

    Repulsion is concave, so it is replaced by its tangent; attraction by paraboloids above it that
    touch it here (Weiszfeld). Their sum has its minimum at ``z + v / sum_j m_j w_ij``, where ``v``
    is the velocity towards the images and ``w_ij`` the pull of image ``j`` over its distance. The
    distance to the images never grows for kernels with ``1 <= r < 2``.

    Source: Mak and Joseph 2018, algorithm sp.ccp, https://doi.org/10.1214/17-AOS1629; Yuille and
    Rangarajan 2003, https://doi.org/10.1162/08997660360581958.
    """

    inner: int = inner(20)
    needs_velocity = False

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        z, mass = here.particles, problem.mass(here.particles)
        for _ in range(int(self.inner)):
            v = pull(z, here.image, mass, problem.kernel) - pull(z, z, mass, problem.kernel)
            z = z + v / stiffness(z, here.image, mass, problem.kernel)
        return z, 1.0, None


def stiffness(z: Tensor, target: Tensor, mass: Tensor, kernel: Kernel) -> Tensor:
    """``sum_j m_j w_ij`` of the pull of ``target (B, M, d)`` at ``z (B, N, d)``: ``(B, N, 1)``.

    One over it is the step of Weiszfeld 1937, https://doi.org/10.1007/s10479-008-0352-z.
    """
    weight = -kernel.slope(squared_distances(z, target))  # (B, N, M)
    return (weight @ mass[..., None]).clamp_min(torch.finfo(z.dtype).tiny)
