"""Clouds of which a part is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, shorten, validate


@dataclass(frozen=True, eq=False)
class Hollow:
    """A cloud of which a part is missing.

    Attributes:
        known: float64 ``(K, d)``, in the file's own units.
        truth: float64 ``(M, d)``, the whole cloud, first its known points, then the removed ones;
            None if nobody knows it.
        name: what messages call it.
    """

    known: np.ndarray
    truth: np.ndarray | None
    name: str

    @property
    def removed(self) -> np.ndarray | None:
        """The part of the truth that is not known, ``(M - K, d)``."""
        return None if self.truth is None else self.truth[len(self.known) :]


def hollow(cloud: PointCloud, keep: np.ndarray) -> Hollow:
    """The cloud without the points that are not kept.

    Args:
        cloud: the whole cloud ``(M, d)``.
        keep: ``(M,)`` bool, see ``ddeq.input.partial``.

    Raises:
        UserError: nothing removed, everything removed, or fewer than 3 different points left.
    """
    shown = shorten(cloud.name)
    if keep.all():
        raise UserError(f"Nothing was removed from '{shown}', so remove a part to complete.")
    if not keep.any():
        raise UserError(f"All of '{shown}' was removed, so leave a part to complete it from.")
    known = PointCloud(cloud.points[keep], cloud.name)
    try:
        validate(known)
    except UserError as error:
        raise UserError(
            f"Fewer than three different points of '{shown}' are left, so remove less of it."
        ) from error
    return Hollow(known.points, np.concatenate([known.points, cloud.points[~keep]]), cloud.name)


def without_truth(cloud: PointCloud) -> Hollow:
    """A cloud that is partial already.

    Raises:
        UserError: it has fewer than 3 different points.
    """
    validate(cloud)
    return Hollow(cloud.points, None, cloud.name)
