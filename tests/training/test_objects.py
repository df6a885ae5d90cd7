"""Batches of objects: fresh points of the surface, standardised, augmented, cached."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.errors import UserError
from ddeq.training.datasets.furniture import CLASSES
from ddeq.training.datasets.objects import (
    UNLABELLED,
    ObjectAugmentation,
    ObjectClouds,
    augmented,
    load_furniture,
    read,
    sample_furniture,
    save,
    turned,
)
from tests.sentences import assert_one_sentence
from tests.training.test_furniture import BOX, SPIKE, entry, write_package

STRONG = ObjectAugmentation(yaw=180, scale=0.2, jitter=0.02, partial=0.5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def clouds() -> ObjectClouds:
    """Three ellipsoids of 500 points each."""
    x = torch.randn(3, 500, 3, generator=generator())
    x = x / x.norm(dim=2, keepdim=True) * torch.tensor([1.0, 2, 3]) + 10
    return ObjectClouds(
        x,
        torch.ones(3, dtype=torch.float64),
        torch.tensor([1, UNLABELLED, 0]),
        ("a", "b", "c"),
        torch.tensor([0, 0, 1]),
        ("train", "unlabelled", "test"),
        ("ball", "egg"),
    )


@settings(max_examples=30)
@given(limit=st.integers(3, 700), seed=st.integers(0, 99), augment=st.booleans())
def test_batches_are_standardised_and_padding_is_zero(clouds, limit, seed, augment):
    index = torch.tensor([2, 0, 0, 1])
    batch = clouds.batch(index, limit, generator(seed), STRONG if augment else None)
    assert batch.x.shape == (4, min(limit, 500), 3) and batch.x.dtype == torch.float32
    assert batch.labels.tolist() == [0, 1, 1, UNLABELLED]
    assert batch.mask.any(dim=1).all() and (augment or batch.mask.all())
    for x, mask in zip(batch.x, batch.mask, strict=True):
        assert not x[~mask].any()
        torch.testing.assert_close(x[mask].mean(0), torch.zeros(3), rtol=0, atol=1e-4)
        if mask.sum() > 3:
            variance = x[mask].var(0, correction=0)  # one on average: proportions are kept
            torch.testing.assert_close(variance.mean(), torch.tensor(1.0), rtol=1e-3, atol=1e-3)


def test_every_batch_draws_other_points_and_none_twice(clouds):
    numbered = torch.arange(1500.0).view(3, 500, 1) * torch.tensor([1.0, 1, 1])
    source = replace(clouds, reservoir=numbered)
    state = generator()
    one, two = (source.batch(torch.tensor([1]), 100, state).x for _ in range(2))
    assert not torch.equal(one.sort(dim=1).values, two.sort(dim=1).values)
    assert (one[0, :, 0].sort().values.diff() > 0).all()
    again = source.batch(torch.tensor([1]), 100, generator()).x
    assert torch.equal(one, again)


def test_every_point_of_the_reservoir_is_drawn_equally_often(clouds, monkeypatch):
    """50 of 500 points, 4000 times: each 400 times, give or take 19 (one deviation)."""
    monkeypatch.setattr("ddeq.training.datasets.objects.standardised", lambda x, *_, **__: x)
    numbered = torch.arange(500.0).view(1, 500, 1).expand(3, 500, 3)
    source = replace(clouds, reservoir=numbered)
    drawn = source.batch(torch.zeros(4000, dtype=torch.int64), 50, generator()).x[..., 0].long()
    assert (drawn.flatten().bincount(minlength=500) - 400).abs().max() < 5 * 19


def test_no_augmentation_is_the_identity():
    x = torch.randn(3, 6, 3, generator=generator())
    torch.testing.assert_close(augmented(x, ObjectAugmentation(), generator(1)), x)


def test_yaw_turns_about_the_vertical_by_at_most_its_angle():
    x = torch.randn(2000, 2, 3, generator=generator())
    round_z = augmented(x, ObjectAugmentation(yaw=60), generator(1))
    torch.testing.assert_close(round_z[..., 2], x[..., 2])
    torch.testing.assert_close(round_z.norm(dim=2), x.norm(dim=2))
    angle = torch.atan2(round_z[..., 1], round_z[..., 0]) - torch.atan2(x[..., 1], x[..., 0])
    angle = torch.rad2deg(torch.remainder(angle + math.pi, 2 * math.pi) - math.pi)
    torch.testing.assert_close(angle[:, 0], angle[:, 1], rtol=0, atol=0.05)
    assert angle.abs().max() < 60.1
    assert angle[:, 0].std().item() == pytest.approx(60 / math.sqrt(3), rel=0.05)


def test_scale_stretches_each_axis_by_its_own_factor():
    x = torch.randn(2000, 2, 3, generator=generator())
    factor = (augmented(x, ObjectAugmentation(scale=0.3), generator(1)) / x).log()
    torch.testing.assert_close(factor[:, 0], factor[:, 1], rtol=1e-3, atol=1e-4)
    assert factor[:, 0].std().item() == pytest.approx(0.3, rel=0.05)
    assert abs(torch.corrcoef(factor[:, 0].T).triu(1)).max() < 0.1


@given(st.floats(0.1, 100))
def test_jitter_is_relative_to_the_objects_size(size):
    x = size * torch.randn(20, 500, 3, generator=generator())
    moved = augmented(x, ObjectAugmentation(jitter=0.1), generator(1)) - x
    assert moved.std().item() == pytest.approx(0.1 * size, rel=0.05)


def test_a_lean_is_a_rotation_by_a_small_angle_from_the_vertical():
    turns = turned(2000, ObjectAugmentation(yaw=180, tilt=7), generator())
    eye = torch.eye(3).expand(2000, 3, 3)
    torch.testing.assert_close(turns @ turns.transpose(1, 2), eye, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(2000))
    up = turns[:, :, 2]  # where z goes
    angles = torch.rad2deg(torch.arccos(up[:, 2].clamp(-1, 1)))
    assert float(angles.square().mean().sqrt()) == pytest.approx(7, rel=0.1)
    assert float(up[:, :2].mean(0).norm()) < 0.02  # in any direction
    upright = turned(10, ObjectAugmentation(yaw=180), generator())
    torch.testing.assert_close(upright[:, :, 2], torch.tensor([[0.0, 0, 1]]).expand(10, 3))


def test_a_share_of_the_points_lies_anywhere_near():
    x = torch.rand(400, 300, 3, generator=generator()) * torch.tensor([1.0, 2, 3])
    moved = augmented(x, ObjectAugmentation(outliers=0.2), generator(1))
    out = (moved != x).any(2)
    shares = out.float().mean(1)
    assert float(shares.mean()) == pytest.approx(0.1, abs=0.02) and float(shares.max()) < 0.32
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)
    margin = (high - low) / 4 + 1e-5
    assert ((moved >= low - margin) & (moved <= high + margin)).all()
    assert ((moved < low) | (moved > high)).any()


def test_a_partial_view_keeps_the_near_side_only(clouds, monkeypatch):
    monkeypatch.setattr("ddeq.training.datasets.objects.standardised", lambda x, *_, **__: x)
    batch = clouds.batch(torch.tensor([0] * 20), 200, generator(), ObjectAugmentation(partial=1))
    assert (batch.mask.sum(1) > 100).all()
    for x, mask in zip(batch.x, batch.mask, strict=True):
        sphere = (x[mask] - 10) / torch.tensor([1.0, 2, 3])  # the ellipsoid as the unit sphere
        # The mean of a whole sphere is its centre; that of a hemisphere is half a radius away.
        assert sphere.mean(0).norm() > 0.3


def test_partial_views_come_as_often_as_they_should(clouds):
    how = ObjectAugmentation(partial=0.3)
    batch = clouds.batch(torch.zeros(300, dtype=torch.int64), 450, generator(), how)
    whole = batch.mask.sum(1) == 450
    assert (~whole).float().mean().item() == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 300))


def test_parts_are_picked_with_all_that_belongs_to_them(clouds):
    some = clouds.part("test", "train")
    assert len(some) == 2 and some.ids == ("a", "c") and some.parts == ("train", "test")
    assert some.labels.tolist() == [1, 0] and some.groups.tolist() == [0, 1]
    assert torch.equal(some.reservoir, clouds.reservoir[[0, 2]])
    assert clouds.counts() == {
        "ball": {"train": 0, "validation": 0, "test": 1},
        "egg": {"train": 1, "validation": 0, "test": 0},
    }


def test_a_package_becomes_a_cache_and_the_cache_is_read_instead(tmp_path):
    bed = entry(1, "/box.obj", (50, 200, 30)).replace("Test#1", "Blend Swap CC-0#bed3")
    write_package(tmp_path, bed + entry(2, "s.obj", name="Spike"), {"box.obj": BOX, "s.obj": SPIKE})
    cache = tmp_path / "new" / "objects.npz"
    first = load_furniture(tmp_path, cache)
    assert first.ids == ("Blend Swap CC-0#bed3", "Test#2")
    assert first.parts == ("test", "unlabelled") and first.classes == CLASSES
    assert first.labels.tolist() == [CLASSES.index("bed"), UNLABELLED]
    assert first.areas[0].item() == pytest.approx(2 * (0.5 * 2 + 2 * 0.3 + 0.5 * 0.3))
    low, high = first.reservoir[0].amin(0), first.reservoir[0].amax(0)
    torch.testing.assert_close(low, torch.tensor([-0.25, -1, 0]), atol=1e-2, rtol=0)
    torch.testing.assert_close(high, torch.tensor([0.25, 1, 0.3]), atol=1e-2, rtol=0)
    again = sample_furniture(tmp_path)
    assert torch.equal(first.reservoir, again.reservoir)
    second = load_furniture("no such folder", cache)
    assert torch.equal(second.reservoir, first.reservoir) and second.parts == first.parts
    assert list(cache.parent.iterdir()) == [cache]


def test_the_reservoir_is_uniform_by_area(tmp_path):
    write_package(tmp_path, entry(1, "/box.obj", (50, 200, 30)), {"box.obj": BOX})
    x = sample_furniture(tmp_path).reservoir[0]
    area = 2 * (0.5 * 2 + 2 * 0.3 + 0.5 * 0.3)
    top_and_bottom = ((x[:, 2] < 1e-6) | (x[:, 2] > 0.3 - 1e-6)).float().mean().item()
    assert top_and_bottom == pytest.approx(2 * 0.5 * 2 / area, abs=5 * 0.5 / math.sqrt(len(x)))


def test_a_cache_of_another_kind_is_refused(tmp_path, clouds):
    path = tmp_path / "objects.npz"
    for content in ({"x": np.ones(3)}, {"version": 0}):
        np.savez(path, **content)
        with pytest.raises(UserError) as error:
            read(path)
        assert_one_sentence(error)
    save(clouds, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError) as error:
        read(path)
    assert_one_sentence(error)
