"""What is seen in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Picture:
    """The things that stand out from the paper."""

    things: np.ndarray
    """uint8 (N, 28, 28), N >= 1: each as MNIST would have it, in the order one reads them."""
