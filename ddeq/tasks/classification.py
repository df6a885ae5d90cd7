"""Learning to classify.

Every batch is solved without a graph to its equilibrium, ``F`` is applied once more with one
(or an exact implicit gradient is taken), and three terms are minimised::

    cross-entropy of the read-out
    + residual_weight * MMD^2(z*, F(z*))           so that solvers arrive
    + spread_weight * relu(log(target / spread))   so that particles do not collapse
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ddeq.datasets.packed import Batch, PackedClouds
from ddeq.flow import Flow, StopRule
from ddeq.implicit import GRADIENTS
from ddeq.kernels import Riesz, mmd2
from ddeq.metrics import spread
from ddeq.model import Classifier
from ddeq.recipes import Recipe, Stage
from ddeq.run import RunSettings
from ddeq.solvers import Solver


def batch_losses(
    model: Classifier,
    clouds: PackedClouds,
    index: Tensor,
    recipe: Recipe,
    stage: Stage,
    generator: torch.Generator,
    device: torch.device | str,
) -> Losses:
    """The losses on the clouds ``index (B,)``, with a graph."""
    batch = clouds.batch(index, stage.points, generator, recipe.augmentation)
    shape = (len(index), recipe.model.particles, recipe.model.operator.latent_dim)
    z0 = torch.randn(shape, generator=generator)
    solver, steps = stage.draw(generator)
    return losses(model, batch.to(device), stage, z0.to(device), solver, steps)


@dataclass(frozen=True)
class Losses:
    """The terms of the loss on one batch, scalars; ``spread`` is the mean spread itself."""

    cross_entropy: Tensor
    residual: Tensor
    spread: Tensor
    total: Tensor
    correct: Tensor


def losses(
    model: Classifier, batch: Batch, stage: Stage, z0: Tensor, solver: Solver, steps: int
) -> Losses:
    """Solve a batch to its equilibrium and evaluate the loss there, with a graph."""
    context = model.operator.encode(batch.x, batch.mask)
    operator = partial(model.operator, context=context)
    z_star = z0
    if steps:
        stop = StopRule(steps, tolerance=0.0)
        flow = Flow(operator, z0, solver=solver, stop=stop, velocity=False)
        with torch.no_grad():
            z_star = flow.run().particles  # (B, N, d)
    image = GRADIENTS[stage.gradient](operator, z_star)  # (B, N, d)
    logits = model.logits(image)  # (B, classes)
    cross_entropy = F.cross_entropy(logits, batch.labels)
    residual = mmd2(z_star.detach(), image, Riesz()).mean()
    width = spread(image)  # (B,)
    collapse = F.relu(math.log(stage.spread_target) - (width + 1e-6).log()).mean()
    total = cross_entropy + stage.residual_weight * residual + stage.spread_weight * collapse
    correct = (logits.argmax(1) == batch.labels).float().mean()
    return Losses(cross_entropy, residual, width.mean(), total, correct)


@torch.no_grad()
def validate(
    model: Classifier, clouds: PackedClouds, recipe: Recipe, device: torch.device | str
) -> dict[str, float]:
    """Accuracy, residual and spread on the first 1,000 clouds, solved as the card says."""
    model.eval()
    settings = RunSettings.from_dict(recipe.card["settings"])
    correct, residual, width = [], [], []
    for index in torch.arange(min(1000, len(clouds))).split(64):
        batch = clouds.batch(index, recipe.card["points"], torch.Generator()).to(device)
        z0 = model.start(index.tolist()).to(device)
        stop = StopRule(settings.limits.steps, settings.limits.tolerance)
        flow = model.flow(
            batch.x, batch.mask, z0, solver=settings.solver, stop=stop, velocity=False
        )
        end = flow.run()
        correct.append(model.logits(end.particles).argmax(1) == batch.labels)
        residual.append(end.relative_objective)
        width.append(spread(end.particles))
    model.train()
    return {
        "validation_accuracy": float(torch.cat(correct).float().mean()),
        "validation_relative_objective": float(torch.cat(residual).median()),
        "validation_spread": float(torch.cat(width).median()),
    }
