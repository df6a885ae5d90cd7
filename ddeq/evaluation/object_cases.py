"""Objects with a part missing: seen from one side, with a sphere or a half-space removed, or as a
sensor has seen one side that misses stripes, adds noise, or finds few points."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ddeq.evaluation.cases import Case, usable
from ddeq.input.preprocess import standardise
from ddeq.training.datasets.holes import Views
from ddeq.training.datasets.objects import ObjectClouds
from ddeq.training.datasets.wear import Wear

CUTS = ("scan", "sphere", "plane")
WORN = ("striped", "noisy", "thinned")
"""Scans as sensors have them, see :class:`ddeq.training.datasets.wear.Wear`; on request."""
POINTS = 1024  # of a whole object


def cut_objects(
    objects: ObjectClouds, points: int | None = None, cuts: Sequence[str] | None = None
) -> tuple[list[Case], int]:
    """Cut each of ``K`` objects in all three ways; also how many cuts could not be used.

    Those leave fewer than 3 points, or all of them. Camera, sphere and plane are drawn as in
    training (:class:`ddeq.training.datasets.holes.Views`), from a seed of the object's and the
    cut's own.

    Args:
        objects: to cut.
        points: drawn of each surface, 1,024 if None. As many as a cut removes are to complete it.
        cuts: only these ways, out of :data:`CUTS` and :data:`WORN`; None are all of the former.
    """
    cases, tried = [], 0
    for k in range(len(objects)):
        batch = objects.batch(torch.tensor([k]), points or POINTS, torch.Generator().manual_seed(k))
        for cut in cuts or CUTS:
            tried += 1
            number = _number(k, cut)
            generator = torch.Generator().manual_seed(number)
            views = _views(cut)
            kept = views.known(batch.x, batch.mask, generator)  # (1, M)
            x, mask = views.sensed(batch.x, batch.mask, kept, generator)
            keep = kept[mask].numpy()  # (M',)
            if not usable(keep):
                continue
            whole = x[mask].double().numpy()  # (M', 3)
            cases.append(
                Case(
                    number=number,
                    group=int(objects.groups[k]),
                    cut=cut,
                    known=whole[keep],
                    removed=whole[~keep],
                    standard=standardise(whole[keep], isotropic=True),
                    free=int((~keep).sum()),
                    label=int(objects.labels[k]),
                )
            )
    return cases, tried - len(cases)


def _number(k: int, cut: str) -> int:
    """Of the case: the first cuts of all objects, one after another, and then those of wear."""
    if cut in CUTS:
        return len(CUTS) * k + CUTS.index(cut)
    return 1_000_000 * (1 + WORN.index(cut)) + k


def _views(cut: str) -> Views:
    """That one way to cut."""
    if cut in WORN:
        worn = Wear(
            striped=float(cut == "striped"),
            noisy=float(cut == "noisy"),
            thinned=float(cut == "thinned"),
        )
        return Views(1.0, 0.0, 0.0, wear=worn)
    return Views(
        scan=float(cut == "scan"), sphere=float(cut == "sphere"), plane=float(cut == "plane")
    )
