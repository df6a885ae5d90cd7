"""How particles lie: their gaps, and how many of them are different."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from ddeq.metrics.particles import DISTINCT, distinct_particles, nearest_other, spread


def particles(count, dim, seed, scale=1.0):
    return scale * torch.randn(2, count, dim, generator=torch.Generator().manual_seed(seed))


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 10_000))
def test_the_nearest_other_by_its_definition(count, dim, seed):
    z = particles(count, dim, seed)
    for cloud, found in zip(z.numpy(), nearest_other(z).numpy(), strict=True):
        far = cdist(cloud, cloud) + np.diag(np.full(count, np.inf))
        np.testing.assert_allclose(found, far.min(1), rtol=1e-4, atol=1e-5)


def test_particles_that_meet_have_no_gap_and_a_finite_gradient():
    z = torch.zeros(1, 3, 4, requires_grad=True)
    gap = nearest_other(z)
    gap.sum().backward()
    assert gap.tolist() == [[0, 0, 0]]
    assert z.grad.abs().max() == 0


def test_a_particle_alone_has_no_other():
    assert nearest_other(torch.zeros(1, 1, 4)).isinf().all()


def test_two_heaps_are_two_particles_however_wide_they_are():
    heaps = torch.tensor([[5.0, 0, 0, 0], [-5.0, 0, 0, 0]]).repeat(5, 1)[None]
    assert spread(heaps).item() == 5
    assert distinct_particles(heaps).tolist() == [2]


@given(st.integers(1, 15), st.integers(1, 5), st.integers(0, 10_000), st.floats(0.02, 2))
def test_distinct_particles_are_the_clusters_of_single_linkage(count, dim, seed, scale):
    z = particles(count, dim, seed, scale)
    for cloud, found in zip(z.double().numpy(), distinct_particles(z.double()), strict=True):
        threshold = DISTINCT * dim**0.5
        expected = 1
        if count > 1:
            expected = fcluster(linkage(cloud, "single"), threshold, "distance").max()
        assert found == expected


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 10_000))
def test_padding_is_not_a_particle(count, padding, seed):
    z = particles(count, 3, seed)
    padded = torch.cat([z, torch.zeros(2, padding, 3)], 1)
    mask = (torch.arange(count + padding) < count).expand(2, -1)
    assert distinct_particles(padded, mask).tolist() == distinct_particles(z).tolist()
