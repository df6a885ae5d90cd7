"""A step without a graph says what autograd says of the operator, and what differences say."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.model import vjp
from ddeq.model.encoded import Applied
from ddeq.model.operator import Context, Operator, OperatorConfig
from ddeq.model.step import Step
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


@dataclasses.dataclass(frozen=True)
class Case:
    """Clouds that are encoded, some particles, and a gradient in their images."""

    operator: Operator
    context: Context
    mask: torch.Tensor | None
    z: torch.Tensor
    g: torch.Tensor

    def by_autograd(self) -> tuple[torch.Tensor, torch.Tensor]:
        z = self.z.clone().requires_grad_()
        image = self.operator(z, self.context, self.mask)
        return image.detach(), torch.autograd.grad(image, z, self.g)[0]


def masked(draw: st.DrawFn, clouds: int, count: int) -> torch.Tensor | None:
    """Padding anywhere, but not everywhere; or none at all."""
    if not draw(st.booleans()):
        return None
    cloud = st.lists(st.booleans(), min_size=count, max_size=count).filter(any)
    return torch.tensor(draw(st.lists(cloud, min_size=clouds, max_size=clouds)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    clouds, points, count, seed = (draw(st.integers(1, most)) for most in (3, 20, 20, 1000))
    heads = draw(st.sampled_from([1, 2, 4]))
    config = OperatorConfig(
        input_dim=draw(st.sampled_from([2, 3])),
        latent_dim=heads * draw(st.integers(2, 4)),
        hidden_dim=draw(st.integers(2, 5)),
        heads=heads,
        cross_layers=draw(st.integers(1, 3)),
        dropout=draw(st.sampled_from([0.0, 0.4])),
        particle_dim=draw(st.sampled_from([None, 2, 3])),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        operator = Operator(config).double().train()  # so that dropout is drawn
        context = operator.encode(
            normal(clouds, points, config.input_dim, seed=seed), masked(draw, clouds, points)
        )
    known = draw(st.integers(0, 18))
    if known:
        lifted = normal(clouds, known, config.particle_width, seed=seed + 1)
        context = operator.beside(lifted, context, masked(draw, clouds, known))
    mask = masked(draw, clouds, count)
    z, g = (normal(clouds, count, config.particle_width, seed=seed + i) for i in (2, 3))
    return Case(operator, context, mask, z, g if mask is None else g * mask[..., None])


@pytest.mark.parametrize("kept", [0, vjp._KEPT_UP_TO])
def test_image_and_product_are_those_of_autograd(kept):
    """However clouds are padded, whatever is known, with attention weights kept or not."""

    @given(cases())
    @settings(max_examples=40, deadline=None)
    def holds(case: Case) -> None:
        image, product = case.by_autograd()
        given_g = case.g.clone()
        found, pull = Step(case.operator, case.context, case.mask)(case.z)
        valid = slice(None) if case.mask is None else case.mask
        torch.testing.assert_close(found[valid], image[valid], rtol=1e-9, atol=1e-9)
        for _ in range(2):  # it may be called again
            torch.testing.assert_close(pull(case.g), product, rtol=1e-7, atol=1e-9)
        assert torch.equal(case.g, given_g)
        assert not found.requires_grad

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vjp, "_KEPT_UP_TO", kept)
        holds()


@pytest.mark.parametrize("particle_dim", [None, 3])
def test_the_product_is_what_central_differences_say(particle_dim):
    config = OperatorConfig(
        latent_dim=16, hidden_dim=4, heads=4, cross_layers=2, particle_dim=particle_dim
    )
    torch.manual_seed(0)
    operator = Operator(config).double().eval()
    step = Step(operator, operator.encode(normal(2, 9, 2)))
    z, u, g = (normal(2, 5, config.particle_width, seed=seed) for seed in (1, 2, 3))
    _, pull = step(z)
    h = 1e-6
    rate = (step(z + h * u)[0] - step(z - h * u)[0]) / (2 * h)
    torch.testing.assert_close((pull(g) * u).sum(), (rate * g).sum(), rtol=1e-6, atol=1e-8)


def test_a_solve_records_no_graph_and_says_the_same_as_one_that_does(tiny, monkeypatch):
    x = normal(2, 20, 2).float()
    chosen = RunSettings.from_dict(
        {"solver": "euler", "kernel": "riesz", "steps": 3, "tolerance": 0}
    )
    encoded, z0 = tiny.model.encode(x), tiny.model.start([0, 1])
    assert isinstance(encoded.operator, Applied)

    def by_autograd(z: torch.Tensor) -> torch.Tensor:
        return encoded.operator.to(z, encoded.operator.context)

    expected = flow_of(dataclasses.replace(encoded, operator=by_autograd), z0, chosen).run()

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a graph was asked for")

    monkeypatch.setattr(torch.autograd, "grad", refused)
    found = flow_of(encoded, z0, chosen).run()
    torch.testing.assert_close(found.particles, expected.particles, rtol=1e-4, atol=1e-4)


def test_an_image_is_the_same_with_and_without_its_product(tiny):
    operator = tiny.model.encode(normal(1, 20, 2).float()).operator
    z = tiny.model.start([0])
    with torch.no_grad():
        assert torch.equal(operator(z), operator.vjp(z)[0])
