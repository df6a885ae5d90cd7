"""The forward pass: flow particles to a measure fixed point, one frozen record a step.

Source: paper, algorithm 1.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddeq.solve.kernels import Kernel, Riesz
from ddeq.solve.objective import Evaluation, Objective, arrived, where
from ddeq.solve.solvers import Problem, Solver
from ddeq.threads import each


class Stopped(enum.Enum):
    """Why a cloud's solve ended; ``advice`` says what to try next.

    A solve is ``BELOW_ROUNDING`` if its tolerance is smaller than the error of its objective, and
    the objective is: nobody can tell whether it has converged.
    """

    CONVERGED = "converged"
    BELOW_ROUNDING = "below rounding"
    STEP_LIMIT = "step limit"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"

    @property
    def advice(self) -> str:
        return {
            Stopped.CONVERGED: "",
            Stopped.BELOW_ROUNDING: "Raise the tolerance to stop where it still is a number.",
            Stopped.STEP_LIMIT: "Allow more steps, let the step size decay faster, "
            "or raise the tolerance.",
            Stopped.CANCELLED: "Run again to let it finish.",
            Stopped.DIVERGED: "Use a smaller step size or less momentum.",
        }[self]


@dataclass(frozen=True)
class FlowStep:
    """The solve after ``step`` steps.

    Attributes:
        step: number of steps taken, 0 for the initial particles.
        particles, image: ``z`` and ``F(z)``, each ``(B, N, d)``.
        objective: ``G = 1/2 MMD^2(z, F(z))``, ``(B,)``.
        relative_objective: ``G / G_0``, ``(B,)``.
        gradient_norm: of the velocity in ``L^2(mu)``, ``(B,)``; nan if the solver needs no gradient
            and none was asked for.
        velocity: ``(B, N, d)`` or None.
        step_size: of the step taken from here, ``(B,)``; 0 for clouds that have stopped.
        evaluations: network evaluations so far, ``(B,)`` int.
        running: ``(B,)`` bool, False for clouds that have stopped.
        seconds: wall-clock time spent solving so far.
    """

    step: int
    particles: Tensor
    image: Tensor
    objective: Tensor
    relative_objective: Tensor
    gradient_norm: Tensor
    velocity: Tensor | None
    step_size: Tensor
    evaluations: Tensor
    running: Tensor
    seconds: float


@dataclass(frozen=True)
class FlowSolution:
    """Where a solve ended, and why.

    Attributes:
        particles, image: ``z*`` and ``F(z*)``, each ``(B, N, d)``.
        objective, relative_objective: ``(B,)``.
        steps, evaluations: per cloud, ``(B,)`` int.
        stopped: why each cloud stopped, ``B`` of them.
        seconds: wall-clock time of the whole solve.
    """

    particles: Tensor
    image: Tensor
    objective: Tensor
    relative_objective: Tensor
    steps: Tensor
    evaluations: Tensor
    stopped: tuple[Stopped, ...]
    seconds: float


@dataclass(frozen=True)
class StopRule:
    """Stop a cloud when ``G / G_0 <= tolerance``, or after ``max_steps`` steps.

    ``G`` is 0 below its rounding error, about 1e-6 of ``G_0`` in single precision, so that a
    smaller tolerance than that means as much as 0 does.
    """

    max_steps: int = 200
    tolerance: float = 1e-4


class Flow:
    """An iterator over :class:`FlowStep`, to be used once; then ``solution`` holds the result.

    Clouds stop one by one: a stopped cloud keeps its particles while the others go on, so the
    result does not depend on the batch a cloud is in. Leaving the loop early is a cancelled solve.

    Args:
        operator: ``z (B, N, d) -> F(z) (B, N, d)``, the input cloud already encoded.
        z0: initial particles ``(B, N, d)``; device and dtype of the solve are theirs.
        solver: the step rule.
        kernel: of the MMD.
        stop: when to stop.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
        share: ``(B,)``, mass of all particles together, see :class:`.Objective`.
        noise: standard deviation ``beta`` of the noise injected before each gradient
            (Arbel et al. 2019, https://arxiv.org/abs/1906.04370); costs a second evaluation.
        generators: one a cloud, for the noise.
        differentiable: keep the graph of the whole solve (unrolling; memory grows with steps).
        velocity: compute the gradient even if the solver does not need it, to record its norm.
    """

    def __init__(
        self,
        operator: Callable[[Tensor], Tensor],
        z0: Tensor,
        *,
        solver: Solver,
        kernel: Kernel | None = None,
        stop: StopRule | None = None,
        mask: Tensor | None = None,
        share: Tensor | None = None,
        noise: float = 0.0,
        generators: Sequence[torch.Generator] = (),
        differentiable: bool = False,
        velocity: bool = True,
    ) -> None:
        if noise and len(generators) != len(z0):
            raise ValueError("Noise needs one random generator for each cloud.")
        self.objective = Objective(operator, kernel or Riesz(), mask, share, differentiable)
        self.z0 = z0
        self.solver = solver
        self.stop = stop or StopRule()
        self.noise = noise
        self.generators = generators
        self.velocity = velocity or solver.needs_velocity
        self._last: FlowStep | None = None
        self._steps = torch.zeros(len(z0), dtype=torch.long, device=z0.device)
        self._diverged = torch.zeros(len(z0), dtype=torch.bool, device=z0.device)
        self._below_rounding = torch.zeros_like(self._diverged)

    @property
    def size(self) -> int:
        """Particles of all clouds together."""
        return self.z0.shape[0] * self.z0.shape[1]

    def __iter__(self) -> Iterator[FlowStep]:
        return each(self._solve(), self.size)

    def _solve(self) -> Iterator[FlowStep]:
        spent, resumed = 0.0, time.perf_counter()
        problem = Problem(self.objective, self.z0)
        to, state = self.z0, self.solver.start(self.z0)
        here = initial = None
        for k in range(self.stop.max_steps + 1):
            problem.step = k
            last = k == self.stop.max_steps
            shaken = self.noise > 0 and not last
            here = _arrive(to, here, problem, self.velocity and not shaken)
            initial = here.objective if initial is None else initial
            relative = relative_to(here.objective, initial)
            finite = here.objective.isfinite()
            arrived = relative <= self.stop.tolerance
            if shaken:
                here = self._with_noise(here, problem)
            self._diverged = self._diverged | (problem.running & ~finite)
            blind = (here.objective == 0) & (self.stop.tolerance * initial < here.rounding)
            self._below_rounding = self._below_rounding | (problem.running & blind & (initial > 0))
            self._steps = torch.where(problem.running, k, self._steps)
            running = problem.running = problem.running & finite & ~arrived
            evaluations = problem.evaluations
            if going := not last and bool(running.any()):
                to, gamma, state = self.solver.step(here, k, state, problem)
            spent += time.perf_counter() - resumed
            self._last = FlowStep(
                step=k,
                particles=here.particles,
                image=here.image,
                objective=here.objective,
                relative_objective=relative,
                gradient_norm=wasserstein_norm(here, problem.mass(here.particles)),
                velocity=here.velocity,
                step_size=running * (gamma if going else 0.0),
                evaluations=evaluations,
                running=running,
                seconds=spent,
            )
            yield self._last
            resumed = time.perf_counter()  # what the caller does meanwhile is not the solve's time
            if not going:
                return

    def _with_noise(self, here: Evaluation, problem: Problem) -> Evaluation:
        """The evaluation at ``z``, with the velocity found at ``z + beta u``."""
        shape = here.particles.shape[1:]
        u = torch.stack([torch.randn(shape, generator=g) for g in self.generators])  # (B, N, d)
        u = u.to(here.particles)
        if (mask := self.objective.mask) is not None:
            u = u * mask[..., None]
        noisy = problem.evaluate(here.particles + self.noise * u)
        return replace(here, velocity=noisy.velocity)

    def run(self) -> FlowSolution:
        """Solve to the end without keeping the steps."""
        for _ in self:
            pass
        return self.solution

    @property
    def solution(self) -> FlowSolution:
        """The result so far; clouds still running count as cancelled unless at the limit."""
        if self._last is None:
            raise RuntimeError("The flow has not been run: iterate over it first.")
        last = self._last
        open_end = Stopped.STEP_LIMIT if last.step == self.stop.max_steps else Stopped.CANCELLED
        stopped = [open_end if running else Stopped.CONVERGED for running in last.running.tolist()]
        for reason, held in (
            (Stopped.BELOW_ROUNDING, self._below_rounding),
            (Stopped.DIVERGED, self._diverged),
        ):
            stopped = [reason if h else s for h, s in zip(held.tolist(), stopped, strict=True)]
        return FlowSolution(
            particles=last.particles,
            image=last.image,
            objective=last.objective,
            relative_objective=last.relative_objective,
            steps=self._steps,
            evaluations=last.evaluations,
            stopped=tuple(stopped),
            seconds=last.seconds,
        )


def _arrive(
    to: Tensor | Evaluation, before: Evaluation | None, problem: Problem, velocity: bool
) -> Evaluation:
    """The evaluation of where running clouds go to, and of where stopped ones are."""
    if isinstance(to, Evaluation):  # the solver has been there already
        return where(problem.running, arrived(to), before)
    if before is not None:
        to = torch.where(problem.running[:, None, None], to, before.particles)
    return problem.evaluate(to, velocity=velocity)


def relative_to(objective: Tensor, initial: Tensor) -> Tensor:
    """``G / G_0``, 0 for a cloud that began at its fixed point (``G_0 = 0``)."""
    return torch.where(initial <= 0, torch.zeros_like(objective), objective / initial)


def wasserstein_norm(here: Evaluation, mass: Tensor) -> Tensor:
    """Norm of the velocity in ``L^2(mu)``, ``(B,)``, with mass ``(B, N)``; nan without one."""
    if here.velocity is None:
        return torch.full_like(here.objective, float("nan"))
    return (mass * here.velocity.square().sum(2)).sum(1).sqrt()
