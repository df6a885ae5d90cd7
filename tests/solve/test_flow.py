"""The loop: where it arrives, why it stops, and that its records say what happened."""

import copy
import dataclasses
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddeq.seeds import initial_particles, seeded
from ddeq.solve.flow import Flow, Stopped, StopRule, relative_to
from ddeq.solve.kernels import Gaussian, Riesz, SlicedRiesz, mmd2
from ddeq.solve.solvers import (
    SOLVERS,
    Anderson,
    Armijo,
    Euler,
    EulerDecay,
    Frozen,
    Momentum,
    Picard,
)
from tests.solving import flow_from


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def towards(target: torch.Tensor):
    """The operator whose image is always ``target``."""
    return lambda z: target + 0 * z


def solve(operator, z0, solver, steps=50, tolerance=0.0, **more) -> list:
    return list(Flow(operator, z0, solver=solver, stop=StopRule(steps, tolerance), **more))


@pytest.fixture
def digit_flow(tiny):
    """Makes flows of a tiny random DDEQ in double precision on clouds of a batch."""
    model = copy.deepcopy(tiny.model).double()
    x = normal(4, 9, 2, seed=1)
    mask = torch.arange(9) < torch.tensor([[9], [4], [7], [9]])
    z0 = initial_particles(seeded([3, 1, 4, 1]), 5, 16).double()

    def make(rows=slice(None), **more) -> Flow:
        encoded = model.encode(x[rows], mask[rows], twice=more.get("differentiable", False))
        return flow_from(encoded, z0[rows].clone(), **more)

    return make


# Stopping


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_a_fixed_point_stays_where_it_is(solver):
    z0 = normal(2, 5, 3)
    flow = Flow(lambda z: z * 1.0, z0, solver=solver())
    solution = flow.run()
    assert torch.equal(solution.particles, z0)
    assert solution.stopped == (Stopped.CONVERGED,) * 2
    assert solution.steps.tolist() == [0, 0] and solution.evaluations.tolist() == [1, 1]
    assert solution.relative_objective.tolist() == [0, 0]


@pytest.mark.parametrize("solver", [Euler(), EulerDecay(), Momentum()])
def test_a_fixed_point_up_to_the_order_of_particles_is_one(solver):
    z0 = normal(1, 5, 3)
    flow = Flow(lambda z: z[:, [4, 0, 1, 2, 3]], z0, solver=solver, stop=StopRule(5, 0))
    *_, last = flow
    torch.testing.assert_close(last.particles, z0, rtol=0, atol=1e-9)


def test_it_stops_at_the_first_step_at_or_below_the_tolerance():
    solver = EulerDecay(1.0, 10.0)
    steps = solve(towards(normal(1, 6, 2) + 3), normal(1, 6, 2, seed=1), solver, 300, 1e-2)
    relative = [float(s.relative_objective) for s in steps]
    assert relative[-1] <= 1e-2 < min(relative[:-1])
    assert [bool(s.running) for s in steps] == [True] * (len(steps) - 1) + [False]


def test_the_step_limit_is_a_number_of_steps():
    flow = Flow(towards(normal(1, 4, 2)), normal(1, 4, 2, seed=1), solver=Euler(), stop=StopRule(7))
    assert [s.step for s in flow] == list(range(8))
    assert flow.solution.stopped == (Stopped.STEP_LIMIT,)
    assert flow.solution.steps.item() == 7


def test_no_steps_are_the_initial_particles():
    z0 = normal(1, 4, 2)
    (only,) = solve(towards(normal(1, 4, 2, seed=1)), z0, Euler(), steps=0)
    assert torch.equal(only.particles, z0) and only.relative_objective.item() == 1


def test_leaving_early_is_cancelling():
    flow = Flow(towards(normal(1, 4, 2)), normal(1, 4, 2, seed=1), solver=Euler())
    with pytest.raises(RuntimeError):
        _ = flow.solution
    for step in flow:
        if step.step == 3:
            break
    assert flow.solution.stopped == (Stopped.CANCELLED,)
    assert flow.solution.steps.item() == 3
    assert torch.equal(flow.solution.particles, step.particles)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_a_cloud_that_blows_up_is_reported_and_leaves_the_others_alone(solver):
    factor = torch.tensor([0.5, math.inf])[:, None, None]
    z0 = normal(2, 4, 2)
    flow = Flow(lambda z: factor * z, z0, solver=solver(), stop=StopRule(30, 1e-3))
    solution = flow.run()
    alone = Flow(lambda z: 0.5 * z, z0[:1], solver=solver(), stop=StopRule(30, 1e-3)).run()
    assert solution.stopped == (*alone.stopped, Stopped.DIVERGED)
    assert solution.steps.tolist() == [alone.steps.item(), 0]
    torch.testing.assert_close(solution.particles[:1], alone.particles)


def test_a_nan_on_the_way_is_reported_at_its_step():
    def operator(z):
        return torch.where(z.abs().amax((1, 2), keepdim=True) > 20, math.nan, 2 * z)

    solution = Flow(operator, normal(1, 4, 2), solver=Picard()).run()
    assert solution.stopped == (Stopped.DIVERGED,)
    assert 1 <= solution.steps.item() <= 6


def test_what_never_was_finite_has_not_converged_by_the_numbers():
    flow = Flow(lambda z: z * math.nan, normal(1, 4, 2), solver=Picard())
    assert not flow.run().relative_objective.item() <= 1


@pytest.mark.parametrize("kernel", [Riesz(), SlicedRiesz(16)])
def test_what_is_left_below_rounding_has_not_converged_to_a_tolerance_that_is_smaller(kernel):
    """Particles 1e-7 from a cloud of size 1 are where single precision tells nothing apart."""
    target = normal(3, 6, 2).float() + 1
    near = target + torch.tensor([0.0, 1e-7, 1e-7])[:, None, None]

    def operator(z: torch.Tensor) -> torch.Tensor:
        return torch.where((z - target).abs() < 0.5, near, target + 0.1) + 0 * z

    z0 = target + 9
    how = {"solver": Picard(), "kernel": kernel}
    fine = Flow(operator, z0, stop=StopRule(9, 1e-12), **how).run()
    assert fine.stopped == (Stopped.BELOW_ROUNDING,) * 3
    assert fine.objective.tolist() == fine.relative_objective.tolist() == [0, 0, 0]
    coarse = Flow(operator, z0, stop=StopRule(9, 1e-3), **how).run()
    assert coarse.stopped == (Stopped.CONVERGED,) * 3


def test_every_reason_but_success_comes_with_advice():
    for reason in Stopped:
        advice = reason.advice
        assert (advice == "") == (reason is Stopped.CONVERGED)
        assert not advice or (advice.endswith(".") and advice[0].isupper())


# Records


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_records_say_what_happened(digit_flow, solver):
    flow = digit_flow(slice(0, 1), solver=solver(), kernel=Riesz(1.3), stop=StopRule(6, 0.0))
    steps, copies = [], []
    for step in flow:
        steps.append(step)
        copies.append(step.particles.clone())
    operator = flow.objective.operator
    for k, step in enumerate(steps):
        assert step.step == k
        assert step.evaluations.item() == k + 1 or solver is Armijo
        assert torch.equal(step.particles, copies[k])  # later steps have not written into it
        objective = mmd2(step.particles, operator(step.particles), Riesz(1.3)) / 2
        torch.testing.assert_close(step.objective, objective)
        torch.testing.assert_close(step.relative_objective, objective / steps[0].objective)
        norm = step.velocity[0].square().sum(-1).mean().sqrt()
        torch.testing.assert_close(step.gradient_norm[0], norm)
    assert all(a.seconds <= b.seconds for a, b in pairwise(steps))
    assert steps[-1].step_size.item() == 0 and all(s.step_size.item() > 0 for s in steps[:-1])
    for record in (steps[0], flow.solution):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.objective = None


def test_consecutive_records_are_one_euler_step_apart(digit_flow):
    steps = list(digit_flow(solver=Euler(0.5), stop=StopRule(5, 0.0)))
    for here, after in pairwise(steps):
        moved = here.particles + here.step_size[:, None, None] * here.velocity
        torch.testing.assert_close(after.particles, moved)


def test_the_solution_is_the_last_record(digit_flow):
    flow = digit_flow(solver=Picard(), stop=StopRule(100, 1e-2))
    *_, last = flow
    for name in ("particles", "image", "objective", "relative_objective", "evaluations"):
        assert torch.equal(getattr(flow.solution, name), getattr(last, name))


def test_a_solver_without_gradient_saves_it_unless_asked():
    z0, operator = normal(1, 4, 2), towards(normal(1, 4, 2, seed=1))
    without = solve(operator, z0, Picard(0.5), steps=3, velocity=False)
    assert all(s.velocity is None and s.gradient_norm.isnan().all() for s in without)
    asked = solve(operator, z0, Picard(0.5), steps=3)
    assert all(s.velocity is not None for s in asked)
    assert all(torch.equal(a.particles, b.particles) for a, b in zip(asked, without, strict=True))
    needed = solve(operator, z0, Euler(), steps=3, velocity=False)
    assert all(s.velocity is not None for s in needed)


def test_relative_objective_of_a_solve_that_began_at_its_fixed_point_is_0():
    relative = relative_to(torch.tensor([1.0, 0.0, 3.0]), torch.tensor([2.0, 0.0, 0.0]))
    assert relative.tolist() == [0.5, 0, 0]


# Determinism and independence


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_a_cloud_does_not_depend_on_its_batch(digit_flow, solver):
    # Chattering amplifies rounding, and each step of Frozen is twenty.
    stop = StopRule(2 if solver is Frozen else 12, 0.05)
    together = digit_flow(solver=solver(), stop=stop).run()
    for i in range(4):
        alone = digit_flow(slice(i, i + 1), solver=solver(), stop=stop).run()
        assert alone.steps[0] == together.steps[i]
        assert alone.evaluations[0] == together.evaluations[i]
        assert alone.stopped[0] is together.stopped[i]
        torch.testing.assert_close(alone.particles[0], together.particles[i], rtol=1e-6, atol=1e-6)


def test_clouds_stop_one_by_one_and_then_rest():
    """Three clouds at different distances from one target, with a step that overshoots late."""
    target = torch.zeros(3, 4, 2, dtype=torch.float64)
    near = normal(1, 4, 2) * torch.tensor([0.0, 1.0, 10.0])[:, None, None]
    flow = Flow(towards(target), near, solver=Euler(0.5), stop=StopRule(100, 0.3))
    steps = list(flow)
    counts = flow.solution.steps.tolist()
    assert counts[0] == 0 < counts[1] < counts[2]
    assert flow.solution.evaluations.tolist() == [n + 1 for n in counts]
    for i, count in enumerate(counts):
        for step in steps[count:]:
            assert torch.equal(step.particles[i], steps[count].particles[i])
            assert not step.running[i] and step.step_size[i] == 0


@dataclasses.dataclass
class Shrinking:
    """Clouds that shrink at rates of their own; counts the clouds that it is asked about."""

    rates: torch.Tensor
    asked: list[int]

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(z))
        return self.rates[:, None, None] * z

    def only(self, clouds: torch.Tensor) -> "Shrinking":
        return Shrinking(self.rates[clouds], self.asked)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("solver", SOLVERS)
def test_stopped_clouds_are_not_asked_about_and_nothing_else_changes(solver, noise):
    """As many clouds are evaluated as the solver is charged for, and the results are the same."""
    z0, rates = normal(5, 4, 3), torch.tensor([0.1, 0.9, 0.5, 0.99, 0.2]).double()
    how = {"solver": SOLVERS[solver](), "stop": StopRule(30, 0.05), "noise": noise}
    asked: list[int] = []
    some = Flow(Shrinking(rates, asked), z0, **how, generators=seeded(range(5))).run()
    plain = Shrinking(rates, [])
    every = Flow(lambda z: plain(z), z0, **how, generators=seeded(range(5))).run()
    assert sum(asked) == int(some.evaluations.sum()) <= sum(plain.asked)
    assert sum(asked) < sum(plain.asked) or len(some.steps.unique()) == 1
    assert some.stopped == every.stopped and torch.equal(some.steps, every.steps)
    assert torch.equal(some.evaluations, every.evaluations)
    torch.testing.assert_close(some.particles, every.particles)
    torch.testing.assert_close(some.objective, every.objective)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_same_seed_is_the_same_trajectory_bit_for_bit(digit_flow, noise):
    def trajectory(seeds) -> list[torch.Tensor]:
        generators = seeded(seeds)
        flow = digit_flow(solver=Momentum(), noise=noise, generators=generators, stop=StopRule(8))
        return [s.particles for s in flow]

    first, again = trajectory([1, 2, 3, 4]), trajectory([1, 2, 3, 4])
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    other = trajectory([1, 2, 3, 5])
    assert torch.equal(first[-1][3], other[-1][3]) == (noise == 0)


# Noise


def test_noise_costs_a_second_evaluation_and_does_not_depend_on_the_batch(digit_flow):
    together = digit_flow(
        solver=Euler(1.0), noise=0.3, generators=seeded([7, 8, 9, 10]), stop=StopRule(4, 0.0)
    )
    steps = list(together)
    assert [s.evaluations[0].item() for s in steps] == [2, 4, 6, 8, 9]
    alone = digit_flow(
        slice(2, 3), solver=Euler(1.0), noise=0.3, generators=seeded([9]), stop=StopRule(4, 0.0)
    ).run()
    torch.testing.assert_close(alone.particles[0], steps[-1].particles[2], rtol=1e-6, atol=1e-6)


def test_noise_is_added_to_the_place_of_the_gradient_only():
    """The velocity is that at ``z + beta u``; particles and objective are those at ``z``."""
    z0, beta, operator = normal(1, 5, 2), 0.4, towards(normal(1, 5, 2, seed=1))
    first = solve(operator, z0, Euler(1.0), 1, noise=beta, generators=seeded([3]))[0]
    u = torch.randn(5, 2, generator=seeded([3])[0])[None].double()
    quiet = solve(operator, z0, Euler(1.0), 1)[0]
    shaken = solve(operator, z0 + beta * u, Euler(1.0), 1)[0]
    assert torch.equal(first.particles, z0)
    torch.testing.assert_close(first.objective, quiet.objective)
    torch.testing.assert_close(first.velocity, shaken.velocity)


def test_noise_does_not_move_padding():
    mask = torch.tensor([[True, True, True, False]])
    seen = []

    def operator(z):
        seen.append(z.detach().clone())
        return 0.5 * z

    z0 = normal(1, 4, 2)
    solve(operator, z0, Euler(0.1), 3, noise=1.0, generators=seeded([0]), mask=mask)
    assert torch.equal(seen[1][0, 3], z0[0, 3]) and not torch.equal(seen[1][0, 1], z0[0, 1])


def test_noise_needs_a_generator_for_each_cloud():
    with pytest.raises(ValueError):
        Flow(towards(normal(2, 4, 2)), normal(2, 4, 2), solver=Euler(), noise=1.0)


# Known answers


@pytest.mark.parametrize("solver", [EulerDecay(1.0, 25.0, 1e-4), Momentum(1.0, 0.8, 20.0, 1e-4)])
@given(seed=st.integers(0, 99))
@settings(max_examples=5)
def test_decaying_flows_reach_a_fixed_target_as_a_measure(solver, seed):
    target, z0 = normal(1, 4, 2, seed=seed), normal(1, 4, 2, seed=seed + 100) + 2
    last = solve(towards(target), z0, solver, 300)[-1]
    assert last.relative_objective.item() < 1e-3
    nearest = torch.cdist(target[0], last.particles[0]).amin(1)
    assert nearest.max() < 0.05


def test_picard_lands_on_a_fixed_target_in_one_step():
    target = normal(1, 8, 2)
    steps = solve(towards(target), normal(1, 8, 2, seed=1), Picard(), 50, 1e-9)
    assert len(steps) == 2 and torch.equal(steps[-1].particles, target)


@given(st.floats(0.2, 4), st.floats(0, 1))
@settings(max_examples=20)
def test_one_particle_under_constant_euler_chatters_at_half_its_step_on_average(gamma, start):
    """The pull is a unit vector, so near 0 the particle jumps between ``u`` and ``gamma - u``.

    ``G = 1/2 MMD^2 = |z|`` there: its mean over two steps is exactly ``gamma / 2``.
    """
    z0 = torch.full((1, 1, 1), 3 + 0.9 * start + 0.01, dtype=torch.float64)
    steps = solve(towards(torch.zeros_like(z0)), z0, Euler(gamma), 60)
    plateau = (steps[-1].objective + steps[-2].objective).item() / 2
    assert plateau == pytest.approx(gamma / 2, rel=1e-9)


def test_the_plateau_of_a_cloud_halves_with_the_step():
    target, z0 = normal(4, 8, 2), normal(4, 8, 2, seed=1) + 1

    def plateau(gamma: float) -> float:
        steps = solve(towards(target), z0, Euler(gamma), int(80 / gamma))
        tail = [s.objective.mean().item() for s in steps[len(steps) // 2 :]]
        return sum(tail) / len(tail)

    coarse, fine, finer = (plateau(gamma) for gamma in (1.0, 0.5, 0.25))
    assert 0.3 < fine / coarse < 0.7 and 0.3 < finer / fine < 0.7


def test_a_smoothed_kernel_does_not_chatter():
    target, z0 = normal(1, 8, 2), normal(1, 8, 2, seed=1)
    sharp = solve(towards(target), z0, Euler(0.5), 400)[-1].relative_objective.item()
    smooth = solve(towards(target), z0, Euler(0.5), 400, kernel=Riesz(1.0, 1.0))[-1]
    assert smooth.relative_objective.item() < 0.1 * sharp


def test_anderson_solves_a_linear_contraction_in_about_dimension_plus_one_steps():
    A = normal(4, 4)
    A = 0.7 * A / torch.linalg.matrix_norm(A, 2)
    b = normal(1, 1, 4, seed=1)
    flow = Flow(
        lambda z: z @ A + b,
        normal(1, 1, 4, seed=2),
        solver=Anderson(10, ridge=1e-13),
        stop=StopRule(50, 1e-6),
    )
    solution = flow.run()
    expected = torch.linalg.solve(torch.eye(4) - A.T, b[0, 0])
    assert solution.stopped == (Stopped.CONVERGED,) and solution.steps.item() <= 6
    torch.testing.assert_close(solution.particles[0, 0], expected, rtol=0, atol=1e-4)
    plain = Flow(lambda z: z @ A + b, flow.z0, solver=Picard(), stop=StopRule(50, 1e-6)).run()
    assert plain.steps > 2 * solution.steps


def test_euler_converges_with_first_order_on_a_smooth_kernel():
    """The error at time 1 halves with the step, against a fine solution."""
    W = 0.5 * normal(2, 2, seed=3)
    z0 = normal(1, 6, 2)

    def at_time_1(steps: int) -> torch.Tensor:
        flow = Flow(
            lambda z: torch.tanh(z @ W) + 1,
            z0,
            solver=Euler(1 / steps),
            kernel=Gaussian(1.0),
            stop=StopRule(steps, 0.0),
        )
        return flow.run().particles

    exact = 2 * at_time_1(400) - at_time_1(200)  # Richardson: one order better
    errors = [(at_time_1(n) - exact).norm().item() for n in (8, 16, 32)]
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("kernel", [Gaussian(2.0), Riesz(1.0, 0.5)])
def test_small_steps_never_raise_the_objective(kernel):
    operator = lambda z: torch.tanh(z @ normal(2, 2)) + 1  # noqa: E731
    steps = solve(operator, normal(1, 6, 2), Euler(0.02), 100, kernel=kernel)
    objective = [s.objective.item() for s in steps]
    assert all(after <= here for here, after in pairwise(objective))
