"""Each step rule does what its formula says."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.objective import Evaluation
from ddeq.settings import settings_of
from ddeq.solvers import SOLVERS, Anderson, Euler, EulerDecay, Momentum, Picard, decayed


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def evaluation(z: torch.Tensor, image=None, velocity=None) -> Evaluation:
    return Evaluation(z, z if image is None else image, torch.zeros(len(z)), velocity)


def iterate(solver, operator, z, steps: int) -> list[torch.Tensor]:
    state, path = solver.start(z), [z]
    for k in range(steps):
        z, _, state = solver.step(evaluation(z, operator(z)), k, state)
        path.append(z)
    return path


def contraction(d: int, seed: int = 0):
    """A linear contraction ``z <- z A + b`` of the whole cloud as one vector, and its solution."""
    A = normal(d, d, seed=seed)
    A = 0.7 * A / torch.linalg.matrix_norm(A, 2)
    b = normal(1, d, seed=seed + 1)
    solution = torch.linalg.solve(torch.eye(d) - A.T, b[0])
    return lambda z: (z.flatten(1) @ A + b).view_as(z), solution


def test_the_registry_has_the_five_solvers_with_defaults_in_their_ranges():
    assert set(SOLVERS) == {"euler", "euler-decay", "momentum", "picard", "anderson"}
    for solver in SOLVERS.values():
        for s in settings_of(solver):
            assert s.low <= s.default <= s.high and s.hint.endswith(".")
            assert getattr(solver(), s.name) == s.default
        with pytest.raises(dataclasses.FrozenInstanceError):
            solver().damping = 0


@given(st.floats(0.01, 20), st.floats(1, 100), st.integers(0, 200))
def test_the_step_halves_every_half_life_and_never_falls_below_the_floor(size, half_life, k):
    here, floor = decayed(size, half_life, 0.0, k), size / 10
    assert decayed(size, half_life, 0.0, 0) == size
    later = decayed(size, half_life, 0.0, k + 1)
    assert later / here == pytest.approx(0.5 ** (1 / half_life))
    assert decayed(size, half_life, floor, k) == max(here, floor)


def test_euler_moves_along_the_velocity():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    moved, gamma, _ = Euler(0.25).step(evaluation(z, velocity=v), 7, None)
    torch.testing.assert_close(moved, z + 0.25 * v)
    assert gamma == 0.25


def test_euler_decay_is_euler_with_a_shrinking_step():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    solver = EulerDecay(step_size=4.0, half_life=5.0, floor=0.5)
    for k, expected in [(0, 4.0), (5, 2.0), (10, 1.0), (100, 0.5)]:
        moved, gamma, _ = solver.step(evaluation(z, velocity=v), k, solver.start(z))
        assert gamma == pytest.approx(expected)
        torch.testing.assert_close(moved, z + expected * v)


def test_momentum_under_a_constant_force_sums_a_geometric_series():
    """``m_k = (1 + beta + ... + beta^k) v``, with a step that does not decay."""
    z = z0 = normal(1, 3, 2)
    v, beta = normal(1, 3, 2, seed=1), 0.5
    solver = Momentum(step_size=0.1, momentum=beta, half_life=1.0, floor=0.1)
    state = solver.start(z)
    for k in range(6):
        z, _, state = solver.step(evaluation(z, velocity=v), k, state)
        torch.testing.assert_close(state, (1 - beta ** (k + 1)) / (1 - beta) * v)
    total = sum((1 - beta ** (k + 1)) / (1 - beta) for k in range(6))
    torch.testing.assert_close(z, z0 + 0.1 * total * v)


def test_momentum_0_is_euler_decay():
    z, v = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    heavy, light = Momentum(2.0, 0.0, 7.0, 0.01), EulerDecay(2.0, 7.0, 0.01)
    state = normal(2, 3, 4, seed=2)
    for k in range(4):
        a, b = (
            s.step(evaluation(z, velocity=v), k, t)[0] for s, t in ((heavy, state), (light, None))
        )
        torch.testing.assert_close(a, b)


@given(st.floats(0.01, 1))
def test_picard_moves_the_damped_part_of_the_way(damping):
    z, image = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    moved, gamma, _ = Picard(damping).step(evaluation(z, image), 0, None)
    torch.testing.assert_close(moved, (1 - damping) * z + damping * image)
    assert gamma == damping and not Picard.needs_velocity


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
    first, _, past = Anderson(damping=0.5).step(evaluation(z, operator(z)), 0, ())
    torch.testing.assert_close(first, 0.5 * (z + operator(z)))
    assert len(past) == 1


def test_anderson_forgets_what_lies_outside_its_window():
    operator, _ = contraction(6)
    solver, z = Anderson(window=3), normal(1, 3, 2)
    state = solver.start(z)
    for k in range(8):
        z, _, state = solver.step(evaluation(z, operator(z)), k, state)
        assert len(state) == min(k + 1, 3)


def test_anderson_combines_so_that_the_mixed_residual_is_smallest():
    """No other combination with weights that sum to 1 has a smaller residual."""
    solver = Anderson(window=3, ridge=1e-12)
    zs, images = (
        [normal(1, 4, 2, seed=s) for s in range(3)],
        [normal(1, 4, 2, seed=9 + s) for s in range(3)],
    )
    state = solver.start(zs[0])
    for k in range(3):
        mixed, _, state = solver.step(evaluation(zs[k], images[k]), k, state)
    residuals = torch.stack([(f - z).flatten() for z, f in zip(zs, images, strict=True)])
    # Independent method: eliminate the constraint and solve least squares.
    base, others = residuals[0], residuals[1:] - residuals[0]
    rest = torch.linalg.lstsq(others.T, -base[:, None]).solution[:, 0]
    alpha = torch.cat([1 - rest.sum()[None], rest])
    expected = sum(a * f for a, f in zip(alpha, images, strict=True))
    torch.testing.assert_close(mixed, expected, rtol=1e-6, atol=1e-8)


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
