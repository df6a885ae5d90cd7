"""A solver in two parts: a direction says where to go, a step rule how far.

A direction draws a path through the particles, ``t -> z(t)``, and a rule chooses ``t``: any
direction goes with any rule, as in diffrax (https://docs.kidger.site/diffrax), which keeps solvers
and step-size controllers apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import Problem

Length = float | Tensor
"""A step size: a number, or one a cloud ``(B,)``."""


class Path(Protocol):
    """Places that one step may lead to."""

    @property
    def tangent(self) -> Tensor:
        """``dz/dt`` at ``t = 0``, ``(B, N, d)``."""

    def at(self, t: Length) -> Tensor:
        """``z(t)``, ``(B, N, d)``."""


@dataclass(frozen=True)
class Straight:
    """``z + t p``, each ``(B, N, d)``."""

    z: Tensor
    tangent: Tensor

    def at(self, t: Length) -> Tensor:
        return self.z + factor(t) * self.tangent


@dataclass(frozen=True)
class Segment:
    """From ``z`` at ``t = 0`` to ``end`` at ``t = 1``, each ``(B, N, d)``, and there exactly."""

    z: Tensor
    end: Tensor

    @property
    def tangent(self) -> Tensor:
        return self.end - self.z

    def at(self, t: Length) -> Tensor:
        return torch.lerp(self.z, self.end, factor(t))


class Direction(ABC):
    """Where to go from an evaluation; its state is handed to it and back."""

    needs_velocity = True

    def start(self, z0: Tensor) -> Any:
        """State before the first step from particles ``z0 (B, N, d)``."""
        return None

    @abstractmethod
    def look(self, here: Evaluation, state: Any, problem: Problem) -> tuple[Path, Any]:
        """The path from here, and the state that goes with it."""

    def settle(
        self, here: Evaluation, to: Tensor | Evaluation, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, Any]:
        """What is made of the place ``to`` on the path that was chosen, and the state after it."""
        return to, state


class StepRule(ABC):
    """How far to go along a path; its state is handed to it and back."""

    needs_velocity = False

    def start(self, z0: Tensor) -> Any:
        """State before the first step from particles ``z0 (B, N, d)``."""
        return None

    @abstractmethod
    def walk(
        self, path: Path, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, Length, Any]:
        """Step ``k`` (from 0): the place on the path, how far it is, and the state after it."""


@dataclass(frozen=True)
class Along:
    """Steps along a direction, as far as a rule says."""

    direction: Direction
    rule: StepRule

    @property
    def needs_velocity(self) -> bool:
        return self.direction.needs_velocity or self.rule.needs_velocity

    def start(self, z0: Tensor) -> tuple[Any, Any]:
        return self.direction.start(z0), self.rule.start(z0)

    def step(
        self, here: Evaluation, k: int, state: tuple[Any, Any], problem: Problem
    ) -> tuple[Tensor | Evaluation, Length, tuple[Any, Any]]:
        of_direction, of_rule = state
        path, of_direction = self.direction.look(here, of_direction, problem)
        to, t, of_rule = self.rule.walk(path, here, k, of_rule, problem)
        to, of_direction = self.direction.settle(here, to, of_direction, problem)
        return to, t, (of_direction, of_rule)


def per_cloud(numbers: Tensor) -> Tensor:
    """``(B,) -> (B, 1, 1)``, to multiply particles with."""
    return numbers[:, None, None]


def factor(t: Length, dims: int = 3) -> Length:
    """A length to multiply tensors of so many dimensions with: ``(B,) -> (B, 1, 1)``."""
    return t.view(-1, *(1,) * (dims - 1)) if isinstance(t, Tensor) else t


def inner_product(u: Tensor, v: Tensor, mass: Tensor) -> Tensor:
    """``<u, v>`` in ``L^2(mu)`` of two fields ``(B, N, d)`` with mass ``(B, N)``: ``(B,)``."""
    return (mass * (u * v).sum(2)).sum(1)
