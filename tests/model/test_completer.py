"""Free particles beside known ones."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddeq.model.completer import Completer, CompleterConfig, free_count, scatter
from ddeq.model.lift import LIFTS
from ddeq.model.operator import OperatorConfig
from ddeq.model.tokens import TokenConfig
from ddeq.solve.flow import StopRule
from ddeq.solve.solvers import (
    Euler,
)
from tests.solving import flow_from, normal

IN_SPACE = CompleterConfig(
    OperatorConfig(
        latent_dim=16,
        hidden_dim=4,
        heads=4,
        particle_dim=2,
        tokens=TokenConfig((6, 3), (3, 2), (8, 6)),
    ),
    "none",
)


@pytest.mark.parametrize("lift", LIFTS)
def test_a_completer_starts_where_the_free_points_are_and_has_their_share_of_mass(lift):
    torch.manual_seed(0)
    sizes = OperatorConfig(
        latent_dim=16, hidden_dim=4, heads=4, particle_dim=2 if lift == "none" else None
    )
    model = Completer(CompleterConfig(sizes, lift)).double().eval()
    known, free = normal(1, 5, 2), normal(1, 3, 2, seed=1)
    z0 = model.lift(free)
    begun = flow_from(model.encode(known, None, [3]), z0, solver=Euler(0.5), stop=StopRule(5, 0.0))
    torch.testing.assert_close(model.points(z0), free)
    torch.testing.assert_close(begun.objective.mass(z0), torch.full((1, 3), 1 / 8).double())
    assert not torch.allclose(model.points(begun.run().particles), free)


@pytest.mark.parametrize(
    "config", [CompleterConfig(OperatorConfig(latent_dim=16, hidden_dim=4, heads=4)), IN_SPACE]
)
def test_a_completer_does_not_see_padding(config):
    torch.manual_seed(0)
    model = Completer(config).double().eval()
    known, free = normal(2, 5, 2), normal(2, 4, 2, seed=1)
    known_mask = torch.arange(5) < torch.tensor([[5], [3]])
    how = {"solver": Euler(0.5), "stop": StopRule(4, 0.0)}
    both = flow_from(model.encode(known, known_mask, [4, 2]), model.lift(free), **how).run()
    alone = flow_from(model.encode(known[1:, :3], None, [2]), model.lift(free[1:, :2]), **how).run()
    torch.testing.assert_close(both.particles[1:, :2], alone.particles)
    torch.testing.assert_close(both.objective[1:], alone.objective)


@given(st.integers(3, 400))
def test_the_papers_rule_gives_the_number_of_free_particles(known):
    assert free_count(known) == max(1, math.floor(1.275 * known) - known)
    assert free_count(torch.tensor([known])).tolist() == [free_count(known)]


def test_more_free_particles_begin_as_fewer_do():
    few, many = (scatter([3, 4], counts, 2) for counts in ([2, 3], [4, 5]))
    assert torch.equal(few[0, :2], many[0, :2]) and torch.equal(few[1], many[1, :3])
    assert not few[0, 2].any()  # padding


def test_a_seed_starts_where_its_points_are():
    torch.manual_seed(0)
    model = Completer(CompleterConfig(OperatorConfig(latent_dim=16, hidden_dim=4, heads=4)))
    counts = [2, 3]
    torch.testing.assert_close(
        model.points(model.start([3, 4], counts)), scatter([3, 4], counts, 2)
    )
    encoded = model.encode(torch.randn(2, 5, 2), None, counts)
    assert encoded.mask.tolist() == [[True, True, False], [True, True, True]]
    assert encoded.share.tolist() == pytest.approx([2 / 7, 3 / 8])
    assert model.encode(torch.randn(2, 5, 2), None, [3, 3]).mask is None


def test_among_the_points_particles_that_see_the_same_are_sent_to_the_same_place():
    """``F`` says where a particle belongs; adding that to where it is would add up."""
    torch.manual_seed(0)
    model = Completer(IN_SPACE).eval()
    known, free = torch.randn(2, 9, 2), torch.randn(2, 4, 2)
    operator = model.encode(known, None, [4, 4]).operator
    with torch.no_grad():
        model.operator.particle_skip.weight.zero_()
        model.operator.particle_in[0].weight.zero_()  # so that no particle sees where it is
        sent = operator(free)
    torch.testing.assert_close(sent, sent[:, :1].expand_as(sent))


def test_particles_among_the_points_have_no_order():
    torch.manual_seed(0)
    model = Completer(IN_SPACE).eval()
    known, free = torch.randn(2, 9, 2), torch.randn(2, 4, 2)
    operator = model.encode(known, None, [4, 4]).operator
    order = [2, 0, 3, 1]
    torch.testing.assert_close(operator(free)[:, order], operator(free[:, order]))


def test_without_a_lift_particles_have_the_dimension_of_the_data():
    with pytest.raises(ValueError, match="dimension of the data"):
        Completer(CompleterConfig(OperatorConfig(latent_dim=16, heads=4), "none"))
