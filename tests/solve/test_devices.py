"""Everything runs on a device that is not the processor, and says there what it says here.

The device is pretended (``tests/pretend.py``), so it needs no GPU.
"""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch

from ddeq.input.hollow import Hollow
from ddeq.lab.early_exit import Exam, Measurement
from ddeq.lab.equilibria import Search
from ddeq.lab.fork import Fork
from ddeq.lab.phase import Grid, Sweep, axis, fields
from ddeq.lab.runs import LabRun
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.classification import ClassifierRun
from ddeq.run.completion import CompleterRun
from ddeq.run.settings import RunSettings
from ddeq.seeds import seeded
from ddeq.solve.flow import LOOK_EVERY, Flow, Stopped, StopRule
from ddeq.solve.kernels import KERNELS, Riesz, SlicedRiesz
from ddeq.solve.solvers import SOLVERS, Armijo, Euler, Picard
from ddeq.training.datasets.holes import Holes
from ddeq.training.datasets.packed import Augmentation, PackedClouds
from ddeq.training.recipes import Recipe, Solve, Stage
from ddeq.training.tasks import TASKS
from tests.pretend import DEVICE, WrongDevice, pretended

POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
PLAIN = {"solver": "euler-decay", "kernel": "riesz", "steps": 6, "tolerance": 0, "particles": 5}


def settings(**changes: object) -> RunSettings:
    return RunSettings.from_dict({**PLAIN, **changes})


def assert_same_on_both(work, rounding: float = 1e-5) -> None:
    """``work(device)`` returns the same numbers here and there."""
    with pretended():
        there = numbers(work(DEVICE))
    here = numbers(work(torch.device("cpu")))
    assert len(here) == len(there) > 0
    for a, b in zip(here, there, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=rounding, equal_nan=True)


def moved(checkpoint: Checkpoint, device: torch.device) -> Checkpoint:
    return dataclasses.replace(checkpoint, model=copy.deepcopy(checkpoint.model).to(device))


def numbers(found: object) -> list[torch.Tensor]:
    """All that a result holds, as tensors here, but for the time it took."""
    if isinstance(found, torch.Tensor):
        return [found.detach().cpu()]
    if isinstance(found, np.ndarray | int | float | bool):
        return [torch.as_tensor(found)]
    if dataclasses.is_dataclass(found):
        found = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    if isinstance(found, dict):
        skipped = ("seconds", "milliseconds", "control_milliseconds", "device")
        found = [part for name, part in found.items() if name not in skipped]
    return [n for part in found for n in numbers(part)] if isinstance(found, list | tuple) else []


@pytest.fixture(autouse=True)
def nothing_kept():
    """Directions are kept by device; those of a pretended one end with it."""
    yield
    from ddeq.solve.kernels import sliced

    sliced.directions_on.cache_clear()


# Solves

PAIRS = [
    *((solver, "riesz") for solver in SOLVERS),
    *((s, k) for s in ("euler", "armijo", "majorise") for k in KERNELS if k != "riesz"),
]


@pytest.mark.parametrize(("solver", "kernel"), PAIRS)
def test_every_solver_and_kernel_takes_the_same_steps_there(tiny, solver, kernel):
    """Three clouds of a batch, padded, that stop at different steps or not at all.

    In double precision and with few moves a step, as chattering multiplies rounding.
    """
    x = torch.randn(3, 9, 2, generator=torch.Generator().manual_seed(1)).double()
    mask = torch.arange(9) < torch.tensor([[9], [4], [7]])

    def solve(device: torch.device) -> list:
        model = copy.deepcopy(tiny.model).double().to(device)
        encoded = model.encode(x.to(device), mask.to(device))
        few = {"inner": 2} if solver in ("frozen", "majorise") else {}
        rule = SOLVERS[solver](**few)
        how = {"solver": rule, "kernel": KERNELS[kernel](), "stop": StopRule(6, 0.2)}
        flow = Flow(encoded.operator, model.start([3, 1, 4]).double(), **how)
        steps, end = list(flow), flow.solution
        return [*steps, end, [reason is Stopped.CONVERGED for reason in end.stopped]]

    assert_same_on_both(solve)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_particles_that_are_padded_and_shaken_take_the_same_steps_there(noise):
    z0 = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])

    def solve(device: torch.device) -> list:
        how = {"mask": mask.to(device), "share": torch.tensor([0.5, 0.25]).to(device)}
        shaken = {"noise": noise, "generators": seeded([1, 2])}
        flow = Flow(torch.tanh, z0.to(device), solver=Euler(), stop=StopRule(6), **how, **shaken)
        return list(flow)

    assert_same_on_both(solve)


@pytest.mark.parametrize("steps", range(10))
def test_a_solve_ends_there_at_the_step_it_ends_here(steps):
    """Also between two looks at the device; left early it was cancelled where it was left."""
    z0, tolerance = torch.full((1, 1, 1), 1.0), 0.9**steps * 1.001

    def flow(device: torch.device) -> Flow:
        to = torch.zeros(1, device=device)
        return Flow(
            lambda z: to * z, z0.to(device), solver=Picard(0.1), stop=StopRule(20, tolerance)
        )

    here = flow(torch.device("cpu"))
    expected = [step.step for step in here]
    assert expected == list(range(steps + 1))
    with pretended():
        there = flow(DEVICE)
        taken = list(there)
        assert [step.step for step in taken] == expected
        assert there.solution.steps.tolist() == [steps]
        assert there.solution.evaluations.tolist() == here.solution.evaluations.tolist()
        assert there.solution.stopped == here.solution.stopped == (Stopped.CONVERGED,)
        seconds = [step.seconds for step in taken]
        assert seconds == sorted(seconds) and there.solution.seconds == seconds[-1] > 0
        left = flow(DEVICE)
        for step in left:
            if step.step == steps // 2:
                break
        assert left.solution.steps.tolist() == [steps // 2]
        assert (left.solution.stopped == (Stopped.CANCELLED,)) == (steps > 0)


@pytest.mark.parametrize("length", [9, 40])
def test_the_device_is_read_every_few_steps_and_sent_nothing_on_the_way(length):
    z0 = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(1))
    how = {"solver": Euler(), "kernel": SlicedRiesz(8), "stop": StopRule(length - 1, 0.0)}
    with pretended() as counts:
        z0 = z0.to(DEVICE)
        flow = Flow(lambda z: 0.5 * z, z0, **how)
        counts.sent = counts.read = 0
        flow.run()
        assert flow.solution.steps.tolist() == [length - 1] * 2
        assert counts.sent == 1  # the directions of the lines, once
        assert counts.read <= math.ceil(length / LOOK_EVERY) + 3  # and the solution


# Runs


def test_a_classification_is_the_same_there(tiny):
    def run(device: torch.device) -> list:
        run = ClassifierRun(moved(tiny, device), POINTS, settings(noise=0.1), device)
        return [*run, run.outcome.to_dict()]

    assert_same_on_both(run)


def test_a_completion_is_the_same_there_judged_or_not(tiny, tiny_completer):
    cloud = np.random.default_rng(1).normal(size=(30, 2))
    hollow = Hollow(cloud[:22], cloud, "cloud")
    tiny.card["settings"] = PLAIN

    def run(device: torch.device) -> list:
        model, classifier = moved(tiny_completer, device), moved(tiny, device)
        run = CompleterRun(model, hollow, settings(noise=0.1), device, classifier=classifier)
        return [*run, run.outcome.to_dict(), run.completed]

    assert_same_on_both(run)


# Losses


def recipe(kind: str, model: object) -> Recipe:
    return Recipe(
        name="both",
        kind=kind,
        data="digits",
        seed=0,
        model=model,
        augmentation=Augmentation(jitter=0.01),
        holes=Holes((1, 1), (0.9, 0.9)),
        validation=0,
        stages=(),
        card={"points": 20, "settings": PLAIN},
    )


def learned(model, recipe: Recipe, stage: Stage, device: torch.device) -> list:
    """Losses, gradients and validation."""
    task, clouds = TASKS[recipe.kind], PackedClouds.of([POINTS + k for k in range(4)], [0, 1, 0, 1])
    g = torch.Generator().manual_seed(0)
    batch = clouds.batch(torch.arange(4), stage.points, g, recipe.augmentation)
    torch.manual_seed(0)  # dropout
    found = task.losses(model, batch, recipe, stage, g, device)
    found.total.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return [found, gradients, task.validate(model, clouds, recipe, device)]


@pytest.mark.parametrize("mode", ["phantom", "phantom-k", "implicit", "reversible"])
def test_learning_to_classify_has_the_same_gradients_there(new_classifier, mode):
    stage = Stage(
        1,
        (Solve(Picard(), (5, 5)),),
        points=20,
        gradient=mode,
        unroll=2,
        residual_weight=0.1,
        spread_weight=0.1,
        spread_target=9.0,
    )

    def learn(device: torch.device) -> list:
        model = new_classifier().to(device)
        return learned(model, recipe("classifier", model.config), stage, device)

    # Steps taken back multiply the rounding of single precision.
    assert_same_on_both(learn, rounding=1e-4 if mode == "reversible" else 1e-5)


def test_learning_to_complete_has_the_same_gradients_there(tiny_completer):
    config = tiny_completer.model.config
    stage = Stage(
        1, (Solve(Euler(), (5, 5)),), points=20, unroll=2, residual_weight=0.1, entropy_weight=0.1
    )

    def learn(device: torch.device) -> list:
        model = copy.deepcopy(tiny_completer.model).requires_grad_().to(device)
        return learned(model, recipe("completer", config), stage, device)

    assert_same_on_both(learn)


def test_a_whole_solve_is_differentiated_there_as_here():
    z0 = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(1))

    def unrolled(device: torch.device) -> torch.Tensor:
        shift = torch.ones(2, device=device, requires_grad=True)
        how = {"solver": Euler(0.5), "stop": StopRule(5, 0.0), "differentiable": True}
        end = Flow(lambda z: torch.tanh(z) + shift, z0.to(device), **how).run()
        return torch.autograd.grad(end.particles.square().sum(), shift)[0]

    assert_same_on_both(unrolled)


# The lab


def test_the_lab_is_the_same_there(tiny):
    def experiments(device: torch.device) -> list:
        model = moved(tiny, device)
        run = LabRun(model, POINTS, settings(solver="momentum"), device)
        trunk = list(run)
        fork = Fork(model, POINTS, run, trunk, 2, settings(solver="momentum", steps=3), device)
        known = settings(solver="armijo")
        ranges = (("step_size", 1, 9), ("r", 0.8, 1.2))
        grid = Grid(known, *(axis(fields(known)[name], low, high, 2) for name, low, high in ranges))
        *_, swept = Sweep(model, POINTS, grid, device)
        *_, found = Search(model, POINTS, settings(), 2, [5], device)
        card = {**tiny.card, "settings": {**PLAIN, "steps": 1}}
        control = dataclasses.replace(model, card=card)
        data = Exam([POINTS, POINTS[:12]], np.eye(3, dtype=bool)[:2])
        *_, exits = Measurement(model, control, data, settings(), device)
        return [trunk, list(fork), swept, found, exits.scores]

    assert_same_on_both(experiments)


# That a fault is found


class Stray(Riesz):
    """A kernel that forgets where its points are."""

    def both(self, squared_distance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value, slope = super().both(squared_distance)
        return value, slope * torch.ones(slope.shape[-1])


class Forgetful(Armijo):
    """A solver whose memory is on the processor."""

    def start(self, z0: torch.Tensor) -> tuple:
        return None, torch.full((len(z0),), self.step_size)


@pytest.mark.parametrize(
    "planted",
    [
        {"kernel": Stray()},
        {"solver": Forgetful()},
        {"operator": lambda z: z + torch.arange(5.0)[:, None]},
        {"operator": lambda z: z[:, torch.tensor([1, 0, 2, 3, 4])]},
        {"mask": torch.ones(2, 5, dtype=torch.bool)},
        {"share": torch.ones(2)},
        {"operator": lambda z: z + torch.randn(5, 2, generator=seeded([0])[0], device=z.device)},
    ],
    ids=["kernel", "solver", "operator", "index", "mask", "share", "generator"],
)
def test_a_tensor_on_the_wrong_device_is_found(planted):
    how = {"operator": torch.tanh, "solver": Euler(), "stop": StopRule(3, 0.0), **planted}
    with pretended():
        z0 = torch.randn(2, 5, 2).to(DEVICE)
        with pytest.raises(WrongDevice):
            Flow(z0=z0, **how).run()


def test_what_is_in_place_is_read_and_carried_as_on_any_device():
    with pretended() as counts:
        a = torch.arange(6.0).view(2, 3).to(DEVICE)
        assert (a.device, counts.sent, counts.read) == (DEVICE, 1, 0)
        a[:, 1] = 7
        a.add_(1).relu_()
        b = torch.zeros_like(a) + torch.ones((), dtype=torch.float64)  # a number, not a tensor
        assert b.device == DEVICE and b.dtype == torch.float32
        assert (a + b).tolist() == [[2, 9, 4], [5, 9, 7]] and counts.read == 1
        assert bool((a > 0).all()) and float(a.sum()) == 30 and counts.read == 3
        assert a.cpu().numpy().sum() == 30
        with pytest.raises(WrongDevice):
            torch.cat([a, torch.ones(1, 3)])
