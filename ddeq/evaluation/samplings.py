"""Objects as clouds to classify: several samplings of each, in several conditions."""

from __future__ import annotations

import numpy as np
import torch

from ddeq.input.labelled import Labelled
from ddeq.training.datasets.objects import ObjectAugmentation, ObjectClouds

PLAIN = "as_it_stands"
CONDITIONS: dict[str, ObjectAugmentation | None] = {
    PLAIN: None,
    "turned": ObjectAugmentation(yaw=180.0),
    "scanned": ObjectAugmentation(partial=1.0),
}
"""How an object comes: as in its file, turned about z by any angle, seen from one side alone."""


def sampled(objects: ObjectClouds, points: int, samplings: int, condition: str) -> Labelled:
    """Every object ``samplings`` times, first all in the first sampling: ``S * K`` clouds.

    Sampling ``s`` draws ``points`` of each surface from seed ``s``, the same for all models.

    Args:
        objects: ``K`` of them.
        points: of a cloud; a scan has fewer where the camera sees fewer.
        samplings: how often, ``S``.
        condition: a name out of :data:`CONDITIONS`.
    """
    index, clouds = torch.arange(len(objects)), []
    for seed in range(samplings):
        generator = torch.Generator().manual_seed(seed)
        batch = objects.batch(index, points, generator, CONDITIONS[condition])
        clouds += [x[mask].numpy() for x, mask in zip(batch.x, batch.mask, strict=True)]
    return Labelled(clouds, np.tile(objects.labels.numpy(), samplings))
