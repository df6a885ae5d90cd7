"""Removing part of a cloud; what is chosen lives in the URL."""

from __future__ import annotations

from ddeq.input.clouds import PointCloud
from ddeq.view.cuts.cut import Cut
from ddeq.view.cuts.flat import choose_flat_cut
from ddeq.view.cuts.space import choose_cut_in_space

__all__ = ["Cut", "choose_cut"]


def choose_cut(cloud: PointCloud, *, flat: bool) -> Cut:
    """Controls to remove part of a cloud, each beside the last one.

    Args:
        cloud: the whole one.
        flat: whether it is cut in the plane that it lies in.

    Raises:
        UserError: it is not flat but should be, or has too many points to be cut by hand.
    """
    return choose_flat_cut(cloud) if flat else choose_cut_in_space(cloud)
