"""What benches measure with: the clock, and how much memory some work needs at its peak."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch


def milliseconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


def peak_megabytes(work: Callable[[], object], device: torch.device | str = "cpu") -> float | None:
    """How much more memory ``work`` holds at its peak than is held before it.

    On the CPU it is the process's resident memory as Linux counts it; None elsewhere.

    Source: https://www.kernel.org/doc/html/latest/filesystems/proc.html (VmHWM, clear_refs).
    """
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        work()
        return (torch.cuda.max_memory_allocated() - held) / 1e6
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
        before = resident_megabytes()
        work()
        return max(0.0, _resident("VmHWM") - before)
    except OSError:
        return None


def resident_megabytes() -> float:
    """What the process holds in memory at this moment; nan where Linux does not say it."""
    try:
        return _resident("VmRSS")
    except OSError:
        return float("nan")


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(kilobytes) * 1024 / 1e6
