"""The velocity is the Wasserstein gradient of ``G``, whole and in its three parts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.solve.kernels import Gaussian, Riesz, mmd2, uniform_mass
from ddeq.solve.objective import Objective, velocity_terms

FAMILY = [Riesz(), Riesz(1.5), Riesz(1.0, 0.3), Gaussian(1.5)]
D = 3


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


class Mixing:
    """``F(z)_n = tanh(z_n W + mean(z) V)``: every particle's image depends on every particle."""

    def __init__(self, mask=None, fixed=None):
        self.W, self.V = normal(D, D, seed=11), normal(D, D, seed=12)
        self.mask, self.fixed, self.calls = mask, fixed, 0

    def __call__(self, z):
        self.calls += 1
        valid = torch.ones_like(z[..., :1]) if self.mask is None else self.mask[..., None]
        mean = (z * valid).sum(1, keepdim=True) / valid.sum(1, keepdim=True)
        image = torch.tanh(z @ self.W + mean @ self.V)
        return image if self.fixed is None else torch.where(self.fixed[..., None], z, image)


def by_autograd(operator, z, kernel, mask=None):
    """``-N dG/dz`` straight from the definition of ``G``."""
    z = z.clone().requires_grad_()
    objective = 0.5 * mmd2(z, operator(z), kernel, mask, mask)
    (gradient,) = torch.autograd.grad(objective.sum(), z)
    count = z.shape[1] if mask is None else mask.sum(1)[:, None, None]
    return objective.detach(), -count * gradient


@given(st.sampled_from(FAMILY), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=40)
def test_velocity_is_minus_n_times_the_derivative_of_g(kernel, n, seed):
    z, operator = normal(2, n, D, seed=seed), Mixing()
    expected_objective, expected = by_autograd(operator, z, kernel)
    here = Objective(operator, kernel)(z)
    torch.testing.assert_close(here.objective, expected_objective)
    torch.testing.assert_close(here.velocity, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(here.image, operator(z))


@pytest.mark.parametrize("kernel", FAMILY)
def test_a_step_along_the_velocity_lowers_g_as_fast_as_its_norm_says(kernel):
    """``dG/dt = -mean |v|^2`` along ``dz/dt = v``, by finite differences."""
    z, h = normal(1, 5, D), 1e-5
    objective = Objective(Mixing(), kernel)
    v = objective(z).velocity
    rate = (objective(z + h * v).objective - objective(z - h * v).objective) / (2 * h)
    torch.testing.assert_close(rate, -v.square().sum((1, 2)) / 5, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("kernel", FAMILY)
def test_padded_particles_count_for_nothing(kernel):
    z = normal(1, 4, D)
    wide = torch.cat([z, 50 * normal(1, 3, D, seed=1)], dim=1)
    mask = (torch.arange(7) < 4)[None]
    expected_objective, expected = by_autograd(Mixing(mask), wide, kernel, mask)
    plain = Objective(Mixing(), kernel)(z)
    here = Objective(Mixing(mask), kernel, mask)(wide)
    torch.testing.assert_close(here.velocity, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(here.objective, expected_objective)
    torch.testing.assert_close(here.objective, plain.objective)
    torch.testing.assert_close(here.velocity[:, :4], plain.velocity, rtol=1e-9, atol=1e-12)
    assert not here.velocity[:, 4:].any()


@pytest.mark.parametrize("kernel", FAMILY)
def test_clouds_of_one_batch_each_have_their_own_number_of_particles(kernel):
    z = normal(2, 5, D)
    mask = torch.arange(5) >= torch.tensor([[0], [2]])
    here = Objective(Mixing(mask), kernel, mask)(z)
    alone = Objective(Mixing(), kernel)(z[1:, 2:])
    torch.testing.assert_close(here.velocity[1:, 2:], alone.velocity, rtol=1e-9, atol=1e-12)
    assert not here.velocity[1, :2].any()


@pytest.mark.parametrize("kernel", FAMILY)
def test_known_points_count_by_their_mass_alone(kernel):
    """Two of five particles are their own images: the other three flow as if all five did."""
    z = normal(1, 5, D)
    whole = Mixing(fixed=torch.tensor([[True, True, False, False, False]]))
    objective, expected = by_autograd(whole, z, kernel)

    def of_free(free):
        return whole(torch.cat([z[:, :2], free], 1))[:, 2:]

    share = torch.tensor([3 / 5], dtype=torch.float64)
    here = Objective(of_free, kernel, share=share)(z[:, 2:])
    torch.testing.assert_close(here.objective, objective)
    torch.testing.assert_close(here.velocity, expected[:, 2:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kernel", FAMILY)
def test_the_three_parts_are_the_three_partial_derivatives(kernel):
    """``G`` as a function of three arguments, each moved alone along one direction ``u``."""
    z, u, h, n = normal(1, 5, D), normal(1, 5, D, seed=3), 1e-5, 5
    operator = Mixing()

    def k_mean(a, b):
        return kernel.value((a[:, :, None] - b[:, None]).square().sum(-1)).mean((1, 2))

    def rate(g):
        return (g(z + h * u) - g(z - h * u)) / (2 * h)

    image = operator(z)
    here = Objective(operator, kernel)(z)
    terms = velocity_terms(here, kernel, uniform_mass(z))
    total = terms.attraction + terms.repulsion + terms.through_operator
    torch.testing.assert_close(total, here.velocity)
    for part, g in [
        (terms.attraction, lambda moved: -k_mean(moved, image)),
        (terms.repulsion, lambda moved: 0.5 * k_mean(moved, moved)),
        (terms.through_operator, lambda moved: 0.5 * mmd2(z, operator(moved), kernel)),
    ]:
        expected = -n * rate(g)
        torch.testing.assert_close((part * u).sum((1, 2)), expected, rtol=1e-5, atol=1e-8)


def test_attraction_to_one_particle_is_a_unit_vector_under_the_energy_distance():
    z, target = torch.zeros(1, 1, 2).double(), torch.tensor([[[3.0, 4.0]]]).double()
    objective = Objective(lambda z: target + 0 * z, Riesz())
    terms = velocity_terms(objective(z), Riesz(), objective.mass(z))
    torch.testing.assert_close(terms.attraction, torch.tensor([[[0.6, 0.8]]]).double())
    assert not terms.repulsion.any() and not terms.through_operator.any()


def test_two_particles_repel_each_other_and_padding_feels_nothing():
    z = torch.tensor([[[0.0, 0], [2, 0], [9, 9]]]).double()
    mask = torch.tensor([[True, True, False]])
    objective = Objective(lambda z: z * 1.0, Riesz(), mask)
    terms = velocity_terms(objective(z), Riesz(), objective.mass(z))
    expected = torch.tensor([[[-0.5, 0], [0.5, 0], [0, 0]]]).double()
    torch.testing.assert_close(terms.repulsion, expected)
    for part in (terms.attraction, terms.through_operator):
        assert not part[:, 2:].any()


def test_beside_known_points_every_force_among_the_free_is_weaker_by_their_share():
    z, share = normal(1, 4, D), torch.tensor([0.25]).double()
    alone, beside = Objective(Mixing(), Riesz()), Objective(Mixing(), Riesz(), share=share)
    terms = [velocity_terms(o(z), Riesz(), o.mass(z)) for o in (alone, beside)]
    for part in ("attraction", "repulsion", "through_operator"):
        torch.testing.assert_close(getattr(terms[1], part), 0.25 * getattr(terms[0], part))


@pytest.mark.parametrize("kernel", FAMILY)
def test_at_a_fixed_point_nothing_pulls(kernel):
    z = normal(1, 5, D)
    here = Objective(lambda z: z[:, [1, 2, 3, 4, 0]], kernel)(z)  # equal as measures
    assert here.objective.item() == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(here.velocity, torch.zeros_like(z), rtol=0, atol=1e-12)


def test_collapsed_particles_on_their_own_image_have_finite_velocity():
    z = torch.ones(1, 4, D)
    here = Objective(lambda z: z * 1.0, Riesz())(z)
    assert here.velocity.isfinite().all() and here.objective.item() == 0


def test_one_operator_call_an_evaluation_and_no_graph_left_behind():
    operator = Mixing()
    objective = Objective(operator, Riesz())
    z = normal(1, 4, D)
    here = objective(z)
    without = objective(z, velocity=False)
    assert operator.calls == objective.evaluations == 2
    assert without.velocity is None
    torch.testing.assert_close(without.objective, here.objective)
    for t in (z, here.particles, here.image, here.objective, here.velocity, without.image):
        assert not t.requires_grad
