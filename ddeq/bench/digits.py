"""Digits: how fast a solve is, against the naive way to write it, measured in one run."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ddeq.bench.rate import matmul_operations, matmul_rate
from ddeq.bench.timing import milliseconds, wait
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.flow import Flow
from ddeq.solve.kernels import Riesz, mmd2
from ddeq.solve.solvers import Euler
from ddeq.threads import enough_for

POINTS = 130
KNOWN, FREE = 100, 40  # of a digit to complete
MANY = 1000  # particles of the largest size
NAIVE_STEPS = 10  # the naive way is slow, and its steps all cost the same


def naive_flow(
    model: Classifier,
    x: Tensor,
    z: Tensor,
    steps: int,
    mask: Tensor | None = None,
    step_size: Callable[[int], float] = lambda k: 5.0,
    tolerance: float = 0.0,
) -> int:
    """Euler steps as one writes them first; returns how many were taken.

    The input is encoded at every step, ``backward`` goes through everything, parameters included,
    and ``F`` is evaluated again for the stopping test.

    Args:
        model: its weights get gradients, too.
        x: ``(B, M, d_x)``.
        z: ``(B, N, d)``.
        steps: at most so many.
        mask: ``(B, M)`` bool, True where a point is valid.
        step_size: of step ``k``.
        tolerance: of all clouds' relative objectives.
    """
    before = None
    with enough_for(z.shape[0] * z.shape[1]):
        for k in range(steps):
            z = z.detach().requires_grad_()
            image = model.operator(z, model.operator.encode(x, mask))
            objective = mmd2(z, image, Riesz()) / 2  # (B,)
            before = objective.detach() if before is None else before
            objective.sum().backward()
            assert z.grad is not None
            z = z.detach() - step_size(k) * z.shape[1] * z.grad
            with torch.no_grad():
                after = mmd2(z, model.operator(z, model.operator.encode(x, mask)), Riesz()) / 2
            if float((after / before).max()) <= tolerance:
                return k + 1
    return steps


def measure(
    config: OperatorConfig,
    batch: int,
    steps: int,
    device: torch.device | str,
    repeats: int,
    points: int = POINTS,
    particles: int | None = None,
    naive_steps: int | None = None,
) -> dict:
    """Milliseconds a step of the flow and of the naive way, medians over ``repeats``.

    ``matmul_share`` is the rate of matrix operations in a step over that of one large product.

    Args:
        config: sizes of the operator; its weights are random, which changes no timing.
        batch: how many clouds at once.
        steps: of one solve.
        device: where to measure.
        repeats: of every measurement.
        points: of each cloud.
        particles: of each cloud; default: 10.
        naive_steps: over which the naive way is timed; default: :data:`NAIVE_STEPS`.
    """
    torch.manual_seed(0)
    model = Classifier(ClassifierConfig(config)).eval().to(device)
    naive_model = copy.deepcopy(model)
    model.requires_grad_(False)  # as loaded from a checkpoint
    x = torch.randn(batch, points, config.input_dim, device=device)
    z0 = model.start(range(batch), particles)
    first: list[float] = []
    encoded: list[float] = []

    def solve() -> None:
        began = time.perf_counter()
        flow = flow_of(model.encode(x), z0, euler(steps))
        for step in flow:
            if step.step == 0:
                wait(device)
                first.append(1e3 * (time.perf_counter() - began))
        wait(device)
        encoded.append(1e3 * flow.solution.seconds / steps)

    few = min(steps, naive_steps or NAIVE_STEPS)

    def naive() -> None:
        naive_flow(naive_model, x, z0, few)
        wait(device)

    flow = flow_of(model.encode(x), z0, euler(steps))
    operations = matmul_operations(lambda: flow.objective(z0))  # of one step
    ours, theirs = [], []
    solve()  # warm up
    naive()
    first.clear()
    encoded.clear()
    for _ in range(repeats):  # taking turns, so that a slow moment hurts both
        ours.append(milliseconds(solve) / steps)
        theirs.append(milliseconds(naive) / few)
    mine, slow = statistics.median(ours), statistics.median(theirs)
    after_encoding = statistics.median(encoded)
    return {
        "batch": batch,
        "particles": z0.shape[1],
        "steps": steps,
        "ms_per_step": mine,
        "ms_per_step_after_encoding": after_encoding,
        "ms_per_step_naive": slow,
        "ratio": slow / mine,
        "ms_to_first_step": statistics.median(first),
        "matmul_share": operations / (1e-3 * after_encoding) / matmul_rate(device),
    }


def measure_completion(
    config: CompleterConfig,
    steps: int,
    device: torch.device | str,
    repeats: int,
    known: int = KNOWN,
    free: int = FREE,
) -> dict:
    """Milliseconds a step of completing one cloud by Euler steps, each with its exact velocity.

    Args:
        config: sizes of the model; its weights are random.
        steps, device, repeats: as of :func:`measure`.
        known, free: points and particles of the cloud.
    """
    begin = completion(config, known, free, device)

    def solve() -> None:
        begin(euler(steps)).run()
        wait(device)

    solve()  # warm up
    spent = [milliseconds(solve) / steps for _ in range(repeats)]
    return {"known": known, "free": free, "steps": steps, "ms_per_step": statistics.median(spent)}


def completion(
    config: CompleterConfig, known: int, free: int, device: torch.device | str
) -> Callable[[RunSettings], Flow]:
    """A random model and cloud to complete: settings -> the flow, encoded and not yet run."""
    torch.manual_seed(0)
    model = Completer(config).eval().requires_grad_(False).to(device)
    dim = config.operator.input_dim
    points = torch.randn(1, known, dim, device=device)
    return lambda settings: flow_of(
        model.encode(points, None, [free]), model.start([0], [free]), settings
    )


def euler(steps: int) -> RunSettings:
    """So many Euler steps of the paper, with their exact velocities."""
    return RunSettings(Euler(), Riesz(), Limits()).taking(steps)


def bench(device: torch.device | str = "cpu", steps: int = 200, repeats: int = 5) -> dict:
    """The paper's digit models, and the shipped ones; classifiers in three sizes."""
    return {
        "points": POINTS,
        "paper": _sizes(OperatorConfig(), device, steps, repeats),
        "shipped": _sizes(OperatorConfig(heads=8), device, steps, repeats),
        "completion_paper": measure_completion(
            CompleterConfig(OperatorConfig(cross_layers=3)), steps, device, repeats
        ),
        "completion_shipped": measure_completion(
            CompleterConfig(OperatorConfig(heads=8, cross_layers=3), lift="mlp"),
            steps,
            device,
            repeats,
        ),
    }


def _sizes(config: OperatorConfig, device: torch.device | str, steps: int, repeats: int) -> dict:
    few = max(1, steps // 10)  # what takes long is timed over fewer steps
    return {
        "batch_1": measure(config, 1, steps, device, repeats),
        "batch_64": measure(config, 64, few, device, repeats),
        f"particles_{MANY}": measure(
            config, 1, few, device, repeats, particles=MANY, naive_steps=1
        ),
    }
