"""How long a solve takes, where others use its results between the steps."""

from __future__ import annotations

import time

import torch


def wait(device: torch.device | str) -> None:
    """Until a GPU has done what it was given; others have, when they return."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


class Stopwatch:
    """Runs from now on, and stands still from ``stop`` to ``go``.

    Attributes:
        spent: seconds that it has run until the last ``stop``.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.spent = 0.0
        self._since = time.perf_counter()

    def stop(self) -> float:
        """Waits for the device; what has been spent since ``go``."""
        wait(self.device)
        lap = time.perf_counter() - self._since
        self.spent += lap
        return lap

    def go(self) -> None:
        """Runs on."""
        self._since = time.perf_counter()
