"""Tokens with local geometry: neither the order of the points nor padding matters."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from ddeq.model.grouping import farthest_points, gathered, grouped
from ddeq.model.operator import Operator, OperatorConfig
from ddeq.model.tokens import TokenConfig, TokenEncoder, Tokens, largest

SMALL = TokenConfig(centres=(12, 5), neighbours=(4, 3), widths=(8, 6))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return TokenEncoder(3, SMALL).double()


def cloud(count, seed=0, batch=2):
    return torch.randn(batch, count, 3, generator=torch.Generator().manual_seed(seed)).double()


def test_as_many_tokens_as_asked_for(encoder):
    found = encoder(cloud(40))
    assert found.features.shape == (2, 5, 6)
    assert found.centres.shape == (2, 5, 3)
    assert found.mask is None


@given(st.integers(1, 60), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_points_changes_nothing(count, seed):
    torch.manual_seed(0)
    encoder = TokenEncoder(3, SMALL).double()
    x = cloud(count, seed)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    a, b = encoder(x), encoder(x[:, order])
    torch.testing.assert_close(a.features, b.features)
    torch.testing.assert_close(a.centres, b.centres)


@given(st.integers(1, 30), st.integers(0, 40), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_padding_changes_nothing(count, padding, seed):
    torch.manual_seed(0)
    operator = Operator(OperatorConfig(3, 8, 4, 2, tokens=SMALL)).double().eval()
    x, z = cloud(count, seed), cloud(3, seed + 1).repeat(1, 1, 3)[:, :, :8]
    padded = torch.cat([x, torch.full((2, padding, 3), 7.0).double()], 1)
    mask = torch.arange(count + padding) < count
    alone = operator(z, operator.encode(x))
    beside = operator(z, operator.encode(padded, mask.expand(2, -1)))
    torch.testing.assert_close(alone, beside)


def test_clouds_of_a_batch_do_not_meet(encoder):
    a, b = cloud(20, 0, 1), cloud(9, 1, 1)
    x = torch.zeros(2, 20, 3).double()
    x[0], x[1, :9] = a[0], b[0]
    mask = torch.arange(20) < torch.tensor([[20], [9]])
    together = encoder(x, mask)
    for k, alone in enumerate((encoder(a), encoder(b))):
        valid = together.mask[k]
        torch.testing.assert_close(together.features[k][valid], alone.features[0])


def test_farthest_points_by_their_definition():
    """Each one is the farthest from those chosen before, the first from the centre."""
    x = cloud(50)
    chosen = farthest_points(x, 8, None)
    for k in range(2):
        points = x[k].numpy()
        first = int(((points - points.mean(0)) ** 2).sum(1).argmax())
        expected = [first]
        while len(expected) < 8:
            expected.append(int(cdist(points, points[expected]).min(1).argmax()))
        assert chosen[k].tolist() == expected


def test_a_token_sees_no_farther_than_its_neighbours(encoder):
    """Far points do not change a token whose neighbours they are not."""
    x = cloud(40, batch=1)
    before = encoder(x)
    far = x.clone()
    # Beyond all others, so the first centre; the nearest of any other centre stay the same.
    far[0, int((x - x.mean(1)).norm(dim=2).argmax())] *= 1.01
    after = encoder(far)
    same = (before.features[0, 1:, None] - after.features[0, None, 1:]).abs().amax(2) < 1e-12
    assert same.any(1).sum() >= 1


@pytest.mark.parametrize(
    "sizes",
    [
        {"centres": (0, 1)},
        {"neighbours": (4,)},
        {"widths": (8, 2.5)},
        {"centres": (9e9, 1)},
        {"centres": (), "neighbours": (), "widths": ()},
        {"centres": (4, 8)},
        {"centres": (9,) * 9, "neighbours": (9,) * 9, "widths": (9,) * 9},
    ],
)
def test_sizes_are_checked(sizes):
    with pytest.raises(ValueError, match=r"of tokens (are whole numbers|has centres|do not grow)"):
        TokenConfig(**sizes)


def test_a_card_holds_the_sizes():
    config = OperatorConfig(3, 8, 4, 2, tokens=SMALL)
    plain = {"centres": [12, 5], "neighbours": [4, 3], "widths": [8, 6]}
    assert OperatorConfig(3, 8, 4, 2, tokens=plain) == config


def test_gradients_reach_every_weight(encoder):
    encoder(cloud(40)).features.square().mul(torch.arange(6.0)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


def test_an_edge_is_the_largest_over_the_neighbours(encoder):
    """The level by its definition: every pair laid out, in the place of what is done."""
    level, x = encoder.levels[0], cloud(30)
    groups = grouped(x, None, level.centres, level.neighbours)
    centres = gathered(x, groups.centres)
    offsets = gathered(x, groups.near) - centres[:, :, None]  # (B, C, k, 3)
    edges = level.edge_norm(level.of_neighbour(offsets).amax(2))
    t = (edges + level.of_centre(centres)).relu()
    expected = level.norm(t + level.fall(level.rise(t).relu()))
    empty = x.new_empty(2, 30, 0)
    found = level(Tokens(x, empty, None), ordered=False)
    torch.testing.assert_close(found.features, expected)


def test_the_largest_has_the_gradient_of_the_maximum():
    t, index = cloud(7).requires_grad_(), torch.tensor([[[0, 3], [6, 6]], [[1, 2], [5, 0]]])
    weights = cloud(2, 1)
    (a,) = torch.autograd.grad((largest(t, index) * weights).sum(), t)
    (b,) = torch.autograd.grad((gathered(t, index).amax(2) * weights).sum(), t)
    torch.testing.assert_close(a, b)


def test_groups_are_the_nearest_points_of_valid_centres():
    x = cloud(30)
    mask = torch.arange(30) < torch.tensor([[30], [4]])
    found = grouped(x, mask, 6, 5)
    assert found.mask.tolist() == [[True] * 6, [True] * 4 + [False] * 2]
    for k, count in enumerate((30, 4)):
        among = torch.cdist(x[k, :count], x[k, :count])
        for c in range(min(6, count)):
            row = among[found.centres[k, c]]
            expected = row.sort().values[:5]
            lengths = found.distances[k, c]
            torch.testing.assert_close(lengths[: len(expected)], expected)
            torch.testing.assert_close(lengths, row[found.near[k, c]])
            assert found.near[k, c, 0] == found.centres[k, c]
            assert (lengths[len(expected) :] == 0).all()  # the centre itself
