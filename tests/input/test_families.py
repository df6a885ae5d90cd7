"""Which models a cloud is for."""

import numpy as np
import pytest

from ddeq.input.clouds import PointCloud
from ddeq.input.families import DIGITS, OBJECTS, family_of
from ddeq.input.gallery import load_gallery, load_objects
from ddeq.model.checkpoints import ASSETS, load


def test_digits_are_flat_and_objects_are_not():
    assert family_of(load_gallery().cloud(0)) == DIGITS
    assert all(family_of(load_objects().cloud(i)) == OBJECTS for i in range(len(load_objects())))


def test_a_sheet_in_space_is_a_digit():
    flat = np.random.default_rng(0).normal(size=(30, 2))
    assert family_of(PointCloud(flat @ [[1, 1, 0], [0, 1, 2]], "sheet")) == DIGITS


@pytest.mark.parametrize("family", [DIGITS, OBJECTS])
def test_a_familys_models_take_its_clouds(family):
    for name in (family.classifier, family.completer):
        card = load(ASSETS / f"{name}.safetensors").card
        assert card["architecture"]["operator"]["input_dim"] == (2 if family.flat else 3)
