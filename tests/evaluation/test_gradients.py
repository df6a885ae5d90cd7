"""Gradient modes side by side: angles, lengths and memory are those of the gradients themselves."""

import json

import pytest
import torch

from ddeq.evaluation.gradients import REFERENCE, Sizes, compare
from ddeq.solve.gradients import GRADIENTS
from tests import solids

CLOUDS = solids.solids().part("train")


@pytest.fixture
def job():
    """A tiny classifier in double precision, and a batch for it."""
    model = solids.classifier().model.double()
    batch = CLOUDS.batch(torch.arange(6), 40, torch.Generator().manual_seed(0))
    return model, type(batch)(batch.x.double(), batch.mask, batch.labels)


def rows(job, **sizes: float):
    return compare(*job, Sizes(**{"steps": 6, "repeats": 1, **sizes}))


def test_every_mode_is_compared_to_unrolling(job):
    model, _ = job
    found = rows(job)
    assert {*found} == {REFERENCE, *GRADIENTS}
    assert json.loads(json.dumps(found)) == found
    assert found[REFERENCE]["angle"] < 1e-3 and found[REFERENCE]["length"] == 1
    for name, row in found.items():
        assert row["rest"] > 0 and row["seconds"] > 0 and row["kept_mb"] > 0
        assert name == REFERENCE or row["angle"] > 0.01
    assert not any(p.requires_grad for p in model.parameters())  # as it was


def test_angle_and_length_are_those_of_the_gradients_in_all_parameters(job):
    """Of one step with its graph, and of one without and one with."""
    model, batch = job
    found = rows(job, steps=1)["phantom"]
    model.requires_grad_(True)
    z0, vectors = model.start(range(6)).double(), []
    for detached in (False, True):
        operator = model.encode(batch.x, batch.mask, twice=True).operator
        z = operator(operator(z0).detach()) if detached else operator(z0)
        loss = torch.nn.functional.cross_entropy(model.logits(z), batch.labels)
        parts = torch.autograd.grad(loss, [*model.parameters()])
        vectors.append(torch.cat([part.flatten() for part in parts]))
    unrolled, phantom = vectors
    assert found["length"] == pytest.approx(float(phantom.norm() / unrolled.norm()))
    cosine = torch.cosine_similarity(phantom, unrolled, dim=0)
    assert found["angle"] == pytest.approx(float(cosine.acos().rad2deg()))


def test_memory_grows_with_the_steps_of_unrolling_alone(job):
    few, many = (rows(job, steps=steps) for steps in (2, 12))
    for name in few:
        grown = many[name]["kept_mb"] - few[name]["kept_mb"]
        assert grown > 0 if name == REFERENCE else abs(grown) < 1e-3
