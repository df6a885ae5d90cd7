"""How well a number tells two kinds of things apart."""

from __future__ import annotations

import numpy as np


def area_under_roc(usual: np.ndarray, strange: np.ndarray) -> float:
    """The probability that a strange thing has the larger number, ties counted half; 0.5 is chance.

    It is the area under the receiver operating characteristic, by SciPy's Mann-Whitney statistic.

    Args:
        usual: numbers ``(n,)``.
        strange: numbers ``(m,)`` that should be larger.
    """
    from scipy.stats import mannwhitneyu  # slow to import, and few need it

    return float(mannwhitneyu(strange, usual).statistic / (len(usual) * len(strange)))
