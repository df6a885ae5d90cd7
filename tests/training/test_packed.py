"""Training batches: standardised, masked, drawn from the right clouds."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.input.preprocess import standardise
from ddeq.training.datasets.packed import Augmentation, PackedClouds, augmented, standardised

SIZES = (5, 30, 12, 3)
STRONG = Augmentation(rotation=30.0, shear=0.5, jitter=0.3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clouds() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) * [5, 2] + 100 * k for k, n in enumerate(SIZES)]


@pytest.fixture(scope="module")
def packed(clouds) -> PackedClouds:
    return PackedClouds.of(clouds, np.array([7, 8, 9, 7], np.uint8))


def assert_standardised(x: torch.Tensor, mask: torch.Tensor) -> None:
    for points, valid in zip(x, mask, strict=True):
        torch.testing.assert_close(points[valid].mean(0), torch.zeros(2), rtol=0, atol=1e-4)
        deviation = points[valid].std(0, correction=0)
        torch.testing.assert_close(deviation, torch.ones(2), rtol=1e-3, atol=1e-3)
        assert not points[~valid].any()


@given(limit=st.integers(3, 40), seed=st.integers(0, 99), augment=st.booleans())
def test_batches_are_standardised_with_masks_augmented_or_not(packed, limit, seed, augment):
    index = torch.tensor([1, 3, 0, 2, 1])
    batch = packed.batch(index, limit, generator(seed), STRONG if augment else None)
    expected = [min(limit, SIZES[i]) for i in index]
    assert batch.mask.sum(1).tolist() == expected
    assert batch.x.shape == (5, min(limit, 30), 2)
    assert batch.labels.tolist() == [8, 7, 7, 9, 8] and batch.labels.dtype == torch.int64
    assert_standardised(batch.x, batch.mask)


def test_whole_clouds_come_back_as_sets(packed, clouds):
    batch = packed.batch(torch.tensor([2, 0, 3]), 100, generator())
    for x, mask, k in zip(batch.x, batch.mask, (2, 0, 3), strict=True):
        expected = standardise(clouds[k]).points
        found = x[mask].numpy()
        np.testing.assert_allclose(
            found[np.lexsort(found.T)], expected[np.lexsort(expected.T)], atol=1e-4
        )


def test_thinning_draws_every_point_equally_often_and_none_twice(clouds, monkeypatch):
    """8 of 30 points, 3000 times: each point 800 times, give or take 24 (one deviation)."""
    monkeypatch.setattr("ddeq.training.datasets.packed.standardised", lambda x, mask: x)
    numbered = np.stack([np.arange(30.0), np.zeros(30)], axis=1)
    packed = PackedClouds.of([clouds[0], numbered, clouds[2]], np.array([0, 1, 2]))
    batch = packed.batch(torch.ones(3000, dtype=torch.int64), 8, generator())
    drawn = batch.x[..., 0].long()  # (3000, 8)
    assert (drawn.sort(1).values.diff(dim=1) > 0).all()
    counts = drawn.flatten().bincount(minlength=30)
    assert counts.sum() == 24_000 and (counts - 800).abs().max() < 5 * 24


def test_the_same_generator_state_is_the_same_batch(packed):
    index = torch.tensor([0, 1, 2, 3])
    one, two, other = (packed.batch(index, 4, generator(s), STRONG) for s in (0, 0, 1))
    assert torch.equal(one.x, two.x) and not torch.equal(one.x, other.x)


def test_no_augmentation_is_the_identity():
    x = torch.randn(3, 6, 2, generator=generator())
    torch.testing.assert_close(augmented(x, Augmentation(), generator(1)), x)


def test_rotation_keeps_distances_and_turns_each_cloud_by_its_own_angle():
    x = torch.randn(2000, 2, 2, generator=generator())
    turned = augmented(x, Augmentation(rotation=20.0), generator(1))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    angle = torch.atan2(turned[..., 1], turned[..., 0]) - torch.atan2(x[..., 1], x[..., 0])
    angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
    torch.testing.assert_close(angle[:, 0], angle[:, 1], rtol=0, atol=1e-4)
    assert math.degrees(angle[:, 0].std()) == pytest.approx(20, rel=0.1)
    assert abs(math.degrees(angle[:, 0].mean())) < 2


def test_shear_moves_points_sideways_in_proportion_to_their_height():
    x = torch.randn(2000, 2, 2, generator=generator())
    sheared = augmented(x, Augmentation(shear=0.3), generator(1))
    torch.testing.assert_close(sheared[..., 1], x[..., 1])
    shear = (sheared - x)[..., 0] / x[..., 1]
    assert shear[:, 0].std().item() == pytest.approx(0.3, rel=0.1)
    torch.testing.assert_close(shear[:, 0], shear[:, 1], rtol=1e-2, atol=1e-2)


def test_jitter_moves_every_coordinate_by_its_own_draw():
    x = torch.randn(500, 4, 2, generator=generator())
    moved = augmented(x, Augmentation(jitter=0.2), generator(1)) - x
    assert moved.std().item() == pytest.approx(0.2, rel=0.1)
    assert abs(torch.corrcoef(moved[..., 0].T).triu(1)).max() < 0.2


@given(st.integers(2, 9), st.integers(0, 5), st.integers(0, 99))
def test_standardising_a_batch_is_standardising_its_clouds(n, padding, seed):
    x = 7 * torch.randn(1, n + padding, 2, generator=generator(seed)) + 3
    mask = (torch.arange(n + padding) < n)[None]
    expected = torch.from_numpy(standardise(x[0, :n].numpy()).points)
    torch.testing.assert_close(standardised(x, mask)[0, :n], expected, rtol=1e-3, atol=1e-3)


def test_a_cloud_on_a_line_stays_finite():
    x = torch.tensor([[[1.0, 2.0], [1, 3], [1, 7]]])
    found = standardised(x, torch.ones(1, 3, dtype=torch.bool))
    assert found.isfinite().all() and not found[..., 0].any()


def test_isotropic_scaling_keeps_proportions_and_other_scaling_does_not(clouds):
    x = torch.from_numpy(clouds[1])[None]
    mask = torch.ones(1, x.shape[1], dtype=torch.bool)
    kept = standardised(x, mask, isotropic=True)
    before, after = torch.cdist(x, x), torch.cdist(kept, kept)
    factor = after[0, 0, 1] / before[0, 0, 1]
    torch.testing.assert_close(after, factor * before, rtol=1e-3, atol=1e-3)
    assert kept.var(1, correction=0).mean().item() == pytest.approx(1)
    alone = torch.cdist(*2 * (standardised(x, mask),))
    assert not torch.allclose(alone, factor * before, rtol=0.1)
