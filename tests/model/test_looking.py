"""What particles look at: rows sum to one, and mixing by them is what ``F`` does."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.model.looking import looking
from ddeq.model.operator import Operator, OperatorConfig
from ddeq.model.tokens import TokenConfig, TokenEncoder

TOKENS = TokenConfig(centres=(12, 5), neighbours=(4, 3), widths=(8, 6))
CONFIGS = {
    "points": OperatorConfig(3, 16, 4, 4, cross_layers=2),
    "one layer": OperatorConfig(3, 16, 4, 4, cross_layers=1),
    "tokens": OperatorConfig(3, 16, 4, 4, cross_layers=1, tokens=TOKENS),
}
close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-9)


def make(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Operator(CONFIGS[name]).double().eval().requires_grad_(False)


def normal(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def attention(operator, x, z, mask=None):
    return looking(operator, operator.encode(x, mask), x, mask).at(z)


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_sum_to_one_and_nothing_is_negative(name):
    paid = attention(make(name), normal(2, 30, 3), normal(2, 5, 16, seed=1))
    assert paid.shape == (2, 4 * CONFIGS[name].cross_layers, 5, 30)
    close(paid.sum(-1), torch.ones(paid.shape[:-1], dtype=torch.float64))
    assert (paid >= 0).all()


@pytest.mark.parametrize("name", CONFIGS)
@given(count=st.integers(1, 30), padding=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_masked_points_get_none_and_the_others_as_much_as_without_them(name, count, padding, seed):
    operator, x, z = make(name), normal(1, count, 3, seed=seed), normal(1, 4, 16, seed=seed + 1)
    padded = torch.cat([x, 7 * normal(1, padding, 3, seed=seed + 2)], 1)
    mask = (torch.arange(count + padding) < count)[None]
    paid = attention(operator, padded, z, mask)
    assert (paid[..., count:] == 0).all()
    close(paid[..., :count], attention(operator, x, z))


@pytest.mark.parametrize("name", CONFIGS)
@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_points_in_another_order_are_looked_at_in_that_order(name, seed):
    operator, x, z = make(name), normal(1, 30, 3, seed=seed), normal(1, 4, 16, seed=seed + 1)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(seed))
    close(attention(operator, x[:, order], z), attention(operator, x, z)[..., order])


def test_values_mixed_by_it_are_what_the_operator_makes_of_the_input():
    operator, x, z = make("one layer"), normal(2, 9, 3), normal(2, 5, 16, seed=1)
    context = operator.encode(x)
    paid = looking(operator, context, x).at(z)
    met = operator._meet(z, context)
    own = operator.self_encoder.attention.project(met)
    t = operator.self_encoder(met, *own, None, None, fused=False)
    [layer], [values] = operator.cross_encoder, context.values
    mixed = (paid @ values).transpose(1, 2).flatten(2)  # heads side by side
    t = layer.feed_forward(layer.norm(t + layer.attention.out(mixed)))
    close(operator.feed_forward(t), operator(z, context))


def test_a_point_that_nobody_looks_at_may_have_any_value():
    """By the last of several layers: gradients with respect to its values are its attention."""
    operator, x, z = make("points"), normal(1, 9, 3), normal(1, 5, 16, seed=1)
    context = operator.encode(x)
    paid = looking(operator, context, x).at(z)[:, 4:]  # (1, heads, 5, 9), of the second layer
    values = context.values[1].clone().requires_grad_()
    bound = []
    layer = operator.cross_encoder[1].attention
    layer.out.register_forward_pre_hook(lambda _, inputs: bound.append(inputs[0]))
    operator(z, type(context)(context.bilinear, context.keys, (context.values[0], values), None))
    [mixed] = bound  # (1, 5, d), heads side by side
    for n in range(5):
        [slope] = torch.autograd.grad(mixed[0, n].sum(), values, retain_graph=True)
        close(slope, paid[0, :, n, :, None].expand_as(slope[0])[None])


def test_many_steps_of_one_cloud_are_looked_at_at_once():
    operator, x, z = make("points"), normal(1, 9, 3), normal(6, 5, 16, seed=1)
    together = attention(operator, x, z)
    for k in range(6):
        close(together[k : k + 1], attention(operator, x, z[k : k + 1]))


def test_a_token_is_shared_by_the_points_that_it_was_made_of():
    """A point without a share changes nothing of a token; rows are made of twelfths."""
    torch.manual_seed(0)
    encoder = TokenEncoder(3, TOKENS).double()
    x = normal(1, 40, 3)
    shares = encoder.shares(x)  # (1, 5, 40)
    close(shares.sum(2), torch.ones(1, 5, dtype=torch.float64))
    close(shares * 12, (shares * 12).round())  # three neighbours of four neighbours each
    features = encoder(x.requires_grad_()).features[0]  # (5, w)
    for token, share in zip(features, shares[0], strict=True):
        [slope] = torch.autograd.grad(token.pow(3).sum(), x, retain_graph=True)
        assert not slope[0, share == 0].any()
        assert slope[0, share > 0].any()
