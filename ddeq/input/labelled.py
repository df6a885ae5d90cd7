"""Many clouds and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Labelled:
    """Prepared clouds and their classes.

    Attributes:
        clouds: ``K`` arrays ``(M_k, d_x)``, see :func:`ddeq.input.prepare.prepare`.
        labels: ``(K,)`` int64.
    """

    clouds: Sequence[np.ndarray]
    labels: np.ndarray
