"""The MMD is a metric with known values, and its analytic gradient is its derivative."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ddeq
from ddeq.solve.kernels import (
    KERNELS,
    Gaussian,
    Riesz,
    SlicedRiesz,
    discrepancy,
    mmd2,
    mmd2_loss,
    squared_distances,
    uniform_mass,
)
from ddeq.solve.objective import pull

FAMILY = [Riesz(), Riesz(0.5), Riesz(1.5), Riesz(1.0, 0.3), Riesz(1.4, 2.0), Gaussian(1.0)]
kernels = st.sampled_from(FAMILY)
# A coarse grid, so that points often coincide within a cloud and between clouds.
on_grid = st.integers(-8, 8).map(lambda i: i / 4)


def cloud_arrays(d: int = 2) -> st.SearchStrategy:
    return st.integers(1, 7).flatmap(
        lambda n: arrays(np.float64, (1, n, d), elements=on_grid).map(torch.from_numpy)
    )


clouds = cloud_arrays()


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def by_double_loop(a: torch.Tensor, b: torch.Tensor, kernel) -> float:
    """``mean k(a, a') + mean k(b, b') - 2 mean k(a, b)``, pair by pair."""

    def mean(us: torch.Tensor, vs: torch.Tensor) -> float:
        pairs = [kernel.value((u - v).square().sum()).item() for u in us for v in vs]
        return sum(pairs) / len(pairs)

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)


@given(clouds, clouds, kernels)
def test_mmd_is_the_mean_over_pairs(a, b, kernel):
    expected = by_double_loop(a[0], b[0], kernel)
    assert mmd2(a, b, kernel).item() == pytest.approx(expected, abs=1e-12)


@given(clouds, kernels, st.randoms(use_true_random=False))
def test_mmd_of_a_measure_with_itself_is_0(a, kernel, random):
    order = list(range(a.shape[1]))
    random.shuffle(order)
    assert mmd2(a, a, kernel).item() == pytest.approx(0, abs=1e-12)
    assert mmd2(a, a[:, order], kernel).item() == pytest.approx(0, abs=1e-12)
    assert mmd2(a, a.repeat(1, 3, 1), kernel).item() == pytest.approx(0, abs=1e-12)


@given(clouds, clouds, kernels)
def test_mmd_is_not_negative_and_symmetric(a, b, kernel):
    value = mmd2(a, b, kernel).item()
    assert value >= -1e-12
    assert mmd2(b, a, kernel).item() == pytest.approx(value, abs=1e-12)


@given(clouds, clouds, clouds, kernels)
def test_mmd_obeys_the_triangle_inequality(a, b, c, kernel):
    def distance(u: torch.Tensor, v: torch.Tensor) -> float:
        return math.sqrt(max(0.0, mmd2(u, v, kernel).item()))

    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-5


@pytest.mark.parametrize("kernel", FAMILY)
def test_mmd_tells_different_measures_apart(kernel):
    a = normal(1, 6, 2)
    assert mmd2(a, a + torch.tensor([0.5, 0]), kernel).item() > 1e-3


@given(clouds, clouds, kernels, st.randoms(use_true_random=False))
def test_mmd_ignores_the_order_and_the_duplication_of_points(a, b, kernel, random):
    order = list(range(a.shape[1]))
    random.shuffle(order)
    expected = mmd2(a, b, kernel).item()
    assert mmd2(a[:, order], b, kernel).item() == pytest.approx(expected, abs=1e-12)
    assert mmd2(a.repeat(1, 2, 1), b, kernel).item() == pytest.approx(expected, abs=1e-12)


@given(clouds, clouds, kernels, cloud_arrays(), st.integers(0, 3))
def test_padding_changes_neither_mmd_nor_gradients(a, b, kernel, padding, rows):
    n, m = a.shape[1], b.shape[1]
    wide_a = torch.cat([a, 100 * padding], dim=1)
    wide_b = torch.cat([b, torch.full((1, rows, 2), 7.0, dtype=b.dtype)], dim=1)
    mask_a = (torch.arange(wide_a.shape[1]) < n)[None]
    mask_b = (torch.arange(wide_b.shape[1]) < m)[None]
    expected = mmd2(a, b, kernel).item()
    assert mmd2(wide_a, wide_b, kernel, mask_a, mask_b).item() == pytest.approx(expected, abs=1e-9)
    plain = discrepancy(a, b, uniform_mass(a), uniform_mass(b), kernel)
    masses = uniform_mass(wide_a, mask_a), uniform_mass(wide_b, mask_b)
    wide = discrepancy(wide_a, wide_b, *masses, kernel)
    torch.testing.assert_close(wide.mmd2, plain.mmd2, rtol=0, atol=1e-9)
    torch.testing.assert_close(wide.grad_a[:, :n], plain.grad_a, rtol=0, atol=1e-9)
    torch.testing.assert_close(wide.grad_b[:, :m], plain.grad_b, rtol=0, atol=1e-9)
    assert not wide.grad_a[:, n:].any() and not wide.grad_b[:, m:].any()


@given(st.floats(0.01, 50), st.floats(0.1, 1.9))
def test_two_diracs_under_riesz_are_2_t_to_the_r_apart(t, r):
    a, b = torch.zeros(1, 1, 1, dtype=torch.float64), torch.full((1, 1, 1), t, dtype=torch.float64)
    assert mmd2(a, b, Riesz(r)).item() == pytest.approx(2 * t**r, rel=1e-9)
    smooth = 2 * ((t * t + 0.25) ** (r / 2) - 0.5**r)
    assert mmd2(a, b, Riesz(r, 0.5)).item() == pytest.approx(smooth, rel=1e-9, abs=1e-12)


@given(st.floats(0.01, 50), st.floats(0.1, 20))
def test_two_diracs_under_a_gaussian(t, sigma):
    a, b = torch.zeros(1, 1, 1, dtype=torch.float64), torch.full((1, 1, 1), t, dtype=torch.float64)
    expected = -2 * math.expm1(-t * t / (2 * sigma * sigma))
    assert mmd2(a, b, Gaussian(sigma)).item() == pytest.approx(expected, rel=1e-9, abs=1e-14)


@given(cloud_arrays(1), cloud_arrays(1))
def test_energy_distance_on_the_line_is_twice_the_integral_of_squared_cdf_differences(a, b):
    u, v = (np.sort(t.numpy().ravel()) for t in (a, b))
    grid = np.sort(np.concatenate([u, v]))
    cdf_u = np.searchsorted(u, grid[:-1], side="right") / len(u)
    cdf_v = np.searchsorted(v, grid[:-1], side="right") / len(v)
    expected = 2 * np.sum((cdf_u - cdf_v) ** 2 * np.diff(grid))
    assert mmd2(a, b, Riesz()).item() == pytest.approx(expected, abs=1e-12)


@given(clouds, clouds, kernels, st.floats(0.1, 10))
def test_mmd_ignores_the_origin_and_riesz_scales_with_the_unit(a, b, kernel, scale):
    shift = torch.tensor([3.0, -40.0])
    expected = mmd2(a, b, kernel).item()
    assert mmd2(a + shift, b + shift, kernel).item() == pytest.approx(expected, abs=1e-9)
    scaled = mmd2(scale * a, scale * b, Riesz(1.5)).item()
    assert scaled == pytest.approx(scale**1.5 * mmd2(a, b, Riesz(1.5)).item(), abs=1e-9)


@given(clouds, clouds, kernels)
def test_gradients_are_those_of_autograd_even_where_points_coincide(a, b, kernel):
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    value = mmd2(a, b, kernel)
    expected_a, expected_b = torch.autograd.grad(value.sum(), (a, b))
    a, b = a.detach(), b.detach()
    found = discrepancy(a, b, uniform_mass(a), uniform_mass(b), kernel)
    torch.testing.assert_close(found.mmd2, value.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(found.grad_a, expected_a, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.grad_b, expected_b, rtol=1e-9, atol=1e-9)
    assert found.grad_a.isfinite().all() and expected_a.isfinite().all()


@given(clouds, clouds, kernels)
def test_as_a_loss_it_has_the_same_value_and_gradients(a, b, kernel):
    a, b = (torch.cat([t, 2 * t]).requires_grad_() for t in (a, b))
    weight = torch.tensor([1.0, -3.0], dtype=a.dtype)
    of_graph = mmd2(a, b, kernel)
    expected = torch.autograd.grad((weight * of_graph).sum(), (a, b))
    found = mmd2_loss(a, b, uniform_mass(a), uniform_mass(b), kernel)
    torch.testing.assert_close(found.detach(), of_graph.detach(), rtol=0, atol=1e-12)
    gradients = torch.autograd.grad((weight * found).sum(), (a, b))
    torch.testing.assert_close(gradients, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", FAMILY)
def test_gradients_are_finite_differences(kernel):
    a, b, along = normal(1, 5, 3), normal(1, 4, 3, seed=1), normal(1, 5, 3, seed=2)
    h = 1e-5
    difference = (mmd2(a + h * along, b, kernel) - mmd2(a - h * along, b, kernel)) / (2 * h)
    found = discrepancy(a, b, uniform_mass(a), uniform_mass(b), kernel)
    torch.testing.assert_close((found.grad_a * along).sum(), difference[0], rtol=1e-6, atol=1e-9)


@given(clouds, kernels)
def test_second_derivatives_are_finite_where_points_coincide(a, kernel):
    """Unrolling a flow differentiates the gradient once more."""
    a = a.clone().requires_grad_()
    mass = uniform_mass(a)
    found = discrepancy(a, a.detach() + 0, mass, mass, kernel)
    (second,) = torch.autograd.grad(found.grad_a.square().sum(), a)
    assert second.isfinite().all()


@pytest.mark.parametrize("kernel", FAMILY)
def test_slope_is_the_radial_derivative_of_the_value(kernel):
    u, v = normal(1, 1, 3).requires_grad_(), normal(1, 1, 3, seed=1)
    d2 = squared_distances(u, v)
    (expected,) = torch.autograd.grad(kernel.value(d2).sum(), u)
    torch.testing.assert_close(kernel.slope(d2)[0] * (u - v), expected)


@given(st.floats(0.1, 1.9))
def test_the_riesz_slope_at_its_kink_is_taken_as_0(r):
    assert Riesz(r).slope(torch.zeros(1)).item() == 0


@pytest.mark.parametrize("kernel", [Riesz(1.0, 0.5), Riesz(1.5, 2.0), Gaussian(3.0)])
def test_the_slope_of_a_smooth_kernel_has_no_gap_at_distance_0(kernel):
    """It is ``2 k'`` in the squared distance, also where points coincide."""
    d2 = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(kernel.value(d2).sum(), d2)
    torch.testing.assert_close(kernel.slope(d2.detach()), 2 * derivative)
    torch.testing.assert_close(kernel.slope(d2.detach() + 1e-12), kernel.slope(d2.detach()))


def test_smoothing_vanishes_with_eps():
    a, b = normal(1, 6, 2), normal(1, 5, 2, seed=1)
    sharp = mmd2(a, b, Riesz()).item()
    errors = [abs(mmd2(a, b, Riesz(1.0, eps)).item() - sharp) for eps in (0.1, 0.01, 0.001)]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-3


@pytest.mark.parametrize("kernel, factor", [(Riesz(1.0, 1e3), 1e-3), (Gaussian(1e3), 1e-6)])
def test_a_very_smooth_kernel_compares_only_the_means(kernel, factor):
    """To first order both kernels are quadratic there: ``MMD^2 = factor |mean a - mean b|^2``."""
    a, b = normal(1, 6, 2), normal(1, 5, 2, seed=1) + 1
    gap = (a.mean(1) - b.mean(1)).square().sum().item()
    assert mmd2(a, b, kernel).item() == pytest.approx(factor * gap, rel=1e-3)


@pytest.mark.parametrize("points", [100, 300, 600])
def test_single_precision_is_enough_near_an_equilibrium(points):
    """Near a fixed point every particle almost coincides with its image."""
    a = normal(1, points, 32)
    b = a + 0.01 * normal(1, points, 32, seed=1)
    mass = uniform_mass(a)
    exact = discrepancy(a, b, mass, mass, Riesz())
    single = discrepancy(a.float(), b.float(), mass.float(), mass.float(), Riesz())
    assert single.mmd2.item() == pytest.approx(exact.mmd2.item(), rel=2e-3)
    error = (single.grad_a - exact.grad_a).norm() / exact.grad_a.norm()
    assert error < 2e-4


@pytest.mark.parametrize("points", [10, 64])
@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6])
@pytest.mark.parametrize("kernel", [Riesz(), Riesz(0.5), Riesz(1.0, 1e-5)])
def test_single_precision_is_enough_for_particles_that_stand_on_their_images(
    points, distance, kernel
):
    """There a steep kernel weighs differences by their inverse."""
    a = normal(1, points, 128).float()
    away = normal(1, points, 128, seed=1)
    b = (a + distance * away / away.norm(dim=2, keepdim=True)).float()
    mass = uniform_mass(a)
    wide = [t.double() for t in (a, b, mass, mass)]
    single, exact = discrepancy(a, b, mass, mass, kernel), discrepancy(*wide, kernel)
    for found, expected in ((single.grad_a, exact.grad_a), (single.grad_b, exact.grad_b)):
        assert (found - expected).norm() < 1e-4 * expected.norm()
    pulled = differences_by_loop(a.double()[0], b.double()[0], kernel) / points
    torch.testing.assert_close(kernel_pull(a, b, kernel)[0].double(), pulled, rtol=1e-4, atol=1e-4)


def differences_by_loop(u: torch.Tensor, v: torch.Tensor, kernel) -> torch.Tensor:
    """``sum_j w_ij (u_i - v_j)``, difference by difference."""
    apart = u[:, None] - v[None]  # (N, M, d)
    return (kernel.slope(apart.square().sum(2))[..., None] * apart).sum(1)


def kernel_pull(z: torch.Tensor, target: torch.Tensor, kernel) -> torch.Tensor:
    return pull(z, target, uniform_mass(target), kernel)


@given(st.floats(1e-40, 1e-6), st.integers(1, 200))
def test_points_that_coincide_do_not_feel_each_other_however_steep_the_kernel(eps, points):
    a = normal(1, points, 3)
    found = discrepancy(a, a, uniform_mass(a), uniform_mass(a), Riesz(1.0, eps))
    torch.testing.assert_close(found.grad_a, torch.zeros_like(a), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", [*FAMILY, SlicedRiesz(16)])
def test_below_its_rounding_error_the_mmd_is_0_and_above_it_is_told(kernel):
    a = 3 + normal(2, 6, 4).float()
    mass = uniform_mass(a)
    same = discrepancy(a, a[:, [1, 2, 3, 4, 5, 0]], mass, mass, kernel)
    assert same.mmd2.tolist() == [0, 0] and (same.rounding > 0).all()
    apart = discrepancy(a, a + 0.5, mass, mass, kernel)
    assert (apart.mmd2 > 100 * apart.rounding).all()


@given(clouds, clouds, kernels)
def test_single_precision_is_as_good_far_from_the_origin(a, b, kernel):
    """On a grid the shift itself is exact, so any difference is the gradient's own rounding."""
    a, b = a.float(), b.float()
    near, far = (
        discrepancy(a + s, b + s, uniform_mass(a), uniform_mass(b), kernel) for s in (0, 4096)
    )
    torch.testing.assert_close(far.grad_a, near.grad_a, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(far.mmd2, near.mmd2, rtol=1e-4, atol=1e-4)


def test_mass_is_uniform_over_the_valid_points():
    mask = torch.tensor([[True, False, True, True], [False, False, True, False]])
    mass = uniform_mass(normal(2, 4, 2), mask)
    third = 1 / 3
    expected = [[third, 0, third, third], [0, 0, 1, 0]]
    torch.testing.assert_close(mass, torch.tensor(expected, dtype=torch.float64))
    assert (uniform_mass(normal(2, 4, 2)) == 0.25).all()


@pytest.mark.parametrize(
    "kernel, wrong",
    [(Riesz, {"r": 0}), (Riesz, {"r": 2}), (Riesz, {"eps": -1}), (Gaussian, {"sigma": 0})],
)
def test_parameters_that_are_no_kernel_are_refused(kernel, wrong):
    with pytest.raises(ValueError):
        kernel(**wrong)


def test_kernels_are_listed_by_name_those_of_one_heading_together():
    assert list(KERNELS) == ["riesz", "riesz-continued", "riesz-sliced", "gaussian"]
    assert (KERNELS["riesz"], KERNELS["gaussian"]) == (Riesz, Gaussian)
    assert KERNELS.name_of(Riesz(1.3)) == "riesz"
    with pytest.raises(KeyError):
        KERNELS.name_of("riesz")


@pytest.mark.parametrize("kernel", [kind() for kind in KERNELS.values()])
def test_what_a_kernel_is_asked_is_one_thing(kernel):
    """Its pull is the field of masses elsewhere, and later steps follow one another."""
    z, target = normal(2, 4, 3), normal(2, 5, 3, seed=1)
    mass = torch.tensor([[0.2] * 5, [0.5, 0.5, 0, 0, 0]]).double()
    masses = torch.cat([torch.zeros(2, 4).double(), mass], 1)
    field = kernel.interaction(torch.cat([z, target], 1), masses).field[:, :4]
    torch.testing.assert_close(kernel.pull(z, target, mass), field)
    later, at_7 = kernel.after(3).at(4), kernel.at(7)
    torch.testing.assert_close(later.pull(z, target, mass), at_7.pull(z, target, mass))
    assert at_7.at(9) == at_7
    assert kernel.stiffness(z, target, mass).shape == (2, 4, 1)


@pytest.mark.parametrize("kernel", [kind() for kind in KERNELS.values()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("points", "dim"), [(1, 128), (5, 16), (10, 128), (40, 128)])
def test_nobody_is_moved_by_himself_and_all_together_stay_where_they_are(
    kernel, dtype, points, dim
):
    """Action is reaction, whatever rounding does to points and their copies."""
    z = 3 + normal(2, points, dim).to(dtype)
    found = kernel.pull(z, z, uniform_mass(z)).mean(1)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", [Riesz(), Riesz(1.5, 0.3), Gaussian(2.0)])
def test_stiffness_is_the_pull_per_length_of_one_point(kernel):
    z, target, mass = normal(2, 4, 3), normal(2, 1, 3, seed=1), torch.full((2, 1), 0.7).double()
    pulled = kernel.stiffness(z, target, mass) * (target - z)
    torch.testing.assert_close(kernel.pull(z, target, mass), pulled)


def test_no_code_asks_which_kernel_it_has():
    root = Path(ddeq.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
                asked = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                assert not asked & {kind.__name__ for kind in KERNELS.values()}, path


@pytest.mark.parametrize("d", [1, 3])
def test_many_points_in_few_dimensions_are_told_apart_far_from_the_origin(d):
    """Where products of coordinates would cancel: as exact as the coordinates are."""
    u = (1000 + normal(1, 300, d)).float()
    v = torch.cat([u[:, :7], (1000 + normal(1, 200, d, seed=1)).float()], 1)
    found = squared_distances(u, v)
    expected = (u.double()[:, :, None] - v.double()[:, None]).square().sum(-1)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)
    assert not found[:, range(7), range(7)].any()
