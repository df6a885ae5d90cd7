"""How a cloud is cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ddeq.input.clouds import PointCloud
from ddeq.input.hollow import Hollow, hollow, without_truth
from ddeq.view.cuts.outlines import Plane, Sphere


@dataclass(frozen=True, eq=False)
class Cut:
    """How a cloud is cut, and how a person can change that where it stands.

    Attributes:
        keep: which of its points are left, bool ``(M,)``.
        hint: one sentence on this way to cut, with marked terms.
        partial: whether nothing is cut, as the cloud lacks a part already.
        by_hand: whether points of the plane are removed with a brush.
        take: what the button says that cuts from where one looks; None is no button.
        sphere, plane: what cuts, in the cloud's units; None is nothing to draw.
    """

    keep: np.ndarray
    hint: str
    partial: bool = False
    by_hand: bool = False
    take: str | None = None
    sphere: Sphere | None = None
    plane: Plane | None = None

    def of(self, cloud: PointCloud) -> Hollow:
        """What is left of the cloud.

        Raises:
            UserError: that cannot be completed.
        """
        return without_truth(cloud) if self.partial else hollow(cloud, self.keep)

    @property
    def count(self) -> str:
        """How many points are removed, in words."""
        removed = int((~self.keep).sum())
        whole = f"{len(self.keep):,} points"
        return f"{removed:,} of {whole} removed" if removed else whole
