"""Digits in one batch: how many evaluations of a cloud are computed for each that is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.model.checkpoints import load
from ddeq.model.encoded import Applied
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.solve.solvers import EulerDecay

BATCH = 64
TOLERANCE = 1e-3
STEPS = 500


def bench(device: torch.device | str = "cpu", batch: int = BATCH) -> dict:
    """Evaluations of a cloud ``computed`` and ``needed`` until all objectives are a thousandth.

    A cloud needs those that it asks for alone; computed are all clouds of every call.

    Returns:
        By solver, ``default`` and ``flow``: both counts, their ``ratio``, and the share of clouds
        that ``arrived``.
    """
    usual = with_defaults(load("digits", device).card, {})
    ways = {"default": usual, "flow": replace(usual, solver=EulerDecay(5.0, 50.0, 0.0))}
    return {
        "batch": batch,
        "tolerance": TOLERANCE,
        **{name: _measure(settings, batch, device) for name, settings in ways.items()},
    }


@torch.no_grad()
def _measure(settings: RunSettings, batch: int, device: torch.device | str) -> dict:
    checkpoint, gallery = load("digits", device), load_gallery()
    every = len(gallery.labels) // batch  # digits of all classes
    clouds = [prepare(gallery.cloud(every * i), checkpoint.card) for i in range(batch)]
    x, mask = (t.to(device) for t in collate(clouds))  # (B, M, 2), (B, M)
    encoded, counter = checkpoint.model.encode(x, mask), Counter()
    assert isinstance(encoded.operator, Applied)
    counted = replace(encoded, operator=Counted(encoded.operator, counter))
    limits = replace(settings.limits, steps=STEPS, tolerance=TOLERANCE)
    z0 = checkpoint.model.start(range(batch))
    end = flow_of(counted, z0, replace(settings, limits=limits), velocity=False).run()
    needed = int(end.evaluations.sum())
    return {
        "computed": counter.clouds,
        "needed": needed,
        "ratio": counter.clouds / needed,
        "arrived": float((end.relative_objective <= TOLERANCE).double().mean()),
    }


@dataclass
class Counter:
    """How many clouds have been evaluated."""

    clouds: int = 0


@dataclass(frozen=True)
class Counted:
    """An operator that counts the clouds it is asked about, with those of its parts."""

    operator: Applied
    counter: Counter

    def __call__(self, z: Tensor) -> Tensor:
        self.counter.clouds += len(z)
        return self.operator(z)

    def vjp(self, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        self.counter.clouds += len(z)
        return self.operator.vjp(z)

    def only(self, clouds: Tensor) -> Counted:
        return Counted(self.operator.only(clouds), self.counter)
