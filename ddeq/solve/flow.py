"""The forward pass: flow particles to a measure fixed point, one frozen record a step.

Source: paper, algorithm 1.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddeq.solve.clock import Stopwatch
from ddeq.solve.kernels import Kernel, Riesz
from ddeq.solve.objective import Evaluation, Objective, arrived, where
from ddeq.solve.solvers import Problem, Solver
from ddeq.threads import each

LOOK_EVERY = 4
"""Steps on a GPU between two looks at who is running: each look waits for all that it has to do."""


class Stopped(enum.Enum):
    """Why a cloud's solve ended; ``advice`` says what to try next.

    A solve is ``BELOW_ROUNDING`` if its tolerance is smaller than the error of its objective, and
    the objective is: nobody can tell whether it has converged.
    """

    CONVERGED = "converged"
    BELOW_ROUNDING = "below rounding"
    STEP_LIMIT = "step limit"
    TIME_LIMIT = "time limit"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"

    @property
    def advice(self) -> str:
        return {
            Stopped.CONVERGED: "",
            Stopped.BELOW_ROUNDING: "Raise the tolerance to stop where it still is a number.",
            Stopped.STEP_LIMIT: "Allow more steps or raise the tolerance.",
            Stopped.TIME_LIMIT: "Take fewer particles, or a solver with cheaper steps.",
            Stopped.CANCELLED: "Run again to let it finish.",
            Stopped.DIVERGED: "Use another solver, or smaller steps where it has a size for them.",
        }[self]


@dataclass(frozen=True)
class FlowStep:
    """The solve after ``step`` steps.

    Attributes:
        step: number of steps taken, 0 for the initial particles.
        particles, image: ``z`` and ``F(z)``, each ``(B, N, d)``.
        objective: ``G = 1/2 MMD^2(z, F(z))``, ``(B,)``.
        relative_objective: ``G / G_0``, ``(B,)``.
        mass: of each particle, ``(B, N)``.
        velocity: ``(B, N, d)`` or None.
        step_size: of the step taken from here, ``(B,)``; 0 for clouds that have stopped.
        evaluations: network evaluations so far, ``(B,)`` int.
        running: ``(B,)`` bool, False for clouds that have stopped.
        seconds: wall-clock time spent solving so far; on a GPU, measured every few steps and spread
            over those between.
    """

    step: int
    particles: Tensor
    image: Tensor
    objective: Tensor
    relative_objective: Tensor
    mass: Tensor
    velocity: Tensor | None
    step_size: Tensor
    evaluations: Tensor
    running: Tensor
    seconds: float

    @property
    def gradient_norm(self) -> Tensor:
        """Of the velocity in ``L^2(mu)``, ``(B,)``; nan if the solver needs no gradient and none
        was asked for."""
        return wasserstein_norm(self, self.mass)


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

    All stop once the solve has taken ``seconds``, after the step that they are in.

    ``G`` is 0 below its rounding error, about 1e-6 of ``G_0`` in single precision, so that a
    smaller tolerance than that means as much as 0 does.
    """

    max_steps: int = 200
    tolerance: float = 1e-4
    seconds: float = math.inf


class Flow:
    """An iterator over :class:`FlowStep`, to be used once; then ``solution`` holds the result.

    Clouds stop one by one: a stopped cloud keeps its particles while the others go on, so the
    result does not depend on the batch a cloud is in. An operator that can be restricted to some of
    its clouds (:class:`.Restrictable`) is not asked about those that have stopped. Leaving the loop
    early is a cancelled solve.

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
        self._tally: Tally | None = None

    @property
    def size(self) -> int:
        """Particles of all clouds together."""
        return self.z0.shape[0] * self.z0.shape[1]

    def __iter__(self) -> Iterator[FlowStep]:
        return each(self._solve(), self.size)

    def _solve(self) -> Iterator[FlowStep]:
        """Each step as it is asked for, up to the first at which no cloud is running."""
        watch = Stopwatch(self.z0.device)
        for burst in self._bursts():
            lap = watch.stop()
            before, each_took = watch.spent - lap, lap / len(burst)
            for i, (step, tally, running) in enumerate(burst, 1):
                self._last, self._tally = replace(step, seconds=before + i * each_took), tally
                yield self._last
                if not running or self._last.seconds >= self.stop.seconds:
                    return
            watch.go()  # what the caller did meanwhile is not the solve's time

    def _bursts(self) -> Iterator[list[tuple[FlowStep, Tally, bool]]]:
        """Steps of :data:`LOOK_EVERY` at a time, and whether any cloud is running after each.

        Before the device has been asked that, it goes on as if there were one: clouds that have
        stopped rest, so all that is lost is the work of the steps that are too many.
        """
        problem = Problem(self.objective, self.z0)
        to: Tensor | Evaluation = self.z0
        here, tally, state = None, None, self.solver.start(self.z0)
        at_once = self.z0.device.type == "cpu"
        every = 1 if at_once else LOOK_EVERY
        problem.everyone = at_once
        steps: list[tuple[FlowStep, Tally]] = []
        for k in range(self.stop.max_steps + 1):
            problem.step, last = k, k == self.stop.max_steps
            here = self._arrived(to, here, problem, shaken=self.noise > 0 and not last)
            tally = _tallied(tally, k, here, self.stop, problem.everyone)
            problem.running, evaluations = tally.running, problem.evaluations
            looks, alive = last or (k + 1) % every == 0, [True]
            if at_once:
                running = tally.running.tolist()
                alive, problem.everyone = [any(running)], all(running)
            elif looks:
                flags = [*(known.running.any() for _, known in steps), tally.running.any()]
                alive = torch.stack(flags).tolist()
            length: float | Tensor = 0.0
            if alive[-1] and not last:
                to, length, state = self.solver.step(here, k, state, problem)
            mass = problem.mass(here.particles)
            steps.append((_recorded(k, here, tally, length, evaluations, mass), tally))
            if looks:
                yield [(*step, running) for step, running in zip(steps, alive, strict=True)]
                steps = []

    def _arrived(
        self, to: Tensor | Evaluation, before: Evaluation | None, problem: Problem, shaken: bool
    ) -> Evaluation:
        """The evaluation of where running clouds go to, and of where stopped ones are."""
        if before is not None and isinstance(to, Evaluation):  # the solver has been there already
            here = arrived(to)
        else:
            place = to.particles if isinstance(to, Evaluation) else to
            if (
                before is not None and not problem.everyone
            ):  # nothing that a stopped cloud might still do can do harm
                place = torch.where(problem.running[:, None, None], place, before.particles)
            here = problem.evaluate(place, before, velocity=self.velocity and not shaken)
        here = self._with_noise(here, problem) if shaken else here
        return here if before is None or problem.everyone else where(problem.running, here, before)

    def _with_noise(self, here: Evaluation, problem: Problem) -> Evaluation:
        """The evaluation at ``z``, with the velocity found at ``z + beta u``."""
        shape = here.particles.shape[1:]
        u = torch.stack([torch.randn(shape, generator=g) for g in self.generators])  # (B, N, d)
        u = u.to(here.particles)
        if (mask := self.objective.mask) is not None:
            u = u * mask[..., None]
        noisy = problem.evaluate(here.particles + self.noise * u, here)
        return replace(here, velocity=noisy.velocity)

    def run(self) -> FlowSolution:
        """Solve to the end without keeping the steps."""
        for _ in self:
            pass
        return self.solution

    def ends_at(self, step: FlowStep) -> bool:
        """Whether this step is the last one."""
        late = step.step == self.stop.max_steps or step.seconds >= self.stop.seconds
        return late or not bool(step.running.any())

    @property
    def solution(self) -> FlowSolution:
        """The result so far; clouds still running count as cancelled unless at a limit."""
        if self._last is None or self._tally is None:
            raise RuntimeError("The flow has not been run: iterate over it first.")
        last, tally = self._last, self._tally
        open_end = Stopped.CANCELLED
        if last.step == self.stop.max_steps:
            open_end = Stopped.STEP_LIMIT
        elif last.seconds >= self.stop.seconds:
            open_end = Stopped.TIME_LIMIT
        return FlowSolution(
            particles=last.particles,
            image=last.image,
            objective=last.objective,
            relative_objective=last.relative_objective,
            steps=tally.steps,
            evaluations=last.evaluations,
            stopped=tally.reasons(open_end),
            seconds=last.seconds,
        )


@dataclass(frozen=True)
class Tally:
    """What is known of each cloud of a solve, ``(B,)`` each.

    Attributes:
        initial: the objective before the first step.
        relative: what is left of it, 0 to 1 and more.
        steps: taken.
        running, diverged, below_rounding: bool.
    """

    initial: Tensor
    relative: Tensor
    steps: Tensor
    running: Tensor
    diverged: Tensor
    below_rounding: Tensor

    def reasons(self, open_end: Stopped) -> tuple[Stopped, ...]:
        """Why each cloud has stopped, those that are running for the reason that is given."""
        reasons = (Stopped.DIVERGED, Stopped.BELOW_ROUNDING, open_end, Stopped.CONVERGED)
        held = torch.stack([self.diverged, self.below_rounding, self.running], 1).tolist()
        return tuple(reasons[[*cloud, True].index(True)] for cloud in held)


def _tallied(
    before: Tally | None, k: int, here: Evaluation, stop: StopRule, everyone: bool
) -> Tally:
    """What is known after ``k`` steps: running clouds stop here, or do not.

    Args:
        before: what was known before; None of nothing.
        k: steps.
        here: where all are.
        stop: when to stop.
        everyone: whether it is known, without waiting for the device, that all have been running.
    """
    if before is None:
        none = torch.zeros_like(here.objective, dtype=torch.bool)
        count = torch.zeros_like(none, dtype=torch.long)
        before = Tally(here.objective, here.objective, count, ~none, none, none)
    initial, was_running = before.initial, before.running
    relative = relative_to(here.objective, initial)
    finite = here.objective.abs() < math.inf
    running = was_running & finite & ~(relative <= stop.tolerance)
    steps = torch.where(was_running, k, before.steps)
    diverged, below_rounding = before.diverged, before.below_rounding
    if not (everyone and bool(running.all())):  # reasons are of clouds that stop
        diverged = diverged | (was_running & ~finite)
        blind = (here.objective == 0) & (initial > 0) & (stop.tolerance * initial < here.rounding)
        below_rounding = below_rounding | (was_running & blind)
    return Tally(initial, relative, steps, running, diverged, below_rounding)


def _recorded(
    k: int,
    here: Evaluation,
    tally: Tally,
    length: float | Tensor,
    evaluations: Tensor,
    mass: Tensor,
) -> FlowStep:
    """What is known after ``k`` steps, but for the time."""
    return FlowStep(
        step=k,
        particles=here.particles,
        image=here.image,
        objective=here.objective,
        relative_objective=tally.relative,
        mass=mass,
        velocity=here.velocity,
        step_size=torch.where(tally.running, length, 0.0),
        evaluations=evaluations,
        running=tally.running,
        seconds=0.0,
    )


def relative_to(objective: Tensor, initial: Tensor) -> Tensor:
    """``G / G_0``, 0 for a cloud that began at its fixed point (``G_0 = 0``)."""
    return torch.where(initial <= 0, torch.zeros_like(objective), objective / initial)


def wasserstein_norm(here: Evaluation | FlowStep, mass: Tensor) -> Tensor:
    """Norm of the velocity in ``L^2(mu)``, ``(B,)``, with mass ``(B, N)``; nan without one."""
    if here.velocity is None:
        return torch.full_like(here.objective, math.nan)
    return (mass * here.velocity.square().sum(2)).sum(1).sqrt()
