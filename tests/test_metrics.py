"""Spread and confidence intervals against closed forms and other people's code."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ddeq.metrics import spread, wilson_interval


def test_spread_is_the_mean_distance_from_the_centre():
    square = torch.tensor([[[1.0, 1], [1, -1], [-1, 1], [-1, -1]]])
    torch.testing.assert_close(spread(3 * square + 7), torch.tensor([3 * 2**0.5]))


@given(st.integers(1, 6), st.floats(-50, 50), st.floats(0, 20))
def test_spread_is_blind_to_place_and_proportional_to_size(n, shift, scale):
    z = torch.randn(2, n, 3, generator=torch.manual_seed(n), dtype=torch.float64)
    torch.testing.assert_close(spread(scale * z + shift), scale * spread(z), atol=1e-9, rtol=1e-9)


def test_spread_of_collapsed_particles_is_exactly_0_and_can_be_differentiated():
    z = torch.full((1, 5, 3), 0.25, requires_grad=True)
    value = spread(z)
    value.sum().backward()
    assert value.item() == 0 and z.grad.isfinite().all()


def test_padding_does_not_count():
    z = torch.randn(2, 6, 3, generator=torch.manual_seed(0))
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, False]])
    expected = torch.cat([spread(z[:1]), spread(z[1:, [0, 2, 3]])])
    torch.testing.assert_close(spread(z, mask), expected)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counts):
    correct, total = counts
    expected = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert wilson_interval(correct, total) == pytest.approx(expected, abs=1e-7)
