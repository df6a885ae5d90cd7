"""What people read when they choose."""

from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS


def test_every_solver_and_kernel_is_offered_with_one_sentence():
    for registry in (SOLVERS, KERNELS):
        assert set(registry.hints) == set(registry)
        for hint in registry.hints.values():
            assert hint.endswith(".") and len(hint) < 90
