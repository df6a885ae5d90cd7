"""Does the flow help? The same solve with fewer steps."""

from __future__ import annotations

from dataclasses import replace

from ddeq.run.settings import RunSettings


def step_counts(most: int) -> list[int]:
    """0, 1, 2, 4, ... and ``most``."""
    return sorted({0, *(2**k for k in range(most.bit_length())), most})


def stopped_after(settings: RunSettings, steps: int) -> RunSettings:
    """The same settings, with so many steps taken whatever the objective."""
    return replace(settings, limits=replace(settings.limits, steps=steps, tolerance=0.0))
