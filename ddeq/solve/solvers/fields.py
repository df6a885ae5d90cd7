"""Numbers that several solvers let people set, each with its own default."""

from __future__ import annotations

from typing import Any

from ddeq.settings import setting


def step_size(default: float) -> Any:
    return setting(default, 0.001, 20, "How far each particle moves along its velocity.")


def half_life(default: float) -> Any:
    return setting(default, 1, 1000, "After this many steps the step size has halved.")


def floor(default: float) -> Any:
    return setting(default, 0, 5, "The step size never decays below this.")


def trials(default: int) -> Any:
    return setting(default, 1, 30, "Lengths to try in one step, each half of the one before.")


def window(default: int) -> Any:
    return setting(default, 2, 20, "How many past steps are combined.")


def inner(default: int) -> Any:
    return setting(default, 1, 100, "Moves towards the same images before the network is asked.")
