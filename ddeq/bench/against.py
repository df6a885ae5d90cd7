"""The same flow by somebody else's code, where the user has it: loaded by import, nothing copied.

A folder to compare with holds, beside that code, a file ``ddeq_bench.py`` that says how to call it:

- ``WEIGHTS``: the path, from the folder, of a state dict saved by the authors' code;
- ``HEADS``: of its attention, if not 32;
- ``solve(x, z0, steps)``: the particles ``(1, 10, d)`` after so many Euler steps with ``gamma = 5``
  and without noise, for the input ``x (1, M, d_x)`` and the start ``z0 (1, 10, d)``.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import torch

from ddeq.bench.digits import POINTS, euler
from ddeq.bench.timing import milliseconds
from ddeq.errors import UserError
from ddeq.model.classifier import Classifier
from ddeq.model.official import load_official
from ddeq.run.flows import flow_of
from ddeq.solve.clock import wait

ADAPTER = "ddeq_bench.py"


def bench(folder: Path, device: torch.device | str, steps: int, repeats: int) -> dict | str:
    """Milliseconds a step of both, encoding included, and how far one step of theirs is from ours.

    Args:
        folder: with the code and its ``ddeq_bench.py``; without that it is skipped, with a word.
        device: of our solve.
        steps: of one solve.
        repeats: of both measurements, which take turns.
    """
    if not (folder / ADAPTER).is_file():
        return f"skipped: there is no {ADAPTER} in {folder}"
    theirs = _imported(folder)
    heads = getattr(theirs, "HEADS", 32)
    model = load_official(folder / theirs.WEIGHTS, heads).to(device)
    if not isinstance(model, Classifier):
        raise UserError(f"{theirs.WEIGHTS} is a completer: give a classifier's weights.")
    torch.manual_seed(0)
    x = torch.randn(1, POINTS, model.config.operator.input_dim, device=device)
    z0 = model.start([0])

    def ours(steps: int) -> torch.Tensor:
        return flow_of(model.encode(x), z0, euler(steps)).run().particles

    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    ways: dict[str, Callable[[int], object]] = {
        "ours": ours,
        "theirs": lambda n: theirs.solve(x, z0, n),
    }
    apart = float((ours(1) - torch.as_tensor(theirs.solve(x, z0, 1)).to(z0)).abs().max())
    for _ in range(repeats):
        for name, solve in ways.items():
            spent[name].append(milliseconds(partial(_solved, solve, steps, device)))
    mine, slow = (statistics.median(spent[name]) / steps for name in ("ours", "theirs"))
    return {
        "steps": steps,
        "ms_per_step": mine,
        "ms_per_step_against": slow,
        "ratio": slow / mine,
        "apart_after_one_step": apart,
    }


def _solved(solve: Callable[[int], object], steps: int, device: torch.device | str) -> None:
    solve(steps)
    wait(device)


def _imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("ddeq_bench", folder / ADAPTER)
    assert spec is not None and spec.loader is not None  # as its name ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    if missing := [name for name in ("WEIGHTS", "solve") if not hasattr(module, name)]:
        raise UserError(f"{folder / ADAPTER} has no {' and no '.join(missing)}: define it there.")
    return module
