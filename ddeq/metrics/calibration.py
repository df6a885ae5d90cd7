"""Whether probabilities mean what they say, and the temperature at which they do.

Source: Guo et al. 2017, *On Calibration of Modern Neural Networks*,
https://arxiv.org/abs/1706.04599.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

BINS = 15
_COLDEST, _HOTTEST = 0.05, 20.0


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: how far confidence is from accuracy, 0 to 1.

    Args:
        probabilities: of classes, ``(K, C)``.
        labels: the right classes ``(K,)``.
        bins: of equal width, into which clouds are sorted by their confidence.
    """
    sure, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(place, sure, bins) - np.bincount(place, right, bins)
    return float(np.abs(gaps).sum() / len(labels))


def fitting_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """By what to divide class scores ``(K, C)`` so that the right classes are likeliest, > 0."""
    from scipy.optimize import minimize_scalar  # slow to import, and few need them
    from scipy.special import log_softmax

    def surprise(log_temperature: float) -> float:
        logs = log_softmax(logits / math.exp(log_temperature), axis=1)
        return -float(logs[np.arange(len(labels)), labels].mean())

    bounds = (math.log(_COLDEST), math.log(_HOTTEST))
    found: Any = minimize_scalar(surprise, bounds=bounds, method="bounded")
    return math.exp(found.x)
