"""How long commands take to start, beside what it takes to import torch and do nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import ddeq
from ddeq.input.gallery import load_gallery

REFERENCE = ("-c", "import torch")


def bench(repeats: int = 5) -> dict[str, dict[str, float]]:
    """Seconds of each command in a process of its own, medians over ``repeats``.

    Args:
        repeats: of every measurement; the commands take turns.

    Returns:
        By command ``seconds``, and ``ratio`` to an import of torch in the same run.
    """
    with tempfile.TemporaryDirectory() as folder:
        digit = Path(folder, "digit.csv")
        np.savetxt(digit, load_gallery().cloud(0).points, delimiter=",")
        commands = {
            "import torch": REFERENCE,
            "--help": ("-m", "ddeq", "--help"),
            "info": ("-m", "ddeq", "info"),
            "classify": ("-m", "ddeq", "classify", str(digit)),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                times[name].append(_seconds(command))
    medians = {name: statistics.median(each) for name, each in times.items()}
    reference = medians["import torch"]
    return {name: {"seconds": s, "ratio": s / reference} for name, s in medians.items()}


def _seconds(command: Sequence[str]) -> float:
    """Of Python with these arguments, which finds the same package as this process."""
    where = str(Path(ddeq.__file__).parents[1])
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": where},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began
