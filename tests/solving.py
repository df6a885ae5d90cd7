"""Small problems for solvers, with and without a network's operator."""

import torch

from ddeq.model.encoded import Encoded
from ddeq.solve.flow import Flow
from ddeq.solve.kernels import Riesz
from ddeq.solve.objective import Evaluation, Objective
from ddeq.solve.solvers import Problem


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def evaluation(z: torch.Tensor, image=None, velocity=None) -> Evaluation:
    none = torch.zeros(len(z))
    return Evaluation(z, z if image is None else image, none, velocity, none)


def towards(target: torch.Tensor):
    """The operator whose image is always ``target``."""
    return lambda z: target + 0 * z


def problem(z: torch.Tensor, operator=lambda z: z, kernel=None) -> Problem:
    return Problem(Objective(operator, kernel or Riesz()), z)


def flow_from(encoded: Encoded, z0: torch.Tensor, **how) -> Flow:
    """A flow of an encoded input with settings of its own."""
    return Flow(encoded.operator, z0, mask=encoded.mask, share=encoded.share, **how)


def stepped(solver, here: Evaluation, k: int, state):
    """A step of a solver that asks its problem for nothing but masses and kernel."""
    return solver.step(here, k, state, problem(here.particles))


class Function(Problem):
    """Any function of one particle a cloud, ``f(z (B, d)) -> (B,)``, in an objective's place."""

    def __init__(self, f, z0: torch.Tensor) -> None:
        super().__init__(Objective(lambda z: z, Riesz()), z0)
        self.f = f

    def evaluate(self, z, asking=None, velocity=True, hand_back=False) -> Evaluation:
        super().evaluate(z, asking, velocity)
        z = z.detach().requires_grad_()
        value = self.f(z[:, 0])
        (gradient,) = torch.autograd.grad(value.sum(), z)
        none = torch.zeros_like(value)
        return Evaluation(z.detach(), z.detach(), value.detach(), -gradient, none)


def minimise(solver, f, z0: torch.Tensor, steps: int) -> tuple[list[Evaluation], Function]:
    """Every evaluation a solver rests at while it minimises ``f`` from ``z0 (B, d)``."""
    z0 = z0[:, None]
    function, state = Function(f, z0), solver.start(z0)
    path = [function.evaluate(z0)]
    for k in range(steps):
        to, _, state = solver.step(path[-1], k, state, function)
        path.append(to if isinstance(to, Evaluation) else function.evaluate(to))
    return path, function
