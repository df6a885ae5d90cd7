"""Gradient modes on one model and batch: how far off each is, and what it costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddeq.bench.timing import peak_megabytes
from ddeq.model.classifier import Classifier
from ddeq.model.encoded import Encoded
from ddeq.solve.gradients import AT_EQUILIBRIUM, phantom_k, reversible
from ddeq.solve.gradients.measures import angle, graph_bytes
from ddeq.training.datasets.packed import Batch

REFERENCE = "unrolled"


@dataclass(frozen=True)
class Sizes:
    """How much is computed.

    Attributes:
        steps: plain iterations to the equilibrium; as many reversible ones, of two evaluations.
            Where particles do not rest one by one, only their measure, the gradient through many
            steps grows without bound and says nothing.
        applications: of ``F`` in the mode ``phantom-k``.
        damping: of these, and of reversible steps.
        repeats: of each measurement of time.
    """

    steps: int = 8
    applications: int = 5
    damping: float = 0.5
    repeats: int = 3


def compare(model: Classifier, batch: Batch, sizes: Sizes) -> dict[str, dict[str, Any]]:
    """Of each mode the gradient of the cross-entropy at the equilibrium in all parameters.

    Without dropout; every cloud starts from its number as the seed.

    Returns:
        By mode: ``angle`` to the gradient of plain iteration unrolled from its start, in degrees,
        and ``length`` relative to it; ``rest``, how far the particles still move in one
        application, relative to their size; ``kept_mb`` for the backward pass, parameters and
        encoder included; ``peak_mb`` of both passes (None where it cannot be measured);
        ``seconds`` of both.
    """
    z0 = model.start(range(len(batch.labels))).to(batch.x)
    with _trainable(model):
        modes = _modes(sizes)
        rows, vectors = {}, {}
        for name, solve in modes.items():
            job = _Job(model, batch, z0, solve)
            vectors[name], rows[name] = job.gradient(), job.cost(sizes.repeats)
    reference = vectors[REFERENCE]
    for name, vector in vectors.items():
        direction = {
            "angle": angle(vector, reference),
            "length": float(vector.norm() / reference.norm()),
        }
        rows[name] = direction | rows[name]
    return rows


Solve = Callable[[Encoded, Tensor], Tensor]
"""From initial particles to an equilibrium with a graph."""


def _modes(sizes: Sizes) -> dict[str, Solve]:
    def iterated(encoded: Encoded, z: Tensor) -> Tensor:
        for _ in range(sizes.steps):
            z = encoded.operator(z)
        return z

    def at_equilibrium(mode: Callable[..., Tensor]) -> Solve:
        def solve(encoded: Encoded, z0: Tensor) -> Tensor:
            with torch.no_grad():
                z_star = iterated(encoded, z0)
            return mode(encoded.operator, z_star)

        return solve

    def reversibly(encoded: Encoded, z0: Tensor) -> Tensor:
        assert encoded.apart is not None  # classifiers tell it
        return reversible(*encoded.apart, z0, sizes.steps, sizes.damping)

    damped = {"steps": sizes.applications, "damping": sizes.damping}
    modes: dict[str, Solve] = {REFERENCE: iterated, "reversible": reversibly}
    for name, mode in AT_EQUILIBRIUM.items():
        settings = damped if mode is phantom_k else {}
        modes[name] = at_equilibrium(lambda *a, mode=mode, settings=settings: mode(*a, **settings))
    return modes


@dataclass(frozen=True, eq=False)
class _Job:
    """One mode on one batch."""

    model: Classifier
    batch: Batch
    z0: Tensor
    solve: Solve

    def loss(self) -> Tensor:
        encoded = self.model.encode(self.batch.x, self.batch.mask, twice=True)
        logits = self.model.logits(self.solve(encoded, self.z0))
        return F.cross_entropy(logits, self.batch.labels)

    def gradient(self) -> Tensor:
        """In all parameters, one vector in double precision."""
        wanted = [*self.model.parameters()]
        found = torch.autograd.grad(self.loss(), wanted, materialize_grads=True)
        return torch.cat([part.flatten().double() for part in found])

    def cost(self, repeats: int) -> dict[str, Any]:
        spent = []
        for _ in range(repeats):
            began = time.perf_counter()
            float(self.gradient()[0])  # waits for a GPU
            spent.append(time.perf_counter() - began)
        encoded = self.model.encode(self.batch.x, self.batch.mask, twice=True)
        z = self.solve(encoded, self.z0).detach()
        rest = (encoded.operator(z).detach() - z).norm() / z.norm()
        return {
            "rest": float(rest),
            "kept_mb": graph_bytes(self.loss) / 1e6,
            "peak_mb": peak_megabytes(self.gradient, self.z0.device),
            "seconds": statistics.median(spent),
        }


@contextmanager
def _trainable(model: Classifier) -> Iterator[None]:
    """Within, all parameters of a loaded model have gradients."""
    model.requires_grad_(True)
    try:
        yield
    finally:
        model.requires_grad_(False)
