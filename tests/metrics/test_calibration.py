"""Calibration and separation, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from ddeq.metrics.calibration import calibration_error, fitting_temperature
from ddeq.metrics.separation import area_under_roc


def told(sure: float, share: float, count: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Two classes; the first is always said, this surely, and is right in this share of cases."""
    labels = (np.arange(count) >= share * count).astype(int)
    return np.tile([sure, 1 - sure], (count, 1)), labels


@given(st.floats(0.5, 1), st.floats(0, 1))
def test_the_error_of_one_confidence_is_how_far_it_is_from_the_share_that_is_right(sure, share):
    probabilities, labels = told(sure, share)
    right = (labels == 0).mean()
    assert calibration_error(probabilities, labels) == pytest.approx(abs(sure - right), abs=1e-9)


def test_confidences_of_two_bins_are_weighed_by_how_many_there_are():
    (first, a), (second, b) = told(0.6, 0.5, 100), told(0.9, 0.5, 300)
    both = calibration_error(np.concatenate([first, second]), np.concatenate([a, b]))
    assert both == pytest.approx((100 * 0.1 + 300 * 0.4) / 400)


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 3.0])
def test_the_temperature_of_scores_that_were_divided_is_found(temperature):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (20_000, 4))
    labels = (softmax(scores, axis=1).cumsum(1) < rng.random((20_000, 1))).sum(1)
    found = fitting_temperature(scores * temperature, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    cooled = softmax(scores * temperature / found, axis=1)
    assert calibration_error(cooled, labels) < 0.02


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 99))
def test_the_area_is_the_share_of_pairs_in_order_with_ties_half(n, m, seed):
    rng = np.random.default_rng(seed)
    usual, strange = rng.integers(5, size=n), rng.integers(5, size=m)
    pairs = np.sign(strange[:, None] - usual).mean() / 2 + 0.5
    assert area_under_roc(usual, strange) == pytest.approx(pairs)
