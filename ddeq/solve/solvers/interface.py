"""What every solver looks like, what it may ask of the problem it solves, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import torch
from torch import Tensor

from ddeq.solve.kernels import Kernel
from ddeq.solve.objective import Evaluation, Objective, put
from ddeq.solve.registry import Family, Registry


class Problem:
    """The objective of one batch, as the flow and its solver share it during a solve.

    Attributes:
        running: ``(B,)`` bool, clouds that are still being solved.
        everyone: whether it is known, without waiting for the device, that all of them are.
        evaluations: ``(B,)`` int, network evaluations that each cloud has asked for.
        step: number of the current step, for kernels that change on the way.
    """

    def __init__(self, objective: Objective, z0: Tensor) -> None:
        self._objective = objective
        self.running = torch.ones(len(z0), dtype=torch.bool, device=z0.device)
        self.everyone = False
        self.evaluations = torch.zeros(len(z0), dtype=torch.long, device=z0.device)
        self.step = 0
        self._asked: tuple[Tensor, Objective] | None = None

    @property
    def kernel(self) -> Kernel:
        """Whose velocity is followed at this step."""
        return self._objective.kernel.at(self.step)

    def mass(self, z: Tensor) -> Tensor:
        """Of each particle, ``(B, N)``, see :meth:`ddeq.solve.objective.Objective.mass`."""
        return self._objective.mass(z)

    def evaluate(
        self,
        z: Tensor,
        before: Evaluation | None = None,
        asking: Tensor | None = None,
        velocity: bool = True,
        hand_back: bool = False,
    ) -> Evaluation:
        """The objective at ``z (B, N, d)``.

        Args:
            z: where.
            before: what may stand for the clouds that do not ask; they may also be evaluated.
            asking: ``(B,)`` bool, those of the running clouds that do; None is all of these.
            velocity: whether it is wanted, by the kernel of this step.
            hand_back: whether the solver will return it in place of the next particles, where it is
                to have the velocity by the kernel of the next step.
        """
        everyone = self.everyone and asking is None
        asking = self.running if asking is None else self.running & asking
        self.evaluations = self.evaluations + asking
        after = self._objective.kernel.at(self.step + 1)
        later = after if hand_back and after != self.kernel else None
        part = None if before is None or everyone else self._part(asking)
        if before is None or part is None:
            return self._objective(z, velocity, kernel=self.kernel, later=later)
        clouds, objective = part
        return put(objective(z[clouds], velocity, self.kernel, later), clouds, before)

    def _part(self, asking: Tensor) -> tuple[Tensor, Objective] | None:
        """Which clouds ``(b,)`` are asking, and their objective; None to evaluate all.

        A GPU would have to be waited for, to know which they are.
        """
        if asking.device.type != "cpu" or asking.all() or not asking.any():
            return None
        clouds = asking.nonzero().squeeze(1)
        if self._asked is None or not torch.equal(self._asked[0], clouds):
            objective = self._objective.only(clouds)
            self._asked = None if objective is None else (clouds, objective)
        return self._asked


class Solver(Protocol):
    """The interface of every solver."""

    @property
    def needs_velocity(self) -> bool:
        """Whether it asks for the gradient of the objective at every step."""

    def start(self, z0: Tensor) -> Any:
        """State before the first step from particles ``z0 (B, N, d)``."""

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, float | Tensor, Any]:
        """Step ``k`` (from 0) of every cloud of the batch, each by itself.

        Returns:
            The next particles ``(B, N, d)``, or their evaluation where the solver has made one to
            hand back; the step size taken, a number or ``(B,)``; and the state after the step.
        """


class Named(ABC):
    """A solver as people choose it: by a name, with a few numbers, made of parts of this package.

    Subclasses are frozen dataclasses of the numbers, decorated with ``SOLVERS.register``.
    """

    @property
    @abstractmethod
    def solver(self) -> Solver:
        """What the name and the numbers stand for."""

    @property
    def needs_velocity(self) -> bool:
        return self.solver.needs_velocity

    def start(self, z0: Tensor) -> Any:
        return self.solver.start(z0)

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, float | Tensor, Any]:
        return self.solver.step(here, k, state, problem)


SOLVERS: Registry[Named] = Registry()
"""Solvers by name."""

GRADIENT_FLOW = Family(
    "gradient flow", "Moving always in the direction in which a quantity falls fastest.", 1
)
LINE_SEARCH = Family(
    "line search", "Trying several lengths of a step, and taking one that leads downhill enough.", 2
)
MOMENTUM = Family("momentum", "Keeping part of the last move, as a rolling ball does.", 3)
QUASI_NEWTON = Family(
    "quasi-Newton", "Learning from past steps how the landscape bends, and jumping accordingly.", 4
)
FROZEN_TARGET = Family(
    "frozen target",
    "Taking F(mu) for a fixed target during several moves, then asking F anew.",
    5,
)
MAJORISATION = Family(
    "majorisation", "Minimising a simpler function that is never below the objective.", 6
)
PLAIN_ITERATION = Family(
    "plain iteration", "Applying F again and again, each time to its own result.", 7
)
ANDERSON_ACCELERATION = Family(
    "Anderson acceleration",
    "Combining the last few results of F so that their residuals cancel best.",
    8,
)
