"""Removing part of a cloud; what is chosen lives in the URL."""

from __future__ import annotations

from ddeq.input.clouds import PointCloud
from ddeq.input.hollow import Hollow
from ddeq.view.cuts.flat import choose_flat_hollow
from ddeq.view.cuts.space import choose_hollow_in_space
from ddeq.view.private import Place


def choose_hollow(cloud: PointCloud, plot: Place, controls: Place, *, flat: bool) -> Hollow:
    """Controls and a plot to remove part of a cloud.

    Args:
        cloud: the whole one.
        plot: where its points are shown, and cut by hand or clicked.
        controls: where the rest goes.
        flat: whether it is cut in the plane that it lies in.

    Raises:
        UserError: what remains of the cloud cannot be completed, or it is not flat but should be.
    """
    choose = choose_flat_hollow if flat else choose_hollow_in_space
    return choose(cloud, plot, controls)
