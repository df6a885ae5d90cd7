"""Which way is up in a cloud whose file does not say: where the model recognises it best.

An object is turned six ways and solved in one batch. The way that is customary with its format
stays unless another one is recognised better by a margin, which a model's card tells:
``ddeq evaluate upright --card`` chooses it, so that upright objects hardly ever fall.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ddeq.input.clouds import PointCloud
from ddeq.input.formats.axes import UP_AXES, turn_up
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.flows import flow_of_clouds
from ddeq.run.settings import with_defaults


def six_ways(points: np.ndarray) -> list[np.ndarray]:
    """An object ``(M, 3)`` with each of :data:`UP_AXES` up."""
    return [turn_up(points, axis) for axis in UP_AXES]


def choose_up(scores: Sequence[float] | np.ndarray, custom: str, margin: float) -> str:
    """One of :data:`UP_AXES`.

    Args:
        scores: the greatest class score of each of the six ways.
        custom: the axis that is up unless another is better by more than the margin.
        margin: of scores, not below 0.
    """
    best = int(np.argmax(scores))
    gain = scores[best] - scores[UP_AXES.index(custom)]
    return UP_AXES[best] if gain > margin else custom


@torch.no_grad()
def find_up(
    checkpoint: Checkpoint[Classifier],
    cloud: PointCloud,
    custom: str,
    device: torch.device | str = "cpu",
) -> str:
    """Which of a cloud's axes points up: the customary one where the card tells no margin.

    Args:
        checkpoint: of a classifier of objects.
        cloud: in space, in the axes of its file.
        custom: with its format, one of :data:`UP_AXES`.
        device: where to solve.
    """
    card = checkpoint.card
    if "up_margin" not in card:
        return custom
    clouds = [prepare(PointCloud(x, cloud.name), card) for x in six_ways(cloud.points)]
    settings = with_defaults(card, {})
    seeds = [settings.limits.seed] * len(clouds)
    end = flow_of_clouds(checkpoint.model, clouds, settings, seeds, device).run()
    scores = checkpoint.model.logits(end.particles).amax(1).cpu().numpy()
    return choose_up(scores, custom, card["up_margin"])
