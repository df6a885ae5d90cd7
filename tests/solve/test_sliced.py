"""Energy distances by lines: exact on one, right on average in space, with their own gradient."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import Riesz, SlicedRiesz, discrepancy, uniform_mass
from ddeq.solve.kernels.sliced import directions, distance_factor, random_directions
from ddeq.solve.objective import Objective, velocity_terms
from ddeq.solve.solvers import EulerDecay

seeds = st.integers(0, 999)


def pair(seed: int, dim: int, n: int = 7, m: int = 5) -> tuple[torch.Tensor, ...]:
    """Two batches of clouds and their masses; the first cloud of ``b`` is padded."""
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(3, n, dim, generator=g, dtype=torch.float64)
    b = 1 + torch.randn(3, m, dim, generator=g, dtype=torch.float64)
    mask = torch.ones(3, m, dtype=torch.bool)
    mask[0, -2:] = False
    return a, b, uniform_mass(a), uniform_mass(b, mask)


@given(seeds)
def test_on_a_line_it_is_exact(seed):
    a, b, *masses = pair(seed, 1)
    b[1, 0] = a[1, 0]  # a tie
    exact, found = (discrepancy(a, b, *masses, k) for k in (Riesz(), SlicedRiesz(1)))
    for name in ("mmd2", "grad_a", "grad_b"):
        torch.testing.assert_close(getattr(found, name), getattr(exact, name))


@pytest.mark.parametrize("dim", [2, 3, 10])
def test_the_factor_is_that_of_the_mean_distance_on_lines(dim):
    x = torch.zeros(dim, dtype=torch.float64)
    x[0] = 1
    on_lines = (directions(200_000, dim) @ x).abs()
    error = float(on_lines.std()) / math.sqrt(len(on_lines))
    assert abs(float(on_lines.mean()) - 1 / distance_factor(dim)) < 5 * error
    assert distance_factor(1) == pytest.approx(1)
    assert distance_factor(3) == pytest.approx(2)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_many_lines_give_the_energy_distance_and_its_gradient(dim):
    a, b, *masses = pair(0, dim)
    exact = discrepancy(a, b, *masses, Riesz())
    few, many = (discrepancy(a, b, *masses, SlicedRiesz(p)) for p in (64, 4096))

    def error(found) -> float:
        return float((found.grad_a - exact.grad_a).norm() / exact.grad_a.norm())

    assert error(many) < 0.05 and error(many) < error(few)
    torch.testing.assert_close(many.mmd2, exact.mmd2, rtol=0.02, atol=0)


@given(seeds, st.sampled_from([1, 2, 5]))
def test_the_gradient_is_that_of_the_value(seed, dim):
    a, b, *masses = pair(seed, dim)
    a.requires_grad_(), b.requires_grad_()
    found = discrepancy(a, b, *masses, SlicedRiesz(9))
    grads = torch.autograd.grad(found.mmd2.sum(), (a, b))
    torch.testing.assert_close(grads, (found.grad_a, found.grad_b))


@given(seeds)
def test_order_does_not_matter_and_the_distance_to_oneself_is_0(seed):
    a, b, mass_a, mass_b = pair(seed, 3)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    one = discrepancy(a, b, mass_a, mass_b, SlicedRiesz(16))
    other = discrepancy(a[:, order], b, mass_a, mass_b, SlicedRiesz(16))
    torch.testing.assert_close(other.mmd2, one.mmd2)
    torch.testing.assert_close(other.grad_a, one.grad_a[:, order])
    same = discrepancy(a, a, mass_a, mass_a, SlicedRiesz(16))
    torch.testing.assert_close(same.mmd2, torch.zeros(3).double(), atol=1e-12, rtol=0)
    assert (one.mmd2 >= 0).all()


@pytest.mark.parametrize("dim", [2, 3])
def test_few_even_directions_give_the_gradient_of_many_points_to_a_hundredth(dim):
    """Of two clouds that differ, as they do on the way to an equilibrium."""
    g = torch.Generator().manual_seed(0)
    a, b = (torch.randn(1, 500, dim, generator=g) + shift for shift in (0, 0.5))
    mass = uniform_mass(a)
    exact, found = (discrepancy(a, b, mass, mass, k).grad_a for k in (Riesz(), SlicedRiesz(256)))
    assert (found - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("dim", [2, 3])
def test_even_directions_are_unit_vectors_and_estimate_distances_better_than_random_ones(dim):
    found = directions(100, dim)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(100).double())
    x = random_directions(50, dim, seed=5)  # of length 1
    errors = [
        ((distance_factor(dim) * (x @ theta.T).abs().mean(1) - 1).abs().max())
        for theta in (found, random_directions(100, dim))
    ]
    assert errors[0] < 0.2 * errors[1]


def test_random_directions_are_unit_vectors_orthogonal_in_blocks_and_always_the_same():
    found = random_directions(7, 3)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(7).double())
    torch.testing.assert_close(found[:3] @ found[:3].T, torch.eye(3).double())
    assert torch.equal(found, random_directions(7, 3))
    assert not torch.equal(found, random_directions(7, 3, 1))


def test_a_flow_reaches_a_fixed_target_and_its_parts_sum_to_the_velocity():
    target = torch.randn(1, 30, 2, generator=torch.Generator().manual_seed(1))
    z0 = 4 + torch.randn(1, 30, 2, generator=torch.Generator().manual_seed(2))
    kernel = SlicedRiesz(64)
    solver = EulerDecay(step_size=3.0, half_life=30.0)
    how = {"solver": solver, "kernel": kernel, "stop": StopRule(400, 0.0)}
    end = Flow(lambda z: target + 0 * z, z0, **how).run()
    exact = discrepancy(end.particles, target, *(uniform_mass(target),) * 2, Riesz())
    start = discrepancy(z0, target, *(uniform_mass(target),) * 2, Riesz())
    assert exact.mmd2 < 5e-3 * start.mmd2
    here = Objective(lambda z: torch.tanh(z) + target, kernel)(z0)
    terms = velocity_terms(here, kernel, uniform_mass(z0))
    torch.testing.assert_close(
        terms.attraction + terms.repulsion + terms.through_operator, here.velocity
    )
    frozen = Objective(lambda z: target + 0 * z, kernel)(z0)
    terms = velocity_terms(frozen, kernel, uniform_mass(z0))
    assert terms.through_operator.abs().max() < 1e-5  # F does not move with the particles


def test_masses_of_any_sign_are_allowed():
    p = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 6, 1)))
    c = torch.tensor([[0.5, -1.0, 2.0, 0.0, 0.25, -0.125]], dtype=torch.float64)
    exact, found = (kernel.interaction(p, c) for kernel in (Riesz(), SlicedRiesz(1)))
    for name in ("energy", "field"):
        torch.testing.assert_close(getattr(found, name), getattr(exact, name))
