"""Clouds are cut as they should be, and only known points set the units."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.model.completer import free_count
from ddeq.training.datasets.holes import Holes, Views, cut
from ddeq.training.datasets.packed import Batch, standardised
from ddeq.training.datasets.wear import Wear


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


def test_holes_are_filled_by_the_papers_rule():
    found = cut(clouds(0), Holes(), generator())
    assert torch.equal(found.kept.sum(1), found.known_mask.sum(1))
    assert torch.equal(Holes().free(found, 1.5), free_count(found.known_mask.sum(1), 1.5))


# Objects in space


def balls(size: int = 400) -> Batch:
    """Surfaces of four ellipsoids, of which the last has fewer points."""
    g = torch.Generator().manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(4, size, 3, generator=g), dim=2)
    mask = torch.arange(size) < torch.tensor([[size], [size], [size], [size // 2]])
    x = standardised(x * torch.tensor([1.0, 1.5, 2.0]), mask, isotropic=True)
    return Batch(x, mask, torch.zeros(4, dtype=torch.long))


ONLY = {"scan": (1, 0, 0), "sphere": (0, 1, 0), "plane": (0, 0, 1)}


def only(way: str, **shares: tuple[float, float]) -> Views:
    return Views(*ONLY[way], **shares)


def test_a_scan_sees_one_side_of_a_surface():
    batch = balls()
    kept = only("scan").known(batch.x, batch.mask, generator())
    assert not (kept & ~batch.mask).any()
    for x, stays, valid in zip(batch.x, kept, batch.mask, strict=True):
        assert 0.25 < stays.sum() / valid.sum() < 0.75
        seen, hidden = x[stays].mean(0), x[valid & ~stays].mean(0)
        direction = torch.nn.functional.normalize(seen - hidden, dim=0)
        assert (x[stays] @ direction).mean() > 0.3 > -0.3 > (x[valid & ~stays] @ direction).mean()


@given(st.integers(0, 99), st.floats(0.1, 0.5))
def test_spheres_and_planes_remove_the_share_that_is_asked_for(seed, share):
    batch, g = balls(), torch.Generator().manual_seed(seed)
    for way in ("sphere", "plane"):
        kept = only(way, **{f"{way}_share": (share, share)}).known(batch.x, batch.mask, g)
        removed = 1 - kept.sum(1) / batch.mask.sum(1)
        torch.testing.assert_close(removed, torch.full((4,), share), atol=0.01, rtol=0)


@given(st.integers(0, 99))
def test_what_a_sphere_removes_is_nearer_to_its_centre_than_the_rest(seed):
    batch, g = balls(), torch.Generator().manual_seed(seed)
    kept = only("sphere").known(batch.x, batch.mask, g)
    for x, stays, valid in zip(batch.x, kept, batch.mask, strict=True):
        away = torch.cdist(x[valid], x[valid])  # from every possible centre
        gone = ~stays[valid]
        assert (away[:, gone].amax(1) <= away[:, ~gone].amin(1)).any()


def test_a_plane_parts_what_it_removes_from_the_rest():
    batch = balls()
    kept = only("plane").known(batch.x, batch.mask, generator())
    for x, stays, valid in zip(batch.x, kept, batch.mask, strict=True):
        apart = x[stays].mean(0) - x[valid & ~stays].mean(0)
        # On an ellipsoid the normal is not quite along the line of the means: fit it.
        sides = torch.where(stays[valid], 1.0, -1.0)
        design = torch.cat([x[valid], torch.ones(int(valid.sum()), 1)], 1)
        normal = torch.linalg.lstsq(design, sides[:, None]).solution[:3, 0]
        assert torch.cosine_similarity(normal, apart, dim=0) > 0
        along = x @ normal
        assert (along[stays].min() > along[valid & ~stays].max() - 0.35 * along[valid].std()).all()


def test_ways_are_drawn_by_their_shares():
    batch = balls()
    views = Views(scan=0, sphere=1, plane=3, sphere_share=(0.1, 0.1), plane_share=(0.5, 0.5))
    g = generator()
    gone = torch.cat(
        [1 - views.known(batch.x, batch.mask, g).sum(1) / batch.mask.sum(1) for _ in range(50)]
    )
    assert 0.6 < (gone > 0.3).float().mean() < 0.9


def test_a_cut_object_keeps_its_proportions_and_is_to_get_what_it_lost():
    batch = balls()
    found = cut(batch, Views(), generator())
    assert torch.equal(Views().free(found, 99.0), batch.mask.sum(1) - found.known_mask.sum(1))
    for known, valid, full, whole in zip(
        found.known, found.known_mask, found.full, batch.x, strict=True
    ):
        variance = known[valid].var(0, correction=0).mean()
        torch.testing.assert_close(variance, torch.tensor(1.0), atol=1e-4, rtol=0)
        ratio = (full[1:9] - full[0]).norm(dim=1) / (whole[1:9] - whole[0]).norm(dim=1)
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


# Sensors


def worn(**wear: float) -> Views:
    return Views(1, 0, 0, wear=Wear(**wear))


@given(st.integers(0, 99), st.floats(0.1, 0.6))
def test_stripes_hide_bands_across_one_direction(seed, share):
    points = np.random.default_rng(seed).random((4000, 1))  # on a line, the direction is known
    wear = Wear(striped=1.0, stripe_share=(share, share))
    stays = wear.unstriped(points, np.random.default_rng(seed))[points[:, 0].argsort()]
    edges = (stays[1:] != stays[:-1]).sum()
    assert 1 <= edges <= 2 * 5 + 1  # whole bands, of two to five stripes
    assert abs(1 - stays.mean() - share) < 0.05
    assert Wear().unstriped(points, np.random.default_rng(seed)).all()


def test_noise_moves_known_points_alone_and_by_what_it_says():
    batch = balls(4000)
    kept = torch.rand(batch.mask.shape, generator=generator()) < 0.5
    kept &= batch.mask
    x, mask = Wear(noisy=1.0, noise=0.02).sensed(batch.x, batch.mask, kept, generator())
    moved = x - batch.x
    assert torch.equal(mask, batch.mask) and not moved[~kept].any()
    for one, known, valid, change in zip(batch.x, kept, batch.mask, moved, strict=True):
        side = (one[valid].amax(0) - one[valid].amin(0)).max()
        torch.testing.assert_close(change[known].std(), 0.02 * side, rtol=0.05, atol=0)


def test_thinned_points_are_neither_known_nor_missing():
    batch = balls()
    plain = cut(batch, worn(), generator())
    thin = cut(batch, worn(thinned=1.0, thin=0.25), generator())
    share = thin.known_mask.sum(1) / plain.known_mask.sum(1)
    torch.testing.assert_close(share, torch.full((4,), 0.25), atol=0.12, rtol=0)
    missing = [(one.full_mask & ~one.kept).sum(1) for one in (plain, thin)]
    assert torch.equal(*missing) and torch.equal(Views().free(thin, 9.0), missing[1])


def test_every_cloud_is_worn_or_not_by_its_share():
    batch = balls()
    batch = Batch(*(t.repeat_interleave(50, 0) for t in (batch.x, batch.mask, batch.labels)))
    kept, g = batch.mask, generator()
    x, mask = Wear(noisy=0.3, thinned=0.6).sensed(batch.x, batch.mask, kept, g)
    noisy, thin = (x != batch.x).flatten(1).any(1), (mask != batch.mask).any(1)
    assert 0.2 < noisy.float().mean() < 0.4 and 0.5 < thin.float().mean() < 0.7
