"""What furniture may be called by a classifier of ModelNet40."""

import numpy as np
import pytest

from ddeq.input.answers import (
    RULES,
    Answer,
    about_digit,
    about_furniture,
    right_among,
)
from ddeq.input.gallery import load_gallery, load_objects
from ddeq.shipped import recipe_file
from ddeq.training.datasets.furniture import CLASSES, labels
from ddeq.training.recipes import load_recipe

STORAGE = ("bookshelf", "dresser", "night_stand", "tv_stand", "wardrobe")
LABELS = load_recipe(recipe_file("objects")).card["labels"]


def test_rules_name_classes_that_there_are():
    assert {rule.kind for rule in RULES} == set(CLASSES)
    assert {label for rule in RULES for label in rule.right} <= set(LABELS)


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        ("chair", "Armchair", ("chair",)),
        ("table", "Oak table", ("table",)),
        ("table", "Wooden desk", ("desk", "table")),
        ("lamp", "Desk lamp", ("lamp",)),
        ("opening", "Shower door", ("door",)),
        ("opening", "Sliding window", ()),
        ("storage", "Glass door cabinet", STORAGE),
        ("storage", "Chest freezer", STORAGE),
        ("aquarium", "Door", ()),
    ],
)
def test_what_is_right_goes_by_class_and_name(kind, name, right):
    assert about_furniture(kind, name) == Answer(kind, right)


def test_of_the_test_furniture_windows_alone_have_no_class():
    test = [label for label in labels().values() if label.split == "test"]
    out = [one.name for one in test if not about_furniture(CLASSES[one.label], one.name).right]
    assert len(test) == 73 and len(out) == 5 and all("indow" in name for name in out)


def test_every_object_of_the_gallery_has_a_class():
    gallery = load_objects()
    answers = [gallery.answer(k) for k in range(len(gallery))]
    assert tuple(answer.name for answer in answers) == gallery.classes
    assert right_among(LABELS, answers).any(1).all()


def test_a_digit_is_its_label():
    assert load_gallery().answer(60) == about_digit(2) == Answer("2", ("2",))


def test_right_classes_are_marked_as_the_model_counts_them():
    answers = [Answer("storage", ("dresser", "wardrobe")), Answer("opening", ()), about_digit(1)]
    found = right_among(["wardrobe", "sofa", "1"], answers)
    np.testing.assert_array_equal(found, [[True, False, False], [False] * 3, [False, False, True]])
