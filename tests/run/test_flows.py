"""What settings say reaches the solve."""

import pytest
import torch

from ddeq.model.encoded import Encoded
from ddeq.run.flows import after, flow_of, flow_of_clouds
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.kernels import Gaussian
from ddeq.solve.solvers import Momentum, Picard
from tests.solving import normal, towards

SETTINGS = RunSettings(Momentum(0.7), Gaussian(2.0), Limits(steps=6, tolerance=0.3, noise=0.2))
MASK = torch.arange(5) < torch.tensor([[5], [3]])
SHARE = torch.tensor([0.25, 0.5]).double()


def test_settings_mask_and_share_reach_the_solve():
    operator, z0 = towards(normal(2, 5, 3)), normal(2, 5, 3, seed=1)
    found = list(flow_of(Encoded(operator, MASK, SHARE), z0, SETTINGS, [3, 4]))
    generators = [torch.Generator().manual_seed(seed + 2**31) for seed in (3, 4)]
    expected = list(
        Flow(
            operator,
            z0,
            solver=Momentum(0.7),
            kernel=Gaussian(2.0),
            stop=StopRule(6, 0.3),
            mask=MASK,
            share=SHARE,
            noise=0.2,
            generators=generators,
        )
    )
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a.particles, b.particles) and torch.equal(a.objective, b.objective)


def test_noise_needs_seeds_and_its_absence_does_not():
    encoded, z0 = Encoded(towards(normal(2, 5, 3))), normal(2, 5, 3, seed=1)
    with pytest.raises(ValueError, match="generator"):
        flow_of(encoded, z0, SETTINGS)
    quiet = RunSettings(Momentum(), Gaussian(), Limits(steps=2, tolerance=0.0))
    assert flow_of(encoded, z0, quiet).run().steps.tolist() == [2, 2]


def test_so_many_steps_are_taken_whatever_the_objective():
    encoded, z0 = Encoded(towards(normal(1, 5, 3))), normal(1, 5, 3, seed=1)
    easy = RunSettings(Momentum(), Gaussian(), Limits(steps=1, tolerance=1.0))
    assert flow_of(encoded, z0, easy).run().steps.tolist() == [0]
    assert flow_of(encoded, z0, easy.taking(7)).run().steps.tolist() == [7]
    assert easy.taking(7).solver == easy.solver and easy.taking(7).kernel == easy.kernel


def test_a_batch_of_clouds_solves_each_as_alone(tiny):
    clouds = [normal(m, 2, seed=m).float().numpy() for m in (5, 9, 9)]
    settings = RunSettings(Momentum(0.7), Gaussian(2.0), Limits(4, 0.0, particles=6, noise=0.1))
    together = flow_of_clouds(tiny.model, clouds, settings, [3, 4, 5]).run()
    for k, cloud in enumerate(clouds):
        alone = flow_of_clouds(tiny.model, [cloud], settings, [3 + k]).run()
        torch.testing.assert_close(alone.particles[0], together.particles[k], rtol=1e-4, atol=1e-4)


def test_a_flow_that_has_ended_stays_as_it_is():
    z0 = normal(1, 5, 3)
    settings = RunSettings(Picard(), Gaussian(), Limits(steps=9, tolerance=1e-3))
    steps = list(flow_of(Encoded(lambda z: 0.5 * z), z0, settings))
    last = steps[-1].step
    assert 2 < last < 9
    found = list(after(flow_of(Encoded(lambda z: 0.5 * z), z0, settings), [9, 0, 2, last]))
    assert [count for count, _ in found] == [0, 2, last, 9]
    assert [step.step for _, step in found] == [0, 2, last, last]
    assert torch.equal(found[1][1].particles, steps[2].particles)
