"""``F_theta`` is equivariant in the particles, invariant in the input, and blind to padding."""

import dataclasses
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.model.checkpoints import parameter_count
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.lift import CouplingLift
from ddeq.model.operator import Operator, OperatorConfig
from ddeq.model.readout import MaxReadout
from ddeq.model.step import Step
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import RunSettings

SMALL = OperatorConfig(latent_dim=16, hidden_dim=4, heads=4, cross_layers=2, dropout=0.5)
close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-9)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def make(config: OperatorConfig = SMALL) -> Operator:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Operator(config).double().eval().requires_grad_(False)


F = make()
examples = settings(max_examples=20)
sizes = st.integers(1, 6)
orders = st.permutations(range(6)).map(list)


@pytest.mark.parametrize(
    "model, expected",
    [
        (lambda: Classifier(ClassifierConfig(OperatorConfig(heads=32))), 773_114),
        (
            lambda: Classifier(ClassifierConfig(OperatorConfig(3, cross_layers=3), classes=40)),
            1_173_544,
        ),
        (lambda: Completer(CompleterConfig(OperatorConfig(2, cross_layers=3))), 1_185_008),
    ],
)
def test_parameter_counts_are_the_papers(model, expected):
    assert parameter_count(model()) == expected


@given(orders, orders, st.integers(0, 99))
@examples
def test_equivariant_in_particles_and_invariant_in_input(particle_order, input_order, seed):
    z, x = normal(2, 6, 16, seed=seed), normal(2, 6, 2, seed=seed + 100)
    image = F(z, F.encode(x))
    permuted = F(z[:, particle_order], F.encode(x[:, input_order]))
    close(permuted, image[:, particle_order])


@given(sizes, sizes, st.integers(0, 4), st.floats(-1e3, 1e3), st.integers(0, 99))
@examples
def test_the_amount_and_the_content_of_padding_do_not_matter(n, m, padding, content, seed):
    z, x = normal(1, n, 16, seed=seed), normal(1, m, 2, seed=seed + 100)
    expected = F(z, F.encode(x))

    def pad(t):
        wide = torch.nn.functional.pad(t, (0, 0, 0, padding), value=content)
        return wide, (torch.arange(wide.shape[1]) < t.shape[1])[None]

    (wide_z, z_mask), (wide_x, x_mask) = pad(z), pad(x)
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            image = F(wide_z, F.encode(wide_x, x_mask), z_mask)
        close(image[:, :n], expected)


def test_padding_may_lie_anywhere():
    z, x = normal(1, 4, 16), normal(1, 5, 2, seed=1)
    context = F.encode(x, torch.tensor([[False, True, True, False, True]]))
    image = F(z, context, torch.tensor([[True, False, True, True]]))
    close(image[:, [0, 2, 3]], F(z[:, [0, 2, 3]], F.encode(x[:, [1, 2, 4]])))


@given(st.lists(sizes, min_size=2, max_size=4), st.integers(0, 99))
@examples
def test_a_cloud_does_not_depend_on_its_batch(counts, seed):
    z, x = normal(len(counts), 6, 16, seed=seed), normal(len(counts), 6, 2, seed=seed + 100)
    mask = torch.arange(6) < torch.tensor(counts)[:, None]
    image = F(z, F.encode(x, mask), mask)
    for i, count in enumerate(counts):
        alone = F(z[i : i + 1, :count], F.encode(x[i : i + 1, :count]))
        close(image[i : i + 1, :count], alone)


@pytest.mark.parametrize("part", ["x", "z"])
def test_every_point_and_particle_is_felt_by_every_particle(part):
    """Otherwise the invariances above could hold for an operator that ignores its arguments."""
    z, x = normal(1, 4, 16), normal(1, 5, 2, seed=1)
    image = F(z, F.encode(x))
    moved = (x if part == "x" else z).clone()
    moved[0, 0] += 0.5 * normal(moved.shape[-1], seed=2)
    other = F(z, F.encode(moved)) if part == "x" else F(moved, F.encode(x))
    assert ((other - image).abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("masked", [False, True])
def test_the_fused_and_the_plain_attention_agree(masked):
    z, x = normal(2, 5, 16), normal(2, 6, 2, seed=1)
    x_mask = torch.arange(6) < torch.tensor([[6], [3]]) if masked else None
    z_mask = torch.arange(5) < torch.tensor([[2], [5]]) if masked else None
    context = F.encode(x, x_mask)
    with torch.no_grad():
        fused = F(z, context, z_mask)
    plain = F(z, context, z_mask)
    valid = torch.ones(2, 5, dtype=torch.bool) if z_mask is None else z_mask
    close(fused[valid], plain[valid])


@pytest.mark.parametrize("grad", [False, True])
def test_known_particles_are_felt_by_the_free_in_any_order_and_padded(grad):
    z, known, x = normal(2, 4, 16), normal(2, 3, 16, seed=2), normal(2, 5, 2, seed=1)
    context = F.encode(x)
    with torch.set_grad_enabled(grad):
        image = F(z, F.beside(known, context))
        assert not torch.isclose(image, F(z, context)).any()
        close(F(z, F.beside(known[:, [2, 0, 1]], context)), image)
        close(F(z[:, [3, 1, 0, 2]], F.beside(known, context)), image[:, [3, 1, 0, 2]])
        moved = F(z, F.beside(known + 0.5 * normal(2, 3, 16, seed=3), context))
        assert not torch.isclose(moved, image).any()
        wide = torch.cat([known, 9 * normal(2, 2, 16, seed=4)], 1)
        mask = (torch.arange(5) < 3).expand(2, 5)
        close(F(z, F.beside(wide, context, mask)), image)
        of_free = torch.arange(4) < torch.tensor([[4], [2]])
        alone = F(z[1:, :2], F.beside(known[1:], F.encode(x[1:])))
        close(F(z, F.beside(known, context), of_free)[1:, :2], alone)


def test_equivariance_holds_while_training_as_all_points_share_one_dropout_mask():
    operator = make().train()
    z, x, order = normal(2, 6, 16), normal(2, 5, 2, seed=1), [3, 1, 5, 0, 4, 2]
    torch.manual_seed(0)
    context = operator.encode(x)
    image = operator(z, context)
    close(operator(z[:, order], context), image[:, order])
    torch.manual_seed(0)
    close(operator(z, operator.encode(x[:, [2, 0, 4, 1, 3]])), image)
    assert not torch.allclose(operator(z, operator.encode(x)), image)  # another draw
    assert not torch.allclose(F(z, F.encode(x)), image)


def test_dropout_masks_are_drawn_per_cloud_and_keep_the_mean():
    operator = make(dataclasses.replace(SMALL, dropout=0.25)).train()
    torch.manual_seed(0)
    context = operator.encode(normal(40, 5, 2))
    assert len(context.dropout) == 1 + SMALL.cross_layers + 1
    for keep in context.dropout:
        assert keep.shape == (40, 1, 64)
        assert set(keep.unique().tolist()) == {0.0, 1 / 0.75}
        assert keep.mean().item() == pytest.approx(1, abs=0.05)
        assert not torch.equal(keep[0], keep[1])
    assert make().encode(normal(1, 5, 2)).dropout == ()


def test_encode_runs_once_a_solve(tiny, monkeypatch):
    calls = []
    encode, step = Operator.encode, Step.__call__
    monkeypatch.setattr(Operator, "encode", lambda *a: calls.append("encode") or encode(*a))
    monkeypatch.setattr(Step, "__call__", lambda *a: calls.append("step") or step(*a))
    tiny.model.operator.input_encoder.register_forward_hook(lambda *_: calls.append("encoder"))
    chosen = RunSettings.from_dict(
        {"solver": "euler", "kernel": "riesz", "steps": 7, "tolerance": 0}
    )
    frames = list(ClassifierRun(tiny, normal(20, 2).float().numpy(), chosen))
    assert len(frames) == 8
    assert calls == ["encode", "encoder", *["step"] * 8]


def test_the_readout_takes_the_maximum_over_valid_particles():
    readout = MaxReadout(2, 2)
    readout.linear.weight.data, readout.linear.bias.data = torch.eye(2), torch.tensor([0.0, 10])
    z = torch.tensor([[[1.0, -3], [0, -1], [5, 5]]])
    assert readout(z).tolist() == [[5, 15]]
    assert readout(z, torch.tensor([[True, True, False]])).tolist() == [[1, 9]]


@given(st.integers(1, 8), st.sampled_from([2, 3]), st.integers(0, 99))
@examples
def test_the_lift_is_inverted_and_keeps_data_coordinates_in_front(n, d, seed):
    torch.manual_seed(seed)
    lift = CouplingLift(d, 16).double()
    points = 3 * normal(2, n, d, seed=seed)
    z = lift(points)
    assert z.shape == (2, n, 16)
    assert torch.equal(z[..., :d], points)
    close(lift.inverse(z), points)


def test_the_lift_inverts_points_that_use_every_coordinate():
    torch.manual_seed(0)
    lift = CouplingLift(16, 16).double()
    points = normal(2, 5, 16)
    assert not torch.allclose(lift(points)[..., 8:], points[..., 8:])
    close(lift.inverse(lift(points)), points)
