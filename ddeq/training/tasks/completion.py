"""Learning to complete.

Holes are cut into every cloud, free particles flow without a graph towards their equilibrium
beside the known points, ``F`` is applied some more times with one, and the mean over these images
of six terms is minimised::

    MMD^2 of the completed to the whole cloud, in data space (energy distance)
    + missing_weight * MMD^2 of free to removed points, each of mass 1
    + chamfer_weight * Chamfer distance (CD-l1) of these
    - entropy_weight * entropy of the free particles     so that they spread (paper, section 4.2)
    + residual_weight * MMD^2(z*, F(z*))                 so that solvers arrive
    + spread_weight * relu(log(target / spread))         so that particles do not become one:
                                                         the same forever, they could not part
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddeq.metrics.particles import spread
from ddeq.model.baselines import PCN
from ddeq.model.completer import Completer
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import FlowSolution
from ddeq.solve.kernels import Riesz, mmd2_loss, squared_distances, uniform_mass
from ddeq.solve.solvers import Solver
from ddeq.training.datasets.holes import Cut, Partial, cut
from ddeq.training.datasets.packed import Batch
from ddeq.training.datasets.sources import Clouds
from ddeq.training.recipes import Recipe, Stage
from ddeq.training.tasks.solving import solved

BANDWIDTH = 0.1  # of the entropy's density estimate, in units of the standardised cloud


@dataclass(frozen=True)
class Given:
    """Clouds with holes, and where free particles start.

    Attributes:
        batch: of clouds.
        counts: free particles of each, ``(B,)``, on the CPU.
        start: where they start, ``(B, N, d_x)``.
        mask: ``(B, N)`` bool, True where there is one.
    """

    batch: Partial
    counts: Tensor
    start: Tensor
    mask: Tensor

    def to(self, device: torch.device | str) -> Given:
        """The same on a device."""
        moved = self.batch.to(device), self.counts, self.start.to(device), self.mask.to(device)
        return Given(*moved)


@dataclass(frozen=True)
class Losses:
    """The terms of the loss on one batch, scalars; ``spread`` is the mean spread itself."""

    data: Tensor
    residual: Tensor
    spread: Tensor
    entropy: Tensor
    missing: Tensor
    chamfer: Tensor
    total: Tensor


def losses(model: Completer, given: Given, stage: Stage, solver: Solver, steps: int) -> Losses:
    """Solve a batch without a graph, then go on with one, and evaluate the loss on the way.

    ``F`` is applied ``stage.unroll`` times with a graph from where the solver came, and the loss
    is averaged over these images: one is the paper's phantom gradient; with more, ``F`` also
    learns to leave behind what the next application needs.

    Args:
        model: the completer.
        given: clouds with holes.
        stage: of the training.
        solver, steps: how to solve; without a step the lift of the start is trained, too.
    """
    batch, mask = given.batch, given.mask
    quick = partial(_quick, batch.known.device.type, stage)
    with quick():
        encoded = model.encode(batch.known, batch.known_mask, given.counts, twice=True)
        z = solved(encoded, model.lift(given.start), solver, steps)  # (B, N, d)
    found = []
    for k in range(stage.unroll):
        with quick():
            image = encoded.operator(z).float()  # (B, N, d)
        # The start need not be an equilibrium.
        before = z.detach() if steps or k else image.detach()
        found.append(_losses_at(batch, model.points(image), before, image, mask, stage))
        z = image
    return Losses(*(torch.stack(terms).mean() for terms in zip(*map(_terms, found), strict=True)))


def _quick(device: str, stage: Stage) -> AbstractContextManager:
    """Where products are taken in the stage's precision."""
    if stage.precision == "float32":
        return nullcontext()
    return torch.autocast(device, getattr(torch, stage.precision))


def _losses_at(
    batch: Partial, points: Tensor, z: Tensor, image: Tensor, mask: Tensor, stage: Stage
) -> Losses:
    """The losses of one application of ``F`` to particles ``z``."""
    found = prediction_losses(batch, points, mask, stage)
    mass = uniform_mass(image, mask)
    residual = found.residual
    if stage.residual_weight:
        residual = mmd2_loss(z, image, mass, mass, Riesz()).mean()
    width = spread(image, mask)  # (B,)
    collapse = F.relu(math.log(stage.spread_target) - (width + 1e-6).log()).mean()
    total = found.total + stage.residual_weight * residual + stage.spread_weight * collapse
    return replace(found, residual=residual, spread=width.mean(), total=total)


def _terms(found: Losses) -> tuple[Tensor, ...]:
    return tuple(getattr(found, field.name) for field in fields(found))


def prediction_losses(batch: Partial, points: Tensor, mask: Tensor, stage: Stage) -> Losses:
    """The losses of predicted points ``(B, N, d_x)``, as far as they need no solver."""
    pairs = Pairs.of(points, batch.full)
    if stage.lengths == "whole":
        pairs = pairs.shorter(_size(batch))
    data = _whole_error(pairs, batch, mask).mean()
    none = data.new_zeros(())
    entropy = kde_entropy(points, mask).mean() if stage.entropy_weight else none
    missing = _missing_error(pairs, batch, mask).mean()
    nearest = _missing_chamfer(pairs, batch, mask).mean()
    total = (
        data
        - stage.entropy_weight * entropy
        + stage.missing_weight * missing
        + stage.chamfer_weight * nearest
    )
    return Losses(data, none, none, entropy, missing, nearest, total)


@dataclass(frozen=True)
class Pairs:
    """Distances ``within (B, N, N)`` predicted points, ``across (B, N, M)`` to the whole cloud, and
    ``beyond (B, M, M)``, of the whole cloud's points."""

    within: Tensor
    across: Tensor
    beyond: Tensor

    @classmethod
    def of(cls, points: Tensor, full: Tensor) -> Pairs:
        """Of points ``(B, N, d)`` and whole clouds ``(B, M, d)``."""
        exact = partial(torch.cdist, compute_mode="donot_use_mm_for_euclid_dist")
        return cls(exact(points, points), exact(points, full), exact(full, full))

    def shorter(self, size: Tensor) -> Pairs:
        """The same in other units of length, ``size (B,)`` each."""
        unit = size[:, None, None]
        return Pairs(self.within / unit, self.across / unit, self.beyond / unit)

    def energy(self, mass: Tensor, whole: Tensor) -> Tensor:
        """Energy distance, ``(B,)``, of masses ``(B, N)`` on points and ``(B, M)`` on the whole."""
        across = torch.einsum("bn,bnm,bm->b", mass, self.across, whole)
        within = torch.einsum("bn,bnk,bk->b", mass, self.within, mass)
        beyond = torch.einsum("bm,bmk,bk->b", whole, self.beyond, whole)
        return 2 * across - within - beyond


def completion_error(batch: Partial, points: Tensor, mask: Tensor) -> Tensor:
    """``MMD^2`` (energy distance) of known and predicted points to the whole cloud, ``(B,)``."""
    return _whole_error(Pairs.of(points, batch.full), batch, mask)


def _whole_error(pairs: Pairs, batch: Partial, mask: Tensor) -> Tensor:
    """See :func:`completion_error`.

    Known points are in both clouds: their masses are subtracted, not their pairs computed twice.
    """
    each = 1 / (batch.known_mask.sum(1) + mask.sum(1))[:, None]  # (B, 1), mass of a point
    missing = uniform_mass(batch.full, batch.full_mask) - each * batch.kept  # (B, M)
    return pairs.energy(each * mask, missing)


def _missing_error(pairs: Pairs, batch: Partial, mask: Tensor) -> Tensor:
    """``MMD^2`` of predicted to removed points, each of mass 1, ``(B,)``; 0 where none is."""
    removed = _removed(batch)  # (B, M)
    mass = removed / removed.sum(1, keepdim=True).clamp_min(1)
    free = mask / mask.sum(1, keepdim=True) * removed.any(1, keepdim=True)
    return pairs.energy(free, mass)


def _missing_chamfer(pairs: Pairs, batch: Partial, mask: Tensor) -> Tensor:
    """Chamfer distance (CD-l1) of predicted and removed points, ``(B,)``; 0 where none is.

    As :func:`ddeq.metrics.distances.chamfer`.
    """
    removed = _removed(batch)  # (B, M)
    far = torch.inf
    there = pairs.across.masked_fill(~removed[:, None, :], far).amin(2)  # (B, N)
    there = there.masked_fill(~(mask & removed.any(1, keepdim=True)), 0).sum(1) / mask.sum(1)
    back = pairs.across.masked_fill(~mask[..., None], far).amin(1)  # (B, M)
    back = back.masked_fill(~removed, 0).sum(1) / removed.sum(1).clamp_min(1)
    return (there + back) / 2


def _size(batch: Partial) -> Tensor:
    """The standard deviation of the whole clouds' coordinates, ``(B,)``."""
    mass = uniform_mass(batch.full, batch.full_mask)[..., None]  # (B, M, 1)
    middle = (mass * batch.full).sum(1, keepdim=True)  # (B, 1, d)
    return (mass * (batch.full - middle).square()).sum(1).mean(1).sqrt()


def _removed(batch: Partial) -> Tensor:
    """Which points of the whole clouds were removed, ``(B, M)``."""
    return batch.full_mask & ~batch.kept


def kde_entropy(points: Tensor, mask: Tensor) -> Tensor:
    """Entropy of points ``(B, N, d)`` by a Gaussian kernel-density estimate, ``(B,)``, in nats."""
    d2 = squared_distances(points, points)  # (B, N, N)
    log_kernel = (-d2 / (2 * BANDWIDTH**2)).masked_fill(~mask[:, None, :], -math.inf)
    log_density = log_kernel.logsumexp(2) - mask.sum(1, keepdim=True).log()  # (B, N)
    normaliser = points.shape[-1] / 2 * math.log(2 * math.pi * BANDWIDTH**2)
    return normaliser - (log_density * uniform_mass(points, mask)).sum(1)


class _Completion:
    criterion: ClassVar[str] = "validation_mmd2"
    labelled: ClassVar[bool] = False

    def losses(
        self,
        model: Any,
        batch: Batch,
        recipe: Recipe,
        stage: Stage,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> Losses:
        """See :func:`losses`; ``generator`` draws the holes and what starts in them."""
        given = _cut(batch, recipe.holes, recipe, generator).to(device)
        return self.losses_of(model, given, stage, generator)

    def losses_of(
        self, model: Any, given: Given, stage: Stage, generator: torch.Generator
    ) -> Losses:
        """The losses on clouds with holes."""
        raise NotImplementedError

    def answer(
        self, model: Any, given: Given, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, FlowSolution | None]:
        """Predicted points ``(B, N, d_x)``, and the solve that they are read from, if any."""
        raise NotImplementedError

    @torch.no_grad()
    def validate(
        self, model: nn.Module, clouds: Clouds, recipe: Recipe, device: torch.device | str
    ) -> dict[str, float]:
        """Error on the first 512 clouds, cut by the default rule, and how solves end."""
        model.eval()
        generator = torch.Generator().manual_seed(0)
        error, relative = [], []
        for index in torch.arange(min(512, len(clouds))).split(64):
            whole = clouds.batch(index, recipe.validated_points, generator)
            given = _cut(whole, type(recipe.holes)(), recipe, generator).to(device)
            points, end = self.answer(model, given, recipe, index.tolist())
            relative += [] if end is None else [end.relative_objective]
            error.append(completion_error(given.batch, points, given.mask))
        model.train()
        found = {self.criterion: float(torch.cat(error).mean())}
        if relative:
            found["validation_relative_objective"] = float(torch.cat(relative).median())
        return found


class BySolving(_Completion):
    """Learned by a DDEQ, solved as a stage says; validated as the card says."""

    def losses_of(
        self, model: Completer, given: Given, stage: Stage, generator: torch.Generator
    ) -> Losses:
        return losses(model, given, stage, *stage.draw(generator))

    def answer(
        self, model: Completer, given: Given, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, FlowSolution]:
        settings = RunSettings.from_dict(recipe.card["settings"])
        encoded = model.encode(given.batch.known, given.batch.known_mask, given.counts)
        z0 = model.lift(given.start)
        end = flow_of(encoded, z0, settings, seeds, velocity=False).run()
        return model.points(end.particles), end


class AtOnce(_Completion):
    """Learned by a network that predicts the missing points at once."""

    def losses_of(
        self, model: PCN, given: Given, stage: Stage, generator: torch.Generator
    ) -> Losses:
        return prediction_losses(given.batch, _predicted(model, given), given.mask, stage)

    def answer(
        self, model: PCN, given: Given, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, None]:
        return _predicted(model, given), None


def _predicted(model: PCN, given: Given) -> Tensor:
    count = given.start.shape[1]
    return model.complete(given.batch.known, given.batch.known_mask, count)


def _cut(whole: Batch, holes: Cut, recipe: Recipe, generator: torch.Generator) -> Given:
    batch = cut(whole, holes, generator)
    counts = recipe.holes.free(batch, recipe.model.total)  # (B,)
    shape = (len(counts), int(counts.max()), batch.known.shape[-1])
    start = torch.randn(shape, generator=generator)  # (B, N, d_x)
    return Given(batch, counts, start, torch.arange(shape[1]) < counts[:, None])
