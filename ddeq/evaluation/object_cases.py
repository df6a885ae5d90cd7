"""Objects with a part missing: each seen from one side, with a sphere and a half-space removed."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ddeq.evaluation.cases import Case, usable
from ddeq.input.preprocess import standardise
from ddeq.training.datasets.holes import Views
from ddeq.training.datasets.objects import ObjectClouds

CUTS = ("scan", "sphere", "plane")
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
        cuts: only these ways, out of :data:`CUTS`; None are all.
    """
    cases, tried = [], 0
    for k in range(len(objects)):
        batch = objects.batch(torch.tensor([k]), points or POINTS, torch.Generator().manual_seed(k))
        whole = batch.x[0].double().numpy()  # (M, 3)
        for way, cut in enumerate(CUTS):
            if cuts is not None and cut not in cuts:
                continue
            tried += 1
            number = len(CUTS) * k + way
            of_this = {name: float(name == cut) for name in CUTS}
            views = Views(of_this["scan"], of_this["sphere"], of_this["plane"])
            generator = torch.Generator().manual_seed(number)
            keep = views.known(batch.x, batch.mask, generator)[0].numpy()  # (M,)
            if not usable(keep):
                continue
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
