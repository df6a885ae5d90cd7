"""Each step rule does what its formula says."""

import dataclasses
import gc
import math
import weakref
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.seeds import seeded
from ddeq.settings import settings_of
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import Continued, Riesz
from ddeq.solve.objective import Objective, arrived
from ddeq.solve.solvers import (
    LBFGS,
    SOLVERS,
    Anderson,
    Armijo,
    Broyden,
    Euler,
    EulerDecay,
    EulerPower,
    Frozen,
    Majorise,
    Momentum,
    Nesterov,
    Normalised,
    Picard,
    Polyak,
    rules,
)
from ddeq.solve.solvers.anderson import Mixed, Mixture, weights
from ddeq.solve.solvers.broyden import Newton
from ddeq.solve.solvers.gradient_flow import Velocity
from ddeq.solve.solvers.held import Majorising, Towards
from ddeq.solve.solvers.lbfgs import Pair, QuasiNewton, quasi_newton
from ddeq.solve.solvers.momentum import Extrapolated, HeavyBall
from ddeq.solve.solvers.parts import Along, Segment, Straight
from ddeq.solve.solvers.picard import Image
from ddeq.solve.solvers.rules import Geometric, backtrack
from tests.solving import Function, evaluation, minimise, normal, problem, stepped, towards


def iterate(solver, operator, z, steps: int) -> list[torch.Tensor]:
    state, path = solver.start(z), [z]
    for k in range(steps):
        z, _, state = stepped(solver, evaluation(z, operator(z)), k, state)
        path.append(z)
    return path


def contraction(d: int, seed: int = 0):
    """A linear contraction ``z <- z A + b`` of the whole cloud as one vector, and its solution."""
    A = normal(d, d, seed=seed)
    A = 0.7 * A / torch.linalg.matrix_norm(A, 2)
    b = normal(1, d, seed=seed + 1)
    solution = torch.linalg.solve(torch.eye(d) - A.T, b[0])
    return lambda z: (z.flatten(1) @ A + b).view_as(z), solution


def test_the_registry_knows_each_solver_once_and_its_defaults_are_in_their_ranges():
    assert len(set(SOLVERS.values())) == len(SOLVERS)
    for solver in SOLVERS.values():
        for s in settings_of(solver):
            assert s.low <= s.default <= s.high and s.hint.endswith(".")
            assert getattr(solver(), s.name) == s.default
        with pytest.raises(dataclasses.FrozenInstanceError):
            solver().needs_velocity = False


@given(st.floats(0.01, 20), st.floats(1, 100), st.integers(0, 200))
def test_the_step_halves_every_half_life_and_never_falls_below_the_floor(size, half_life, k):
    decay, floor = Geometric(size, half_life, 0.0), size / 10
    assert decay.at(0) == size
    assert decay.at(k + 1) / decay.at(k) == pytest.approx(0.5 ** (1 / half_life))
    assert Geometric(size, half_life, floor).at(k) == max(decay.at(k), floor)


def test_euler_moves_along_the_velocity():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    moved, gamma, _ = stepped(Euler(0.25), evaluation(z, velocity=v), 7, (None, None))
    torch.testing.assert_close(moved, z + 0.25 * v)
    assert gamma == 0.25


def test_euler_decay_is_euler_with_a_shrinking_step():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    solver = EulerDecay(step_size=4.0, half_life=5.0, floor=0.5)
    for k, expected in [(0, 4.0), (5, 2.0), (10, 1.0), (100, 0.5)]:
        moved, gamma, _ = stepped(solver, evaluation(z, velocity=v), k, solver.start(z))
        assert gamma == pytest.approx(expected)
        torch.testing.assert_close(moved, z + expected * v)


def test_momentum_under_a_constant_force_sums_a_geometric_series():
    """``m_k = (1 + beta + ... + beta^k) v``, with a step that does not decay."""
    z = z0 = normal(1, 3, 2)
    v, beta = normal(1, 3, 2, seed=1), 0.5
    solver = Momentum(step_size=0.1, momentum=beta, half_life=1.0, floor=0.1)
    state = solver.start(z)
    for k in range(6):
        z, _, state = stepped(solver, evaluation(z, velocity=v), k, state)
        torch.testing.assert_close(state[0], (1 - beta ** (k + 1)) / (1 - beta) * v)
    total = sum((1 - beta ** (k + 1)) / (1 - beta) for k in range(6))
    torch.testing.assert_close(z, z0 + 0.1 * total * v)


def test_momentum_0_is_euler_decay():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    heavy, light = Momentum(2.0, 0.0, 7.0, 0.01), EulerDecay(2.0, 7.0, 0.01)
    state = normal(2, 3, 4, seed=2), None
    for k in range(4):
        a, b = (
            stepped(s, evaluation(z, velocity=v), k, t)[0]
            for s, t in ((heavy, state), (light, light.start(z)))
        )
        torch.testing.assert_close(a, b)


@given(st.floats(0.01, 1))
def test_picard_moves_the_damped_part_of_the_way(damping):
    z, image = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    moved, gamma, _ = stepped(Picard(damping), evaluation(z, image), 0, (None, None))
    torch.testing.assert_close(moved, (1 - damping) * z + damping * image)
    assert gamma == damping and not Picard(damping).needs_velocity


@pytest.mark.parametrize("d", [1, 2, 4, 6])
def test_anderson_solves_a_linear_contraction_in_dimension_plus_one_steps(d):
    """It is then equivalent to GMRES (Walker and Ni 2011, theorem 2.2), one step later."""
    operator, solution = contraction(d)
    path = iterate(Anderson(window=20, ridge=1e-14), operator, normal(1, 1, d, seed=5), d + 1)
    assert (path[-1].flatten() - solution).norm() < 1e-5 * solution.norm()
    plain = iterate(Picard(), operator, normal(1, 1, d, seed=5), d + 1)
    assert d == 1 or (plain[-1].flatten() - solution).norm() > 1e-3 * solution.norm()


def test_anderson_with_one_step_in_its_window_or_in_its_past_is_picard():
    operator, _ = contraction(6)
    z = normal(2, 3, 2)
    first, _, past = stepped(Anderson(damping=0.5), evaluation(z, operator(z)), 0, ((), None))
    torch.testing.assert_close(first, 0.5 * (z + operator(z)))
    assert len(past[0]) == 1


def test_anderson_forgets_what_lies_outside_its_window():
    operator, _ = contraction(6)
    solver, z = Anderson(window=3), normal(1, 3, 2)
    state = solver.start(z)
    for k in range(8):
        z, _, state = stepped(solver, evaluation(z, operator(z)), k, state)
        assert len(state[0]) == min(k + 1, 3)


def test_anderson_combines_so_that_the_mixed_residual_is_smallest():
    """No other combination with weights that sum to 1 has a smaller residual."""
    solver = Anderson(window=3, ridge=1e-12)
    zs, images = (
        [normal(1, 4, 2, seed=s) for s in range(3)],
        [normal(1, 4, 2, seed=9 + s) for s in range(3)],
    )
    state = solver.start(zs[0])
    for k in range(3):
        mixed, _, state = stepped(solver, evaluation(zs[k], images[k]), k, state)
    residuals = torch.stack([(f - z).flatten() for z, f in zip(zs, images, strict=True)])
    # Independent method: eliminate the constraint and solve least squares.
    base, others = residuals[0], residuals[1:] - residuals[0]
    rest = torch.linalg.lstsq(others.T, -base[:, None]).solution[:, 0]
    alpha = torch.cat([1 - rest.sum()[None], rest])
    expected = sum(a * f for a, f in zip(alpha, images, strict=True))
    torch.testing.assert_close(mixed, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 1e-6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_of_residuals_that_repeat_or_cancel_are_those_nearest_to_equal_ones(ridge, dtype):
    """Closed forms, where the normal equations are singular and any other answer is as good."""
    r, s = normal(1, 1, 6), normal(1, 1, 6, seed=1)
    s = s - (r * s).sum() / r.square().sum() * r  # orthogonal to r
    s = s * r.norm() / s.norm()
    for residuals, expected in [
        ([r, r, r], [1 / 3, 1 / 3, 1 / 3]),
        ([r, -r], [1 / 2, 1 / 2]),
        ([r, r, -r], [1 / 4, 1 / 4, 1 / 2]),
        ([r, s, s], [1 / 2, 1 / 4, 1 / 4]),
        ([0 * r, 0 * r], [1 / 2, 1 / 2]),
        ([r, 2 * r], [2, -1]),
    ]:
        found = weights(torch.cat(residuals, 1).to(dtype), ridge)
        torch.testing.assert_close(found, torch.tensor([expected], dtype=dtype), rtol=0, atol=1e-4)


@given(st.integers(2, 6), st.integers(0, 999), st.booleans())
@settings(max_examples=30)
def test_weights_make_the_combined_residual_smallest(count, seed, repeated):
    """Changing them in any way that keeps their sum does not help: the gradient is constant."""
    r = normal(1, count, 8, seed=seed)
    if repeated:
        r[:, -1] = r[:, 0]
    alpha = weights(r, 0.0)
    assert alpha.sum() == pytest.approx(1)
    gradient = r[0] @ (alpha @ r[0])[0]
    torch.testing.assert_close(gradient, gradient.mean().expand(count), rtol=1e-6, atol=1e-8)
    assert not repeated or alpha[0, 0] == pytest.approx(alpha[0, -1].item())


def test_anderson_treats_each_cloud_by_itself():
    operator, _ = contraction(6)
    z = normal(3, 3, 2)
    together = iterate(Anderson(), operator, z, 6)[-1]
    alone = iterate(Anderson(), operator, z[1:2], 6)[-1]
    torch.testing.assert_close(together[1:2], alone, rtol=1e-6, atol=1e-8)


def test_anderson_is_quiet_at_a_fixed_point():
    z = normal(1, 3, 2)
    path = iterate(Anderson(), lambda z: z, z, 4)
    torch.testing.assert_close(path[-1], z)


# Step rules


@given(st.floats(0.01, 20), st.floats(1, 100), st.floats(0.1, 2), st.integers(0, 200))
def test_euler_power_falls_as_a_power_of_the_steps(size, delay, power, k):
    z, v = normal(1, 3, 2), normal(1, 3, 2, seed=1)
    moved, gamma, _ = stepped(
        EulerPower(size, delay, power), evaluation(z, velocity=v), k, (None, None)
    )
    assert gamma == pytest.approx(size * (delay / (delay + k)) ** power)
    torch.testing.assert_close(moved, z + gamma * v)


@given(st.floats(0.01, 20), st.floats(1e-6, 1e6), st.integers(0, 100))
def test_normalised_steps_have_the_length_they_are_given_however_long_the_velocity(length, unit, k):
    solver = Normalised(length, half_life=10.0, floor=length / 8)
    z, v = normal(2, 3, 4), unit * normal(2, 3, 4, seed=1)
    moved, gamma, _ = stepped(solver, evaluation(z, velocity=v), k, (None, None))
    lengths = (moved - z).square().sum(2).mean(1).sqrt()
    torch.testing.assert_close(
        lengths, torch.full_like(lengths, max(0.5 ** (k / 10), 1 / 8)) * length
    )
    torch.testing.assert_close(moved, z + gamma[:, None, None] * v)


@pytest.mark.parametrize("solver", [Normalised(), Polyak(), Armijo(), LBFGS()])
def test_where_nothing_pulls_nothing_moves(solver):
    z = normal(2, 3, 4)
    moved, gamma, _ = solver.step(
        evaluation(z, velocity=0 * z), 0, solver.start(z), problem(z, lambda z: z * 1.0)
    )
    to = moved if isinstance(moved, torch.Tensor) else moved.particles
    assert torch.equal(to, z) and gamma.isfinite().all()


@given(st.floats(0.05, 1.95))
def test_polyak_with_one_particle_shrinks_its_distance_by_the_same_factor(aim):
    """``G = |z - y|`` and ``|v| = 1``: a linear order of convergence with rate ``|1 - aim|``."""
    target, z = normal(1, 1, 3), normal(1, 1, 3, seed=1)
    of = problem(z, towards(target))
    here = of.evaluate(z)
    for _ in range(4):
        moved, _, _ = Polyak(aim, 100.0).step(here, 0, (None, None), of)
        after = of.evaluate(moved)
        torch.testing.assert_close(
            after.objective, abs(1 - aim) * here.objective, atol=1e-12, rtol=0
        )
        here = after


def test_polyak_is_no_longer_than_its_longest():
    z = normal(1, 1, 3) + 100
    here = problem(z, towards(0 * z)).evaluate(z)
    moved, gamma, _ = stepped(Polyak(longest=2.0), here, 0, (None, None))
    assert gamma.item() == 2 and (moved - z).norm() == pytest.approx(2)


# Inertia


def test_nesterov_is_its_recursion_as_long_as_it_goes_downhill():
    """Under a constant force it never restarts."""
    v, gamma = normal(1, 3, 2, seed=1), 0.1
    solver, y = Nesterov(gamma, 1.0, gamma), normal(1, 3, 2)
    state, x, expected = solver.start(y), y, y
    for k in range(6):
        y, _, state = stepped(solver, evaluation(y, velocity=v), k, state)
        x_before, x = x, expected + gamma * v
        expected = x + k / (k + 3) * (x - x_before)
        torch.testing.assert_close(y, expected)


def test_nesterov_forgets_its_inertia_in_the_cloud_that_goes_uphill_and_in_no_other():
    y, v = normal(2, 3, 2), normal(2, 3, 2, seed=1)
    before = y - v  # both have moved along v
    turned = v * torch.tensor([1.0, -1.0])[:, None, None].double()
    solver = Nesterov(0.5, 1.0, 0.5)
    state = (before, torch.full((2,), 6.0).double())
    moved, _, ((x, since), _) = stepped(solver, evaluation(y, velocity=turned), 7, (state, None))
    torch.testing.assert_close(x, y + 0.5 * turned)
    assert since.tolist() == [7, 1]
    torch.testing.assert_close(moved[0], x[0] + 6 / 9 * (x[0] - before[0]))
    torch.testing.assert_close(moved[1], x[1])


def test_nesterov_with_restart_beats_gradient_descent_on_an_ill_conditioned_quadratic():
    """Of condition number 1000; the bound is Beck and Teboulle 2009, theorem 4.4."""
    curvature = torch.tensor([1.0, 0.1, 0.001]).double()
    f = lambda z: (curvature * z.square()).sum(1) / 2  # noqa: E731
    z0 = torch.ones(1, 3).double()
    path, _ = minimise(Nesterov(1.0, 1.0, 1.0), f, z0, 300)
    for k, here in enumerate(path):
        assert here.objective.item() <= 2 * 3 / (k + 1) ** 2
    plain, _ = minimise(Euler(1.0), f, z0, 300)
    assert path[-1].objective < 1e-6 * plain[-1].objective


# Line search


def test_backtracking_halves_until_the_objective_has_fallen_and_counts_each_trial():
    """``|z|`` from 1 and 5 along the unit slope: 8, 4, 2, 1 (which is 0), and 8 (which is 3)."""
    f = lambda z: z.abs().sum(1)  # noqa: E731
    z0 = torch.tensor([[[1.0]], [[5.0]]]).double()
    function = Function(f, z0)
    here = function.evaluate(z0)
    first = torch.full((2,), 8.0).double()
    path = Straight(here.particles, here.velocity)
    there, t = backtrack(function, here, path, first, 10)
    assert t.tolist() == [1, 8]
    assert there.objective.tolist() == [0, 3]
    assert function.evaluations.tolist() == [1 + 4, 1 + 1]


def test_backtracking_takes_its_last_trial_as_it_is_and_leaves_stopped_clouds_alone():
    f = lambda z: z.abs().sum(1)  # noqa: E731
    z0 = torch.ones(2, 1, 1).double()
    function = Function(f, z0)
    here = function.evaluate(z0)
    function.running = torch.tensor([True, False])
    uphill = Straight(here.particles, -here.velocity)
    there, t = backtrack(function, here, uphill, torch.ones(2).double(), 3)
    assert t[0].item() == 0.25 and there.objective[0].item() == 1.25
    assert function.evaluations.tolist() == [1 + 3, 1]


@given(st.integers(0, 50), st.floats(0.1, 20))
@settings(max_examples=10)
def test_armijo_never_raises_a_smooth_objective_whatever_its_first_step(seed, first):
    target, z0 = normal(2, 4, 2, seed=seed), normal(2, 4, 2, seed=seed + 100)
    flow = Flow(
        towards(target),
        z0,
        solver=Armijo(first, 30),
        kernel=Riesz(1.0, 0.3),
        stop=StopRule(15, 0.0),
    )
    objective = torch.stack([step.objective for step in flow])
    assert (objective.diff(dim=0) <= 1e-12).all()


def test_a_line_search_charges_each_cloud_for_its_own_trials():
    """Every call of the operator while a cloud searches or arrives is that cloud's."""
    z0 = normal(3, 4, 2) * torch.tensor([0.01, 1.0, 100.0])[:, None, None]
    how = {"solver": Armijo(20.0), "stop": StopRule(6, 0.0)}
    together = Flow(towards(torch.zeros_like(z0)), z0, **how).run()
    for i in range(3):
        calls = []
        operator = lambda z, calls=calls: calls.append(1) or 0 * z  # noqa: E731
        alone = Flow(operator, z0[i : i + 1], **how).run()
        assert together.evaluations[i] == alone.evaluations[0] == len(calls)
        torch.testing.assert_close(together.particles[i], alone.particles[0])
    assert len(set(together.evaluations.tolist())) > 1


# L-BFGS


def test_the_two_loop_recursion_is_the_product_with_the_dense_inverse_hessian():
    """``H <- (1 - rho s y^T) H (1 - rho y s^T) + rho s s^T`` (Nocedal and Wright, 6.17)."""
    d, count = 5, 3
    s, y = normal(count, d), normal(count, d, seed=1)
    y = y * (s * y).sum(1, keepdim=True).sign()
    rho, v, eye = 1 / (s * y).sum(1), normal(1, d, seed=2), torch.eye(d).double()
    h = 0.7 * eye
    for i in range(count):
        left = eye - rho[i] * torch.outer(s[i], y[i])
        h = left @ h @ left.T + rho[i] * torch.outer(s[i], s[i])
    pairs = tuple(Pair(s[i][None, None], y[i][None, None], rho[i : i + 1]) for i in range(count))
    scale, mass = torch.tensor([0.7]).double(), torch.ones(1, 1).double()
    found = quasi_newton(v[None], pairs, scale, mass)
    torch.testing.assert_close(found[0, 0], h @ v[0])


def test_l_bfgs_minimises_a_quadratic_in_few_steps_and_rosenbrock_at_all():
    curvature = torch.tensor([1.0, 10.0, 100.0, 1000.0]).double()
    quadratic = lambda z: (curvature * (z - 1).square()).sum(1) / 2  # noqa: E731
    path, _ = minimise(LBFGS(step_size=0.001), quadratic, normal(2, 4), 40)
    assert (path[-1].objective < 1e-12 * path[0].objective).all()
    plain, _ = minimise(Armijo(1.0), quadratic, normal(2, 4), 40)
    assert (plain[-1].objective > 1e-6 * plain[0].objective).all()
    rosenbrock = lambda z: 100 * (z[:, 1] - z[:, 0] ** 2) ** 2 + (1 - z[:, 0]) ** 2  # noqa: E731
    path, function = minimise(
        LBFGS(step_size=0.001), rosenbrock, torch.tensor([[-1.2, 1.0]]).double(), 60
    )
    torch.testing.assert_close(
        path[-1].particles.flatten(), torch.ones(2).double(), atol=1e-6, rtol=0
    )
    assert function.evaluations.item() < 120


def test_l_bfgs_learns_nothing_from_a_step_along_which_the_gradient_did_not_turn():
    """On a slope that bends the other way it stays a descent method."""
    path, _ = minimise(LBFGS(step_size=0.5), lambda z: -z.square().sum(1), normal(2, 3), 5)
    values = torch.stack([here.objective for here in path])
    assert (values.diff(dim=0) < 0).all()


# Fixed points


@pytest.mark.parametrize("d", [1, 2, 4])
def test_broyden_solves_a_linear_contraction_in_twice_its_dimension(d):
    """Gay 1979, https://doi.org/10.1137/0716047."""
    operator, solution = contraction(d)
    path = iterate(Broyden(window=20), operator, normal(1, 1, d, seed=5), 2 * d + 1)
    assert (path[-1].flatten() - solution).norm() < 1e-9 * solution.norm()
    plain = iterate(Picard(), operator, normal(1, 1, d, seed=5), 2 * d + 1)
    assert (plain[-1].flatten() - solution).norm() > 1e-6 * solution.norm()


@pytest.mark.parametrize(
    ("solver", "order"),
    [
        (Picard(), 1),
        (Broyden(), (1 + 5**0.5) / 2),
        (Anderson(window=2, ridge=1e-13), (1 + 5**0.5) / 2),
    ],
)
def test_measured_order_of_convergence_on_the_line(solver, order):
    """There Broyden's and Anderson's methods are the secant method, of order 1.618."""
    root = 0.7390851332151607  # of z = cos z
    path = iterate(solver, torch.cos, torch.full((1, 1, 1), 0.2).double(), 30)
    errors = [(z - root).abs().item() for z in path]
    errors = [e for e in errors if 1e-13 < e < 0.1]
    logs = [math.log(e) for e in errors]
    # e_{k+1} = C e_k^p, measured where the errors are smallest.
    p = (logs[-1] - logs[-2]) / (logs[-2] - logs[-3])
    assert p == pytest.approx(order, abs=0.25)


def test_broydens_first_step_is_plain_iteration_and_its_memory_is_emptied_when_full():
    operator, _ = contraction(6)
    solver, z = Broyden(window=3), normal(2, 3, 2)
    state = solver.start(z)
    for k in range(9):
        image = operator(z)
        moved, _, state = stepped(solver, evaluation(z, image), k, state)
        assert state[0].u.shape == state[0].v.shape == (2, k % 4, 6)
        assert k % 4 or torch.allclose(moved, image)
        z = moved


def test_broyden_maps_the_last_change_of_the_residual_to_the_last_move():
    operator, _ = contraction(6)
    z = normal(2, 3, 2)
    *_, before, last = iterate(Broyden(), operator, z, 4)
    solver, state, z_k = Broyden(), (None, None), z
    for k in range(5):
        z_next, _, state = stepped(solver, evaluation(z_k, operator(z_k)), k, state)
        z_last, z_k = z_k, z_next
    torch.testing.assert_close(z_last, last)
    change = ((before - operator(before)) - (last - operator(last))).flatten(1)
    torch.testing.assert_close(state[0].times(-change), (last - before).flatten(1))


def test_broydens_memory_is_the_inverse_of_the_dense_update():
    """``B <- B + (dr - B dz) dz^T / |dz|^2`` for the Jacobian of the residual, from ``-I``."""
    operator, _ = contraction(4)
    z, state = normal(1, 2, 2), (None, None)
    zs, residuals = [], []
    for k in range(4):
        zs.append(z.flatten())
        residuals.append((operator(z) - z).flatten())
        z, _, state = stepped(Broyden(), evaluation(z, operator(z)), k, state)
    assert all(a.norm() > b.norm() for a, b in pairwise(residuals))  # it has forgotten nothing
    dense = -torch.eye(4).double()
    for k in range(3):
        dz, dr = zs[k + 1] - zs[k], residuals[k + 1] - residuals[k]
        dense = dense + torch.outer(dr - dense @ dz, dz) / (dz @ dz)
    columns = [-state[0].times(unit[None])[0] for unit in torch.eye(4).double()]
    torch.testing.assert_close(torch.stack(columns, 1), torch.linalg.inv(dense))


def test_broyden_forgets_in_the_cloud_that_went_astray_and_in_no_other():
    operator, _ = contraction(6)
    solver, z, state = Broyden(), normal(2, 3, 2), (None, None)
    for k in range(3):
        z, _, state = stepped(solver, evaluation(z, operator(z)), k, state)
    scale = torch.tensor([1.0, 100.0])[:, None, None].double()
    image = z + scale * (operator(z) - z)  # the second cloud's residual has grown
    moved, _, state = stepped(solver, evaluation(z, image), 3, state)
    torch.testing.assert_close(moved[1], image[1])
    assert not torch.allclose(moved[0], image[0])


# A held image


@given(st.integers(1, 12), st.floats(0.1, 5))
@settings(max_examples=10)
def test_frozen_is_the_flow_to_a_fixed_target_and_asks_the_network_once(inner, size):
    target, z0 = normal(2, 4, 2), normal(2, 4, 2, seed=1)
    held = problem(z0, towards(target))
    here = held.evaluate(z0, velocity=False)
    moved, _, _ = Frozen(inner, size, 3.0).step(here, 0, None, held)
    flow = Flow(towards(target), z0, solver=EulerDecay(size, 3.0, 0.0), stop=StopRule(inner, 0.0))
    torch.testing.assert_close(moved, flow.run().particles)
    assert held.evaluations.tolist() == [1, 1]


@given(st.integers(0, 500), st.floats(1.0, 1.9), st.floats(0, 1))
@settings(max_examples=25)
def test_majorise_never_moves_away_from_a_fixed_target(seed, r, eps):
    """Every step minimises an upper bound that touches the MMD where the step began."""
    target, z0 = normal(2, 5, 2, seed=seed), normal(2, 5, 2, seed=seed + 1)
    flow = Flow(
        towards(target), z0, solver=Majorise(), kernel=Riesz(r, eps), stop=StopRule(20, 0.0)
    )
    objective = torch.stack([step.objective for step in flow])
    assert (objective.diff(dim=0) <= 1e-12).all()


def test_majorise_brings_a_single_particle_home_at_once():
    target, z0 = normal(3, 1, 4), normal(3, 1, 4, seed=1)
    moved = Flow(towards(target), z0, solver=Majorise(), stop=StopRule(1, 0.0)).run()
    torch.testing.assert_close(moved.particles, target)


@pytest.mark.parametrize("kernel", [Riesz(1.0, 0.5), Riesz(1.5, 1.0)])
def test_the_stiffness_of_a_smooth_pull_counts_the_image_that_a_particle_stands_on(kernel):
    """At ``z`` it is what it is beside ``z``: a smooth kernel has no gap there."""
    target, mass = normal(1, 5, 2), torch.full((1, 5), 0.2).double()
    on, beside = (kernel.stiffness(target + t, target, mass) for t in (0, 1e-9))
    torch.testing.assert_close(on, beside, rtol=1e-6, atol=0)


def test_majorise_repeated_within_a_step_is_that_many_steps_to_a_fixed_target():
    target, z0 = normal(1, 5, 2), normal(1, 5, 2, seed=1)
    once = Flow(towards(target), z0, solver=Majorise(1), stop=StopRule(6, 0.0)).run()
    within = Flow(towards(target), z0, solver=Majorise(6), stop=StopRule(1, 0.0)).run()
    torch.testing.assert_close(once.particles, within.particles)
    assert (once.evaluations.item(), within.evaluations.item()) == (7, 2)


# What holds for all of them


def mixing(z: torch.Tensor) -> torch.Tensor:
    """A map of the whole cloud that commutes with reordering and with moving its particles."""
    centre = z.mean(1, keepdim=True)
    return centre + 0.6 * torch.tanh(z - centre) + torch.tensor([1.0, -0.5]).double()


def calm(kind: type):
    """A solver with its defaults, and few of those moves that chatter: they amplify rounding."""
    return Frozen(inner=3) if kind is Frozen else kind()


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_the_order_of_the_particles_means_nothing(solver):
    z0, order = normal(2, 5, 2), [3, 1, 4, 0, 2]
    one, two = (
        Flow(mixing, z, solver=calm(solver), stop=StopRule(3, 0.0)).run()
        for z in (z0, z0[:, order])
    )
    torch.testing.assert_close(one.particles[:, order], two.particles, rtol=1e-6, atol=1e-6)
    assert torch.equal(one.evaluations, two.evaluations)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_memory_does_not_grow_with_the_steps(solver):
    def kept(steps: int) -> int:
        """How many steps' particles are still held at the end."""
        flow = Flow(mixing, normal(1, 5, 2), solver=calm(solver), stop=StopRule(steps, -1.0))
        seen = [weakref.ref(step.particles) for step in flow]
        gc.collect()
        assert len(seen) == steps + 1
        return sum(particles() is not None for particles in seen)

    assert kept(60) <= kept(30)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_the_origin_means_nothing(solver):
    z0, shift = normal(2, 5, 2), torch.tensor([3.0, -7.0]).double()
    one, two = (
        Flow(mixing, z, solver=calm(solver), stop=StopRule(3, 0.0)).run() for z in (z0, z0 + shift)
    )
    torch.testing.assert_close(one.particles + shift, two.particles, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_padding_does_not_move_and_moves_nobody(solver):
    z0 = normal(1, 6, 2)
    mask = torch.tensor([[True] * 4 + [False] * 2])

    def operator(z):
        valid = z[:, :4]
        centre = valid.mean(1, keepdim=True)
        return torch.cat([centre + 0.6 * torch.tanh(valid - centre) + 1, z[:, 4:]], 1)

    padded = Flow(operator, z0, mask=mask, solver=calm(solver), stop=StopRule(3, 0.0)).run()
    alone = Flow(operator, z0[:, :4], solver=calm(solver), stop=StopRule(3, 0.0)).run()
    torch.testing.assert_close(padded.particles[:, :4], alone.particles, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(padded.particles[:, 4:], z0[:, 4:])


ARRIVING = [
    EulerDecay(1.0, 25.0, 1e-4),
    EulerPower(1.0, 10.0, 1.0),
    Normalised(1.0, 25.0, 1e-4),
    Polyak(),
    Momentum(1.0, 0.8, 20.0, 1e-4),
    Nesterov(1.0, 20.0, 1e-4),
    LBFGS(),
    Frozen(20, 1.0, 5.0),
    Majorise(),
    Picard(0.5),
    Anderson(),
    Broyden(),
]


def test_all_are_among_those_that_arrive_but_those_that_a_kink_stops():
    assert {type(solver) for solver in ARRIVING} == {*SOLVERS.values()} - {Euler, Armijo}


@pytest.mark.parametrize("solver", ARRIVING, ids=lambda solver: type(solver).__name__)
@given(seed=st.integers(0, 99))
@settings(max_examples=3)
def test_a_fixed_target_is_reached_as_a_measure(solver, seed):
    target, z0 = normal(2, 4, 2, seed=seed), normal(2, 4, 2, seed=seed + 100) + 2
    end = Flow(towards(target), z0, solver=solver, stop=StopRule(300, 5e-3)).run()
    assert (end.relative_objective < 2e-2).all()
    assert torch.cdist(target, end.particles).amin(2).max() < 0.3


# Directions and rules

DIRECTIONS = [
    Velocity(),
    HeavyBall(0.5),
    Extrapolated(),
    QuasiNewton(5, 1.0),
    Image(),
    Mixed(3, 1e-6),
    Newton(5),
    Towards(),
    Majorising(),
]
RULES = [
    rules.Constant(0.5),
    rules.Geometric(0.5, 10.0, 0.0),
    rules.Power(0.5, 10.0, 1.0),
    rules.Normalised(rules.Geometric(0.5, 10.0, 0.0)),
    rules.Polyak(0.5, 2.0),
    rules.Backtracking(2.0, 8),
]


@pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("rule", RULES, ids=lambda part: type(part).__name__)
def test_any_direction_goes_with_any_rule(direction, rule):
    """And towards a fixed target every pair of them gets nearer, but for quasi-Newton steps, which
    want their length tried out."""
    target, z0 = normal(2, 4, 2), normal(2, 4, 2, seed=1) + 3
    solver = Along(direction, rule)
    how = {"kernel": Riesz(1.0, 0.5), "stop": StopRule(12, 0.0), "velocity": False}
    steps = list(Flow(towards(target), z0, solver=solver, **how))
    if not isinstance(direction, QuasiNewton) or isinstance(rule, rules.Backtracking):
        assert (steps[-1].objective < 0.7 * steps[0].objective).all()
    assert all((step.step_size > 0).all() and step.step_size.shape == (2,) for step in steps[:-1])
    assert (steps[0].velocity is not None) == solver.needs_velocity


@given(st.floats(0, 2), st.integers(0, 99))
def test_paths_begin_along_their_tangents(t, seed):
    z, image, h = normal(2, 3, 4, seed=seed), normal(2, 3, 4, seed=seed + 1), 1e-6
    past = normal(2, 2, 3, 4, seed=seed + 2)
    alpha = torch.tensor([0.3, 0.7])[None, :, None, None].double()
    each = torch.tensor([t, 2 * t]).double()
    for path in (Straight(z, image), Segment(z, image), Mixture(alpha, past, past + 1)):
        rate = (path.at(h) - path.at(0.0)) / h
        torch.testing.assert_close(rate, path.tangent, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(path.at(each)[0], path.at(t)[0])
        torch.testing.assert_close(path.at(each)[1], path.at(2 * t)[1])


# A kernel that changes on the way


def test_the_continued_kernel_moves_as_the_smoothed_one_and_is_measured_by_the_plain_one():
    target, z0 = normal(1, 4, 2), normal(1, 4, 2, seed=1)
    kernel = Continued(1.2, eps=4.0, fade=5.0)
    steps = list(
        Flow(towards(target), z0, solver=Euler(0.3), kernel=kernel, stop=StopRule(12, 0.0))
    )
    for k in (0, 5, 10):
        z = steps[k].particles
        smooth = problem(z, towards(target), Riesz(1.2, 4.0 * 0.5 ** (k / 5))).evaluate(z)
        plain = problem(z, towards(target), Riesz(1.2)).evaluate(z)
        torch.testing.assert_close(steps[k].velocity, smooth.velocity)
        torch.testing.assert_close(steps[k].objective, plain.objective)


@pytest.mark.parametrize("solver", SOLVERS.values())
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_every_step_has_the_velocity_of_its_own_kernel(solver, noise):
    """Also where a solver hands an evaluation back that it has made one step before."""
    kernel, z0 = Continued(1.2, eps=4.0, fade=2.0), normal(2, 5, 2)
    shaken = {"noise": noise, "generators": seeded([1, 2])} if noise else {}
    flow = Flow(mixing, z0, solver=calm(solver), kernel=kernel, stop=StopRule(4, 0.0), **shaken)
    for step in flow:
        k, z = step.step, step.particles
        if noise and k < 4:
            z = z + noise * shake(k, seeded([1, 2]))
        expected = Objective(mixing, kernel.at(k))(z).velocity
        torch.testing.assert_close(step.velocity, expected)


def shake(step: int, generators: list[torch.Generator]) -> torch.Tensor:
    """The noise ``(2, 5, 2)`` that a flow draws before its step."""
    for _ in range(step + 1):
        drawn = [torch.randn(5, 2, generator=g) for g in generators]
    return torch.stack(drawn).double()


def test_l_bfgs_learns_from_two_velocities_of_one_kernel():
    kernel, z0 = Continued(1.2, eps=4.0, fade=2.0), normal(2, 5, 2)
    of, solver = problem(z0, mixing, kernel), LBFGS()
    state, here = solver.start(z0), of.evaluate(z0)
    for k in range(3):
        of.step, smooth = k, Objective(mixing, kernel.at(k))
        there, _, state = solver.step(here, k, state, of)
        before, after = smooth(here.particles), smooth(there.particles)
        torch.testing.assert_close(state[0].pairs[-1].s, there.particles - here.particles)
        torch.testing.assert_close(state[0].pairs[-1].y, before.velocity - after.velocity)
        here = arrived(there)


@pytest.mark.parametrize("seed", range(3))
def test_with_continuation_a_line_search_is_not_held_up_by_kinks(seed):
    target, z0 = normal(1, 8, 2, seed=seed), normal(1, 8, 2, seed=seed + 50) + 1
    plain, continued = (
        Flow(towards(target), z0, solver=Armijo(2.0), kernel=k, stop=StopRule(80, 1e-6)).run()
        for k in (Riesz(), Continued(1.0, 2.0, 5.0))
    )
    assert plain.relative_objective > 1e-3 and continued.relative_objective < 1e-6
