"""The objective ``G(mu) = 1/2 MMD^2(mu, F(mu))`` and its Wasserstein gradient.

Near a fixed point almost all of the sum that ``G`` is cancels. What is left below the rounding
error of that sum is noise, of either sign: there ``G`` is set to exactly 0, and a solve that gets
there ends (``Stopped.BELOW_ROUNDING``), though its tolerance may be smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ddeq.solve.kernels import Discrepancy, Kernel, discrepancy, uniform_mass

Pull = Callable[[Tensor], Tensor]
"""``g -> J_F^T g`` at the particles where the operator was evaluated, ``(B, N, d)`` both."""


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation of the operator tells about the particles.

    Attributes:
        particles: ``z (B, N, d)``.
        image: ``F(z) (B, N, d)``.
        objective: ``G (B,)``.
        velocity: ``-N dG/dz (B, N, d)``, the direction of steepest descent in the Wasserstein
            geometry, zero for padded particles; None if it was not asked for.
        rounding: ``(B,)``, the objective's error; it is 0 where it would be smaller.
        later: the velocity that the kernel of the next step gives here, ``(B, N, d)``; None where
            the kernel does not change, or without a velocity.
    """

    particles: Tensor
    image: Tensor
    objective: Tensor
    velocity: Tensor | None
    rounding: Tensor
    later: Tensor | None = None

    @property
    def downhill(self) -> Tensor:
        """The velocity, of which it is known that it was asked for.

        Raises:
            ValueError: it was not.
        """
        if self.velocity is None:
            raise ValueError("This evaluation has no velocity: ask for one.")
        return self.velocity


def arrived(here: Evaluation) -> Evaluation:
    """An evaluation that a solver hands back, as it is at the next step."""
    return here if here.later is None else replace(here, velocity=here.later, later=None)


def where(chosen: Tensor, a: Evaluation, b: Evaluation) -> Evaluation:
    """``a`` for the clouds that are ``chosen (B,)``, ``b`` for the others."""
    wide = chosen[:, None, None]
    velocity = None
    if a.velocity is not None and b.velocity is not None:
        velocity = torch.where(wide, a.velocity, b.velocity)
    return Evaluation(
        torch.where(wide, a.particles, b.particles),
        torch.where(wide, a.image, b.image),
        torch.where(chosen, a.objective, b.objective),
        velocity,
        torch.where(chosen, a.rounding, b.rounding),
    )


def put(part: Evaluation, clouds: Tensor, into: Evaluation) -> Evaluation:
    """``into``, but of the ``clouds (b,)`` of these indices the evaluation ``part``.

    Velocities that the others do not have are 0.
    """

    def both(own: Tensor | None, others: Tensor | None) -> Tensor | None:
        if own is None:
            return None
        others = torch.zeros_like(into.particles) if others is None else others
        return others.index_copy(0, clouds, own)

    return Evaluation(
        into.particles.index_copy(0, clouds, part.particles),
        into.image.index_copy(0, clouds, part.image),
        into.objective.index_copy(0, clouds, part.objective),
        both(part.velocity, into.velocity),
        into.rounding.index_copy(0, clouds, part.rounding),
        both(part.later, into.later),
    )


@runtime_checkable
class Restrictable(Protocol):
    """An operator that can be asked about some of its clouds alone."""

    def __call__(self, z: Tensor) -> Tensor: ...
    def only(self, clouds: Tensor) -> Callable[[Tensor], Tensor]:
        """Of the clouds ``(b,)`` of these indices."""


@runtime_checkable
class Pullable(Protocol):
    """An operator that knows its own vector-Jacobian product."""

    def __call__(self, z: Tensor) -> Tensor: ...
    def vjp(self, z: Tensor) -> tuple[Tensor, Pull]:
        """``F(z) (B, N, d)``, and ``g -> J_F(z)^T g``, which may be called again."""


class Objective:
    """``G`` of one batch of clouds, counting how often the operator was evaluated.

    Args:
        operator: ``z (B, N, d) -> F(z) (B, N, d)``; it is differentiated by autograd, unless it is
            :class:`Pullable`.
        kernel: of the MMD.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
        share: ``(B,)``, the mass of all these particles together, where known points that never
            move hold the rest; None is 1. Known points stand on their own images, so they cancel
            out of ``G`` and its gradient, and only their mass is left.
        differentiable: keep the graph, so that a solve can be differentiated by unrolling.
    """

    def __init__(
        self,
        operator: Callable[[Tensor], Tensor],
        kernel: Kernel,
        mask: Tensor | None = None,
        share: Tensor | None = None,
        differentiable: bool = False,
    ) -> None:
        self.operator = operator
        self.kernel = kernel
        self.mask = mask
        self.share = share
        self.differentiable = differentiable
        self.evaluations = 0
        self._mass: Tensor | None = None
        self._heaviest: Tensor | None = None

    def __call__(
        self,
        z: Tensor,
        velocity: bool = True,
        kernel: Kernel | None = None,
        later: Kernel | None = None,
    ) -> Evaluation:
        """Evaluate ``F`` once at ``z (B, N, d)``, and the velocity if asked for.

        Args:
            z: particles.
            velocity: whether it is wanted.
            kernel: whose velocity, if not that of the objective's own.
            later: whose velocity is wanted as well, see :attr:`Evaluation.later`.
        """
        self.evaluations += 1
        if not self.differentiable or not z.requires_grad:
            z = z.detach().requires_grad_(self.differentiable)
        image, pull = self._applied(z, velocity, again=later is not None)
        with torch.set_grad_enabled(self.differentiable):
            own = discrepancy(z, image, self.mass(z), self.mass(z), self.kernel)
            here = Evaluation(z, image, own.mmd2 / 2, None, own.rounding / 2)
            if pull is None:
                return here
            force = own if kernel in (None, self.kernel) else self._force(here, kernel)
            v = self._velocity(pull, force)
            after = None if later is None else self._velocity(pull, self._force(here, later))
        return replace(here, velocity=v, later=after)

    def _applied(self, z: Tensor, velocity: bool, again: bool) -> tuple[Tensor, Pull | None]:
        """``F(z)``; and its pull if the velocity is wanted, where it may be called ``again``."""
        if not velocity:
            with torch.set_grad_enabled(self.differentiable):
                return self.operator(z), None
        if isinstance(self.operator, Pullable) and not self.differentiable:
            with torch.no_grad():
                return self.operator.vjp(z)
        keeps = self.differentiable
        leaf = z if keeps else z.detach().requires_grad_()
        with torch.enable_grad():
            image = self.operator(leaf)  # (B, N, d)

        def pull(g: Tensor) -> Tensor:
            (found,) = torch.autograd.grad(
                image, leaf, g, retain_graph=again or keeps, create_graph=keeps
            )
            return found

        return image if keeps else image.detach(), pull

    def _force(self, here: Evaluation, kernel: Kernel) -> Discrepancy:
        """The discrepancy by another kernel."""
        mass = self.mass(here.particles)
        return discrepancy(here.particles, here.image, mass, mass, kernel)

    def _velocity(self, pull: Pull, force: Discrepancy) -> Tensor:
        """``-N dG/dz``, ``(B, N, d)``: ``dG/dz = 1/2 (d/dz + J_F^T d/dF) MMD^2``."""
        if self._heaviest is None:
            self._heaviest = self.mass(force.grad_a).amax(1)[:, None, None]  # (B, 1, 1)
        return (force.grad_a + pull(force.grad_b)) / (-2 * self._heaviest)

    def only(self, clouds: Tensor) -> Objective | None:
        """Of the clouds ``(b,)`` of these indices alone; None if the operator cannot, or may not.

        A solve that is to be differentiated stays one graph.
        """
        if self.differentiable or not isinstance(self.operator, Restrictable):
            return None
        mask, share = (None if t is None else t[clouds] for t in (self.mask, self.share))
        return Objective(self.operator.only(clouds), self.kernel, mask, share)

    def mass(self, z: Tensor) -> Tensor:
        """Mass ``1/N`` on each valid particle, ``(B, N)``; ``N`` counts known points, too."""
        if self._mass is None:  # the same at every step
            mass = uniform_mass(z, self.mask)
            self._mass = mass if self.share is None else self.share[:, None] * mass
        return self._mass


@dataclass(frozen=True)
class VelocityTerms:
    """The velocity split into its three exact parts, each ``(B, N, d)``.

    Attributes:
        attraction: towards the particles of ``F(mu)``.
        repulsion: away from the other particles.
        through_operator: the part that moves ``F(mu)`` itself, ``-N J_F^T dG/dF``.
    """

    attraction: Tensor
    repulsion: Tensor
    through_operator: Tensor


class Measured(Protocol):
    """An :class:`Evaluation`, or a step of a flow: particles with their image and velocity."""

    @property
    def particles(self) -> Tensor: ...
    @property
    def image(self) -> Tensor: ...
    @property
    def velocity(self) -> Tensor | None: ...


def velocity_terms(here: Measured, kernel: Kernel, mass: Tensor) -> VelocityTerms:
    """Split ``here.velocity`` without evaluating the operator again.

    Known points pull at a particle as much as they push it, and appear in neither part.

    Args:
        here: particles with their velocity.
        kernel: whose velocity it is.
        mass: of its particles, ``(B, N)``, see :meth:`Objective.mass`.

    Raises:
        ValueError: there is no velocity.
    """
    z, image = here.particles, here.image
    if here.velocity is None:
        raise ValueError("Without a velocity there is nothing to split: ask for one.")
    attraction, repulsion = pull(z, image, mass, kernel), -pull(z, z, mass, kernel)
    return VelocityTerms(attraction, repulsion, here.velocity - attraction - repulsion)


def pull(z: Tensor, target: Tensor, mass: Tensor, kernel: Kernel) -> Tensor:
    """How particles ``z (B, N, d)`` are drawn to a ``target (B, N, d)`` of mass ``(B, N)``."""
    return kernel.pull(z, target, mass).masked_fill((mass == 0)[..., None], 0.0)
