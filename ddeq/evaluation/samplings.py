"""Objects as clouds to classify: several samplings of each, in several conditions."""

from __future__ import annotations

import numpy as np
import torch

from ddeq.input.clouds import SURFACE_POINTS
from ddeq.input.labelled import Labelled
from ddeq.input.preprocess import standardise, subsample
from ddeq.training.datasets.objects import ObjectAugmentation, ObjectClouds
from ddeq.training.datasets.parts import near_copies

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


def evenly_spread(objects: ObjectClouds, points: int) -> Labelled:
    """Every object once, as :func:`ddeq.input.prepare.prepare` makes a cloud of a mesh.

    Many points are drawn of each surface and thinned to ``points`` by farthest-point sampling.
    """
    clouds = []
    for k in range(len(objects)):
        generator = torch.Generator().manual_seed(k)
        dense = objects.batch(torch.tensor([k]), SURFACE_POINTS, generator).x[0].numpy()
        thinned = subsample(dense, points, np.random.default_rng(0))
        clouds.append(standardise(thinned, isotropic=True).points)
    return Labelled(clouds, objects.labels.numpy())


def copied(objects: ObjectClouds, others: ObjectClouds) -> np.ndarray:
    """Which of ``K`` objects have a near-copy among others, bool ``(K,)``."""
    surfaces = [x.numpy() for clouds in (objects, others) for x in clouds.reservoir]
    count = len(objects)
    found = np.zeros(count, bool)
    found[[one for one, other in near_copies(surfaces) if one < count <= other]] = True
    return found
