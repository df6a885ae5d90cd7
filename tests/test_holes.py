"""Holes are cut by the paper's rule, and only known points set the units."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.datasets.holes import Holes, cut
from ddeq.datasets.packed import Batch, standardised


def clouds(seed: int, size: int = 40) -> Batch:
    g = torch.Generator().manual_seed(seed)
    mask = torch.arange(size) < torch.tensor([[size], [size // 2], [size - 3]])
    x = standardised(torch.rand(3, size, 2, generator=g), mask)
    return Batch(x, mask, torch.zeros(3, dtype=torch.long))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@given(st.integers(0, 99))
def test_exactly_the_points_near_two_of_the_clouds_own_are_removed(seed):
    batch = clouds(seed)
    kept = Holes().known(batch.x, batch.mask, generator())
    assert not (kept & ~batch.mask).any()
    for x, valid, stays in zip(batch.x, batch.mask, kept, strict=True):
        far = torch.cdist(x[valid], x[valid]) > 0.6  # from every possible centre
        pairs = far[:, None] & far[None]  # (n, n, n): what stays if i and j are the centres
        assert (pairs == stays[valid]).all(2).any()


@given(st.integers(0, 99))
def test_more_and_larger_holes_remove_more(seed):
    batch = clouds(seed)

    def left(**how) -> torch.Tensor:
        return Holes(**how).known(batch.x, batch.mask, generator())

    small, large = left(radius=(0.3, 0.3)), left(radius=(0.9, 0.9))
    assert not (large & ~small).any()
    assert torch.equal(left(radius=(0, 0)).sum(1), batch.mask.sum(1) - 2)
    assert torch.equal(left(count=(0, 0)), batch.mask)


def test_counts_and_radii_are_drawn_from_their_ranges():
    batch = clouds(0)
    wide = Holes(count=(1, 3), radius=(0.2, 0.9))
    g = generator()
    left = torch.stack([wide.known(batch.x, batch.mask, g).sum(1) for _ in range(50)])
    assert len(left[:, 0].unique()) > 5


@given(st.integers(0, 99))
def test_known_points_come_first_standardised_and_belong_to_the_whole(seed):
    batch = clouds(seed)
    found = cut(batch, Holes(), generator())
    for known, valid in zip(found.known, found.known_mask, strict=True):
        assert valid.sum() >= 3 and not known[~valid].any()
        torch.testing.assert_close(known[valid].mean(0), torch.zeros(2), atol=1e-5, rtol=0)
        spread = known[valid].std(0, correction=0)
        torch.testing.assert_close(spread, torch.ones(2), atol=1e-4, rtol=0)
    same = (found.known[:, :, None] == found.full[:, None]).all(-1) & found.full_mask[:, None]
    assert same.any(2)[found.known_mask].all()
    # The whole cloud was moved and scaled, nothing else.
    ratio = (found.full[:, 1] - found.full[:, 0]) / (batch.x[:, 1] - batch.x[:, 0])
    other = (found.full[:, 2] - found.full[:, 0]) / (batch.x[:, 2] - batch.x[:, 0])
    torch.testing.assert_close(ratio, other, rtol=1e-3, atol=1e-4)


def test_a_cloud_that_would_lose_too_much_stays_whole():
    batch = clouds(0)
    found = cut(batch, Holes(radius=(99, 99)), generator())
    assert torch.equal(found.known_mask.sum(1), batch.mask.sum(1))


@pytest.mark.parametrize("device", ["cpu"])
def test_a_batch_moves_as_a_whole(device):
    found = cut(clouds(0), Holes(), generator()).to(device)
    assert all(t.device.type == device for t in vars(found).values())
