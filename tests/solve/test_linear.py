"""Linear equations of a batch: each solved as if it were alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.solve.linear import damped_neumann, solve
from tests.solving import normal


def product(A: torch.Tensor):
    """``A u`` of each cloud, ``A (B, D, D)``."""
    return lambda u: (A @ u[:, :, None])[..., 0]


def error(A: torch.Tensor, x: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Relative, of each cloud ``(B,)``."""
    exact = torch.linalg.solve(A, b[:, :, None])[..., 0]
    return (x - exact).norm(dim=1) / exact.norm(dim=1)


@given(st.integers(0, 999), st.integers(1, 12), st.floats(0, 0.95))
@settings(max_examples=30)
def test_any_invertible_system_is_solved_within_its_dimension(seed, d, strength):
    A = torch.eye(d) - strength * normal(3, d, d, seed=seed) / d**0.5
    b = normal(3, d, seed=seed + 1)
    x, solved = solve(product(A), b, 1e-12)
    condition = torch.linalg.cond(A)
    assert (solved | (condition > 1e5)).all()
    assert (error(A, x, b)[solved] < 1e-10 * condition[solved]).all()


def test_where_a_residual_does_not_shrink_at_once_the_next_direction_is_another():
    """Of a rotation by 90 degrees and of a cyclic shift no step along the residual helps."""
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).double()
    shift = torch.eye(3).roll(1, 0).double()
    A, b = torch.stack([turn, shift]), torch.tensor([[1.0, 0, 0], [1.0, 0, 0]]).double()
    x, solved = solve(product(A), b, 1e-12)
    assert solved.all() and (error(A, x, b) < 1e-10).all()


def test_a_cloud_does_not_depend_on_its_batch_nor_on_one_that_cannot_be_solved():
    A = torch.eye(6) - 0.5 * normal(4, 6, 6) / 6**0.5
    A[2] = 0
    b = normal(4, 6, seed=1)
    b[3] = torch.nan
    x, solved = solve(product(A), b, 1e-10)
    assert solved.tolist() == [True, True, False, False]
    for i in (0, 1):
        alone, _ = solve(product(A[i : i + 1]), b[i : i + 1], 1e-10)
        torch.testing.assert_close(x[i], alone[0])
    assert x[2].isfinite().all()


def test_it_begins_again_where_memory_is_short():
    A = torch.eye(20) - 0.9 * normal(2, 20, 20) / 20**0.5
    b = normal(2, 20, seed=1)
    x, solved = solve(product(A), b, 1e-10, memory=8, restarts=40)
    assert solved.all() and (error(A, x, b) < 1e-6).all()


def test_a_damped_series_is_exact_in_the_limit_and_never_worse_than_its_first_term():
    J = normal(2, 5, 5)
    J = 0.7 * J / torch.linalg.matrix_norm(J, 2)[:, None, None]
    A, b = torch.eye(5) - J, normal(2, 5, seed=1)
    assert (error(A, damped_neumann(product(A), b, 200), b) < 1e-10).all()
    for strength in (0.5, 2.0, 50.0):
        A = torch.eye(5) - strength * normal(2, 5, 5, seed=2)
        left, first = ((b - product(A)(x)).norm(dim=1) for x in (damped_neumann(product(A), b), b))
        assert (left <= first).all()


@pytest.mark.parametrize("memory", [5, 50])
def test_products_are_one_a_step_for_the_whole_batch(memory):
    """Clouds of degree 1, 2 and 3: three products, and one to see what is left."""
    A = torch.stack([torch.diag(torch.tensor(d)) for d in ([2.0] * 3, [1.0, 2, 2], [1.0, 2, 3])])
    calls = []
    x, _ = solve(lambda u: calls.append(1) or product(A)(u), torch.ones(3, 3), 1e-5, memory)
    assert len(calls) == 4 and (error(A, x, torch.ones(3, 3)) < 1e-4).all()
