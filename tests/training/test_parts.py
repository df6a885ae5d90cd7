"""No near-copy of a test or validation object is trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddeq.training.datasets.parts import (
    VALIDATION_SHARE,
    assign_parts,
    draw_validation,
    near_copies,
    plain_name,
)


def box(seed: int, size=(1.0, 1, 1), count: int = 4000) -> np.ndarray:
    """The surface of a box."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (count, 3))
    axis = rng.integers(0, 3, count)
    points[np.arange(count), axis] = rng.choice([-1, 1], count)
    return points * size


def ball(seed: int, count: int = 4000) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def shape(kind: int, seed: int = 0, count: int = 4000) -> np.ndarray:
    """Six small balls; every kind has them elsewhere."""
    places = np.random.default_rng(kind).normal(size=(6, 3))
    chosen = np.random.default_rng(seed).integers(0, 6, count)
    return places[chosen] + 0.1 * ball(seed, count)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Red chair 2", "chair"), ("Chair", "chair"), ("VW new beetle", "vw new beetle")],
)
def test_names_lose_numbers_and_colours(name, plain):
    assert plain_name(name) == plain


def test_copies_are_found_whatever_their_size_and_others_are_not():
    clouds = [box(0), ball(1), box(2, size=(5, 1, 0.2)) + 7, ball(3)]
    assert near_copies(clouds) == [(0, 2), (1, 3)]


def test_unlabelled_relatives_of_test_objects_are_withheld():
    names = ["Chair 1", "Blue chair", "Crate", "Ball", "Ring"]
    creators = ["A", "B", "C", "D", "E"]  # none shares a creator, so no name makes a group
    clouds = [box(0), shape(1), box(2), ball(3), shape(4)]
    test = np.array([True, False, False, False, False])
    parts, _ = assign_parts(names, creators, np.array([0, -1, -1, -1, -1]), test, clouds)
    #                 the test name ------v  its copy --v
    assert parts == ("test", "withheld", "withheld", "unlabelled", "unlabelled")


def test_groups_are_names_of_one_creator_and_copies_and_go_to_one_part():
    names = ["Stool 1", "Red stool 2", "Stool", "Lamp", *"abcdefgh"]
    creators = ["A", "A", "B", "C"] + ["D"] * 8
    clouds = [shape(kind) for kind in range(11)] + [shape(0, seed=1)]
    labels = np.array([0] * 12)
    parts, groups = assign_parts(names, creators, labels, np.zeros(12, bool), clouds)
    assert groups[0] == groups[1] == groups[11] and parts[0] == parts[1] == parts[11]
    assert len(set(groups.tolist())) == 10
    again, _ = assign_parts(names, creators, labels, np.zeros(12, bool), clouds)
    assert again == parts


def test_unlabelled_relatives_of_validation_objects_are_withheld():
    names = [*"abcde"] * 2
    labels = np.array([0] * 5 + [-1] * 5)  # each labelled object has an unlabelled namesake
    clouds = [shape(kind) for kind in range(10)]
    parts, _ = assign_parts(names, ["A"] * 10, labels, np.zeros(10, bool), clouds)
    assert parts.count("validation") == 1
    expected = ["withheld" if part == "validation" else "unlabelled" for part in parts[:5]]
    assert list(parts[5:]) == expected


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 30)), min_size=1, max_size=80),
)
def test_validation_takes_whole_groups(pairs):
    labels, groups = np.array(pairs).T
    drawn = draw_validation(labels, groups)
    for group in np.unique(groups):
        assert len(set(drawn[groups == group].tolist())) == 1
    np.testing.assert_array_equal(drawn, draw_validation(labels, groups))


def test_validation_has_its_share_of_each_class_when_groups_are_small():
    labels = np.repeat([0, 1, 2], [10, 50, 100])
    drawn = draw_validation(labels, np.arange(160))
    for label, size in ((0, 10), (1, 50), (2, 100)):
        assert drawn[labels == label].sum() == VALIDATION_SHARE * size
