"""Every solver goes where it went when its trajectory was written down, under every kernel.

What arranges the arithmetic anew must not change it: where a machine computes as the one that
wrote the file did, every bit is the same; elsewhere, all that rounding leaves. What is not in the
file is newer than it.
"""

import numpy as np
import pytest
import torch

from tests.solve.make_golden_trajectories import FILE, arithmetic, trajectory

with np.load(FILE) as file:
    GOLDEN = dict(file)
CASES = sorted({name.rpartition(" ")[0] for name in GOLDEN} - {""})

# Rounding grows where particles chatter, so elsewhere only so many of the steps are compared; of
# solvers that take many moves a step, fewer.
STEADY = {"float64": (4, 1e-6), "float32": (2, 1e-3)}
MANY_MOVES = ("frozen", "majorise")


@pytest.fixture(scope="module")
def same_arithmetic() -> bool:
    return np.array_equal(GOLDEN["arithmetic"], arithmetic().numpy())


@pytest.mark.parametrize("case", CASES)
def test_a_trajectory_is_the_one_written_down(same_arithmetic, case):
    solver, kernel, noise, dtype = case.split()
    found = trajectory(solver, kernel, float(noise), getattr(torch, dtype))
    for what, values in found.items():
        expected = GOLDEN[f"{case} {what}"]
        if same_arithmetic:
            np.testing.assert_array_equal(values, expected, err_msg=what)
        elif what == "particles":
            steps, tolerance = STEADY[dtype]
            steps //= 2 if solver in MANY_MOVES else 1
            np.testing.assert_allclose(values[:steps], expected[:steps], tolerance, tolerance)
