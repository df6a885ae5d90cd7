"""What people read when they choose."""

from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS
from ddeq.view.forms import KERNEL_HINTS, SOLVER_HINTS


def test_every_solver_and_kernel_is_offered_with_one_sentence():
    assert list(SOLVER_HINTS) == list(SOLVERS) and list(KERNEL_HINTS) == list(KERNELS)
    for hint in (*SOLVER_HINTS.values(), *KERNEL_HINTS.values()):
        assert hint.endswith(".") and len(hint) < 90
