"""Learning to classify.

Every batch is solved without a graph for a random number of steps, ``F`` is applied some more
times with one (or an exact implicit gradient is taken first), and the mean over these images of
four terms is minimised::

    cross-entropy of the read-out
    + residual_weight * MMD^2(z, F(z))                         so that solvers arrive
    + spread_weight * relu(log(target / spread))               so that particles do not collapse
    + separation_weight * mean relu(log(target / distance to the nearest other particle))
                                                               nor meet in a few heaps
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddeq.metrics.particles import distinct_particles, nearest_other, spread
from ddeq.model.base import AtOnceClassifier
from ddeq.model.classifier import Classifier
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings
from ddeq.solve.flow import FlowSolution
from ddeq.solve.gradients import AT_EQUILIBRIUM, phantom_k, reversible
from ddeq.solve.gradients.interface import OperatorFn
from ddeq.solve.kernels import Riesz, mmd2
from ddeq.solve.solvers import Solver
from ddeq.training.datasets.packed import Batch
from ddeq.training.datasets.sources import Clouds
from ddeq.training.recipes import Recipe, Stage
from ddeq.training.tasks.solving import solved

SKEW_WEIGHT = 1e-3  # of PointNet's matrices, as its authors have it


@dataclass(frozen=True)
class Losses:
    """The terms of the loss on one batch, scalars; ``spread`` is the mean spread itself, and
    ``separation`` the mean distance to the nearest other particle."""

    cross_entropy: Tensor
    residual: Tensor
    spread: Tensor
    separation: Tensor
    total: Tensor
    correct: Tensor


def losses(
    model: Classifier, batch: Batch, stage: Stage, z0: Tensor, solver: Solver, steps: int
) -> Losses:
    """Solve a batch without a graph, then go on with one, and evaluate the loss on the way.

    Args:
        model: the classifier.
        batch: of clouds.
        stage: of the training; ``F`` is applied ``stage.unroll`` times with a graph, and the loss
            is averaged over all these images, or taken at the last, as ``stage.supervise`` says.
        z0: initial particles ``(B, N, d)``.
        solver, steps: how to solve before.
    """
    encoded = model.encode(batch.x, batch.mask, twice=True)
    operator = encoded.operator
    if stage.gradient == "reversible":
        assert encoded.apart is not None  # classifiers tell it
        z = reversible(*encoded.apart, z0, steps, stage.damping)  # (B, N, d), with a graph
    else:
        z = solved(encoded, z0, solver, steps)
    found = []
    for k in range(stage.unroll):
        image = operator(z)  # (B, N, d)
        after = _differentiable(operator, z, image, stage) if k == 0 else image
        if stage.supervise == "all" or k == stage.unroll - 1:
            residual = mmd2(z.detach(), image, Riesz()).mean() if stage.residual_weight else None
            found.append(_losses_at(model, batch, after, residual, stage))
        z = after
    return Losses(*(torch.stack(terms).mean() for terms in zip(*map(_terms, found), strict=True)))


def _differentiable(operator: OperatorFn, z: Tensor, image: Tensor, stage: Stage) -> Tensor:
    """What the first loss is taken at: an equilibrium ``z (B, N, d)`` as the mode tells it."""
    if stage.gradient == "reversible":  # told already
        return image
    if stage.gradient == "phantom-k":
        return phantom_k(operator, z, stage.gradient_steps, stage.damping, image=image)
    return AT_EQUILIBRIUM[stage.gradient](operator, z, image=image)


def _losses_at(
    model: Classifier, batch: Batch, z: Tensor, residual: Tensor | None, stage: Stage
) -> Losses:
    """The losses of particles ``z (B, N, d)`` that ``F`` has made of others, ``residual`` away.

    The residual is that of plain ``F``: its gradient says how to move the image nearer, and has
    nothing to do with how an equilibrium moves.
    """
    found = prediction_losses(model.logits(z), batch.labels, stage)
    residual = found.residual if residual is None else residual
    width, gap = spread(z), nearest_other(z)  # (B,), (B, N)
    collapse = _shortfall(width, stage.spread_target).mean()
    meeting = _shortfall(gap, stage.separation_target).mean()
    total = (
        found.total
        + stage.residual_weight * residual
        + stage.spread_weight * collapse
        + stage.separation_weight * meeting
    )
    return replace(
        found, residual=residual, spread=width.mean(), separation=gap.mean(), total=total
    )


def _shortfall(length: Tensor, target: float) -> Tensor:
    """``relu(log(target / length))``, finite at 0."""
    return F.relu(math.log(target) - (length + 1e-6).log())


def _terms(found: Losses) -> tuple[Tensor, ...]:
    return tuple(getattr(found, field.name) for field in fields(found))


def prediction_losses(logits: Tensor, labels: Tensor, stage: Stage) -> Losses:
    """The losses of class scores ``(B, classes)``, as far as they need no solver."""
    cross_entropy = F.cross_entropy(logits, labels, label_smoothing=stage.label_smoothing)
    correct = (logits.argmax(1) == labels).float().mean()
    none = cross_entropy.new_zeros(())
    return Losses(cross_entropy, none, none, none, cross_entropy, correct)


class _Classification:
    criterion: ClassVar[str] = "validation_cross_entropy"
    labelled: ClassVar[bool] = True

    def answer(
        self, model: Any, batch: Batch, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, FlowSolution | None]:
        """Class scores ``(B, classes)``, and the solve that they are read from, if any."""
        raise NotImplementedError

    @torch.no_grad()
    def validate(
        self, model: nn.Module, clouds: Clouds, recipe: Recipe, device: torch.device | str
    ) -> dict[str, float]:
        """How well the first 1,000 clouds are classified, and how solves end."""
        model.eval()
        correct, surprise, ends = [], [], []
        for index in torch.arange(min(1000, len(clouds))).split(64):
            g = torch.Generator().manual_seed(0)
            batch = clouds.batch(index, recipe.validated_points, g).to(device)
            scores, end = self.answer(model, batch, recipe, index.tolist())
            correct.append(scores.argmax(1) == batch.labels)
            surprise.append(F.cross_entropy(scores, batch.labels, reduction="none"))
            ends += [] if end is None else [end]
        model.train()
        found = {
            "validation_accuracy": float(torch.cat(correct).float().mean()),
            self.criterion: float(torch.cat(surprise).mean()),
        }
        return found | (_ended(ends) if ends else {})


class BySolving(_Classification):
    """Learned by a DDEQ, solved as a stage says; validated as the card says."""

    def losses(
        self,
        model: Classifier,
        batch: Batch,
        recipe: Recipe,
        stage: Stage,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> Losses:
        """See :func:`losses`; ``generator`` draws initial particles, solver and steps."""
        shape = (len(batch.x), recipe.model.particles, recipe.model.operator.latent_dim)
        z0 = torch.randn(shape, generator=generator)
        solver, steps = stage.draw(generator)
        return losses(model, batch.to(device), stage, z0.to(device), solver, steps)

    def answer(
        self, model: Classifier, batch: Batch, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, FlowSolution]:
        settings = RunSettings.from_dict(recipe.card["settings"])
        encoded, z0 = model.encode(batch.x, batch.mask), model.start(seeds)
        end = flow_of(encoded, z0, settings, seeds, velocity=False).run()
        return model.logits(end.particles), end


class AtOnce(_Classification):
    """Learned by a network that solves nothing."""

    def losses(
        self,
        model: AtOnceClassifier,
        batch: Batch,
        recipe: Recipe,
        stage: Stage,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> Losses:
        """Cross-entropy, and what keeps PointNet's matrices near orthogonal ones."""
        batch = batch.to(device)
        scores, skew = model.scores_and_skew(batch.x, batch.mask)
        found = prediction_losses(scores, batch.labels, stage)
        return replace(found, total=found.total + SKEW_WEIGHT * skew)

    def answer(
        self, model: AtOnceClassifier, batch: Batch, recipe: Recipe, seeds: Sequence[int]
    ) -> tuple[Tensor, None]:
        return model(batch.x, batch.mask), None


def _ended(ends: Sequence[FlowSolution]) -> dict[str, float]:
    """Validation figures of solves."""
    particles = torch.cat([end.particles for end in ends])
    relative = torch.cat([end.relative_objective for end in ends])
    return {
        "validation_relative_objective": float(relative.median()),
        "validation_spread": float(spread(particles).median()),
        "validation_distinct": float(distinct_particles(particles).float().mean()),
    }
