"""Where every solver goes under every kernel, written down for the test of that.

``python -m tests.solve.make_golden_trajectories``: only where a trajectory is meant to change; the
commit says why it does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ddeq.seeds import seeded
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS

FILE = Path(__file__).parent / "golden_trajectories.npz"
KEPT = (1, 2, 5, 10)  # steps
B, N, D = 3, 5, 3


def normal(*shape: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def operator(z: Tensor) -> Tensor:
    """A contraction in which every particle's image depends on every particle of its cloud."""
    W, V, pull = normal(D, D, seed=1), normal(D, D, seed=2), normal(B, 1, D, seed=3)
    mean = z.mean(1, keepdim=True)
    return torch.tanh(0.4 * z @ W.to(z) + 0.3 * mean @ V.to(z)) + pull.to(z)


def trajectory(solver: str, kernel: str, noise: float, dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Particles ``(4, B, N, D)``, step sizes and evaluations ``(4, B)`` at the steps of `KEPT`."""
    flow = Flow(
        operator,
        (2 * normal(B, N, D, seed=4)).to(dtype),
        solver=SOLVERS[solver](),
        kernel=KERNELS[kernel](),
        stop=StopRule(KEPT[-1], 0.02),
        noise=noise,
        generators=seeded([5, 6, 7]),
    )
    steps = list(flow)
    kept = [steps[min(k, len(steps) - 1)] for k in KEPT]
    return {
        name: torch.stack([getattr(step, name) for step in kept]).numpy()
        for name in ("particles", "step_size", "evaluations")
    }


def cases() -> list[tuple[str, str, float, torch.dtype]]:
    """Every solver under every kernel, with noise under the first."""
    quiet = [(s, k, 0.0, dtype) for s in SOLVERS for k in KERNELS for dtype in DTYPES]
    return [*quiet, *((s, "riesz", 0.3, torch.float64) for s in SOLVERS)]


DTYPES = (torch.float64, torch.float32)


def name_of(solver: str, kernel: str, noise: float, dtype: torch.dtype) -> str:
    return f"{solver} {kernel} {noise} {str(dtype).removeprefix('torch.')}"


def arithmetic() -> Tensor:
    """Numbers whose last bits differ between machines whose arithmetic does."""
    z = normal(B, N, D, seed=8)
    parts = [operator(z), operator(z.float()).double(), torch.cdist(z, z), (z @ z.mT).softmax(2)]
    return torch.cat([part.flatten() for part in parts])


def main() -> None:
    torch.set_num_threads(1)
    arrays = {"arithmetic": arithmetic().numpy()}
    for case in cases():
        for what, values in trajectory(*case).items():
            arrays[f"{name_of(*case)} {what}"] = values
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
