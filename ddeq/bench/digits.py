"""Digits: how fast a solve is, against the naive way to write it, measured in one run."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ddeq.bench.rate import matmul_operations, matmul_rate
from ddeq.bench.timing import milliseconds
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.clock import wait
from ddeq.solve.flow import Flow, StopRule
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
    stop: StopRule,
    mask: Tensor | None = None,
    step_size: Callable[[int], float] = lambda k: 5.0,
) -> int:
    """Euler steps as one writes them first; returns how many were taken.

    The input is encoded at every step, ``backward`` goes through everything, parameters included,
    and ``F`` is evaluated again for the stopping test.

    Args:
        model: its weights get gradients, too.
        x: ``(B, M, d_x)``.
        z: ``(B, N, d)``.
        stop: after so many steps, or when all clouds' relative objectives have come so far.
        mask: ``(B, M)`` bool, True where a point is valid.
        step_size: of step ``k``.
    """
    before = None
    with enough_for(z.shape[0] * z.shape[1]):
        for k in range(stop.max_steps):
            z = z.detach().requires_grad_()
            image = model.operator(z, model.operator.encode(x, mask))
            objective = mmd2(z, image, Riesz()) / 2  # (B,)
            before = objective.detach() if before is None else before
            objective.sum().backward()
            assert z.grad is not None
            z = z.detach() - step_size(k) * z.shape[1] * z.grad
            with torch.no_grad():
                after = mmd2(z, model.operator(z, model.operator.encode(x, mask)), Riesz()) / 2
            if float((after / before).max()) <= stop.tolerance:
                return k + 1
    return stop.max_steps


@dataclass(frozen=True)
class Size:
    """What is solved at once: so many clouds of ``points`` points, each by ``particles``.

    Attributes:
        steps: of one solve, over which the flow is timed.
        naive_steps: over which the naive way is timed, at most ``steps``.
    """

    batch: int
    steps: int
    points: int = POINTS
    particles: int | None = None
    naive_steps: int = NAIVE_STEPS


def measure(config: OperatorConfig, size: Size, device: torch.device | str, repeats: int) -> dict:
    """Milliseconds a step of the flow and of the naive way, medians over ``repeats``.

    ``matmul_share`` is the rate of matrix operations in a step over that of one large product. The
    weights are random, which changes no timing.
    """
    torch.manual_seed(0)
    model = Classifier(ClassifierConfig(config)).eval().to(device)
    naive_model = copy.deepcopy(model)
    model.requires_grad_(False)  # as loaded from a checkpoint
    x = torch.randn(size.batch, size.points, config.input_dim, device=device)
    z0 = model.start(range(size.batch), size.particles)
    steps, few = size.steps, min(size.steps, size.naive_steps)
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

    naive = partial(naive_flow, naive_model, x, z0, StopRule(few, 0.0))  # its tests wait
    solve()  # warm up
    naive()
    first.clear()
    encoded.clear()
    ours, theirs = _in_turns(solve, naive, repeats)
    flow = flow_of(model.encode(x), z0, euler(steps))
    after_encoding = statistics.median(encoded)
    return {
        "batch": size.batch,
        "particles": z0.shape[1],
        "steps": steps,
        "ms_per_step": ours / steps,
        "ms_per_step_after_encoding": after_encoding,
        "ms_per_step_naive": theirs / few,
        "ratio": theirs / few * steps / ours,
        "ms_to_first_step": statistics.median(first),
        "matmul_share": _matmul_share(lambda: flow.objective(z0), after_encoding, device),
    }


def _matmul_share(step: Callable[[], object], ms: float, device: torch.device | str) -> float:
    """The rate of matrix operations of a step that takes so long, over that of a large product."""
    return matmul_operations(step) / (1e-3 * ms) / matmul_rate(device)


def _in_turns(
    a: Callable[[], object], b: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median milliseconds of each, taking turns, so that a slow moment hurts both."""
    spent = [(milliseconds(a), milliseconds(b)) for _ in range(repeats)]
    of_a, of_b = zip(*spent, strict=True)
    return statistics.median(of_a), statistics.median(of_b)


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
    sizes = {
        "batch_1": Size(1, steps),
        "batch_64": Size(64, few),
        f"particles_{MANY}": Size(1, few, particles=MANY, naive_steps=1),
    }
    return {name: measure(config, size, device, repeats) for name, size in sizes.items()}
