"""A cloud as a model takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten, shorten
from ddeq.input.preprocess import isotropic, standardise, subsample


def prepare(cloud: PointCloud, card: Mapping[str, Any]) -> np.ndarray:
    """A cloud as a model takes it: in its dimension, thinned, standardised; ``(M, d_x)`` float32.

    Raises:
        UserError: a cloud in space for a model of the plane that is not flat, or a cloud in the
            plane for a model of objects in space.
    """
    architecture = card["architecture"]
    dim = architecture.get("operator", architecture)["input_dim"]
    points = in_dimension(cloud, dim).points
    thinned = subsample(points, card["points"], np.random.default_rng(0))
    return standardise(thinned, isotropic(card)).points


def in_dimension(cloud: PointCloud, dim: int) -> PointCloud:
    """The cloud in the dimension a model takes, 2 or 3.

    Raises:
        UserError: a cloud in space for a model of the plane that is not flat, or a cloud in the
            plane for a model of objects in space.
    """
    if dim == 2:
        return flatten(cloud)
    if cloud.points.shape[1] == 2:
        raise UserError(
            f"'{shorten(cloud.name)}' is flat, so give it to a model of digits, or give an object "
            "in space."
        )
    return cloud
