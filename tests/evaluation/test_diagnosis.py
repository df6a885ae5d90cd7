"""Diagnosis of operators whose answers are known."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.evaluation.diagnosis import Findings, advice, diagnose, gradient_off, spectral_radius
from ddeq.model.encoded import Encoded


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def starts(seed: int) -> torch.Tensor:
    return normal(3, 6, 2, seed=seed)


def times(matrix: torch.Tensor):
    """Every particle times a matrix."""
    return lambda z: z @ matrix.to(z).T


@given(
    st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4).filter(lambda e: max(map(abs, e)) > 0.1)
)
def test_the_radius_of_a_linear_map_is_that_of_its_eigenvalues(eigenvalues):
    largest = sorted(map(abs, eigenvalues))
    if largest[-2] > 0.8 * largest[-1] and largest[-2] != largest[-1]:
        eigenvalues = [largest[-1]] * 4  # two that are nearly the same take long to tell apart
    basis = torch.linalg.qr(normal(4, 4, seed=1)).Q
    matrix = basis @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.T
    found = spectral_radius(times(matrix), normal(2, 3, 4))
    torch.testing.assert_close(found, torch.full((2,), largest[-1]).double(), rtol=0.02, atol=1e-6)


@pytest.mark.parametrize("angle", [0.3, 1.0, 2.0])
def test_a_turn_that_shrinks_has_the_radius_of_its_shrinking(angle):
    """Its eigenvalues are complex: what is turned grows and shrinks on the way."""
    c, s = math.cos(angle), math.sin(angle)
    skewed = torch.tensor([[1.0, 3.0], [0.0, 1.0]])
    turn = skewed @ torch.tensor([[c, -s], [s, c]]) @ torch.linalg.inv(skewed)
    found = spectral_radius(times(0.7 * turn), normal(2, 3, 2))
    torch.testing.assert_close(found, torch.full((2,), 0.7).double(), rtol=0.1, atol=0)


def test_an_operator_that_does_not_look_at_its_particles_has_radius_0():
    target = normal(3, 6, 2, seed=9)
    found = diagnose(Encoded(lambda z: target.to(z) + 0 * z), starts, steps=5)
    assert found.spectral_radius == 0 and found.gradient_off == pytest.approx(0, abs=1e-3)
    assert found.distinct == 6 and found.seeds_apart == pytest.approx(0, abs=1e-6)
    assert found.floors["picard"] == pytest.approx(0, abs=1e-9)
    assert spectral_radius(lambda z: target, starts(0)).tolist() == [0, 0, 0]


def test_a_map_to_one_point_is_a_collapse_and_a_map_to_itself_forgets_no_seed():
    point = diagnose(Encoded(lambda z: 0.5 * z.mean(1, keepdim=True) + 0 * z), starts, steps=5)
    assert point.distinct == 1
    same = diagnose(Encoded(lambda z: z), starts, steps=5)
    assert same.spectral_radius == pytest.approx(1) and same.seeds_apart > 0.25


def test_the_angle_of_the_gradients_is_that_of_the_linear_equation():
    matrix = torch.tensor([[0.2, 0.6], [-0.4, 0.3]], dtype=torch.float64)
    z = normal(1, 4, 2)
    loss = torch.randn(z.shape, generator=torch.Generator().manual_seed(0), dtype=z.dtype)
    exact = torch.linalg.solve(torch.eye(2).double() - matrix.T, loss[0].T).T
    cosine = torch.cosine_similarity(exact.flatten(), loss.flatten(), dim=0)
    assert gradient_off(times(matrix), z) == pytest.approx(math.degrees(math.acos(cosine)), abs=0.1)


GOOD = Findings(10, 0.5, 9, 0.1, {"picard": 1e-5, "anderson": 1e-6}, 10)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({}, "anderson comes lowest"),
        ({"spectral_radius": 0.95}, "Anderson acceleration"),
        ({"spectral_radius": 2.0}, "does not contract"),
        ({"distinct": 3}, "separation_weight"),
        ({"seeds_apart": 1.0}, "several equilibria"),
        ({"gradient_off": 80.0}, "phantom-k"),
    ],
)
def test_each_fault_has_its_advice_and_no_other_changes(bad, said):
    changed = advice(Findings(**{**vars(GOOD), **bad}))
    assert any(said in sentence for sentence in changed)
    assert sum(a != b for a, b in zip(advice(GOOD), changed, strict=True)) == len(bad)
