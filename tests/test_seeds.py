"""A seed is a stream of its own, on every device and in every batch."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.seeds import initial_particles, seed_of, seeded, shaking


def test_initial_particles_are_standard_normal_and_belong_to_their_seed():
    z0 = initial_particles(seeded([5, 6]), 4000, 3)
    assert z0.dtype == torch.float32
    torch.testing.assert_close(z0.mean((0, 1)), torch.zeros(3), rtol=0, atol=0.05)
    torch.testing.assert_close(z0.flatten(0, 1).T.cov(), torch.eye(3), rtol=0, atol=0.05)
    assert torch.equal(z0[1:], initial_particles(seeded([6]), 4000, 3))
    assert not torch.equal(z0[0], z0[1])


def test_noise_does_not_repeat_the_start():
    start, noise = (torch.randn(100, generator=of([7])[0]) for of in (seeded, shaking))
    assert not torch.isclose(start, noise).any()
    assert torch.equal(noise, torch.randn(100, generator=shaking([3, 7])[1]))


@given(*[st.integers(0, 10**6)] * 4)
def test_no_two_items_of_two_seeds_share_theirs(seed, other, number, another):
    same = seed_of(seed, number) == seed_of(other, another)
    assert same == ((seed, number) == (other, another))
