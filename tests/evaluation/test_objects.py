"""The classifier of objects on another source: clouds, and what counts as right."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ddeq.evaluation.classification import equilibrium, predict, predict_at_once
from ddeq.evaluation.objects import Draws, answers_of, judge
from ddeq.evaluation.samplings import CONDITIONS, sampled
from ddeq.input.answers import Answer
from ddeq.input.labelled import Labelled
from ddeq.metrics.intervals import mean_interval, wilson_interval
from ddeq.run.settings import with_defaults
from ddeq.training.datasets.furniture import CLASSES
from tests import solids

OBJECTS = solids.solids()
TESTED = OBJECTS.part("test")


# Clouds


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_model_gets_the_same_clouds_and_each_sampling_others(condition):
    one, two = (sampled(TESTED, 50, 3, condition) for _ in range(2))
    assert one.labels.tolist() == 3 * TESTED.labels.tolist() and len(one.clouds) == 3 * len(TESTED)
    for a, b in zip(one.clouds, two.clouds, strict=True):
        assert a.tobytes() == b.tobytes() and a.shape[1] == 3 and len(a) <= 50
    assert one.clouds[0].tobytes() != one.clouds[len(TESTED)].tobytes()
    # More samplings begin with the same.
    assert sampled(TESTED, 50, 1, condition).clouds[0].tobytes() == one.clouds[0].tobytes()


def test_conditions_are_what_they_say():
    plain, turned, scanned = (sampled(TESTED, 300, 1, name).clouds for name in CONDITIONS)
    for before, after in zip(plain, turned, strict=True):
        np.testing.assert_allclose(after[:, 2], before[:, 2], atol=1e-5)
        lengths = (np.linalg.norm(x, axis=1) for x in (before, after))
        np.testing.assert_allclose(*lengths, atol=1e-4)
    assert not np.allclose(plain[0], turned[0], atol=0.1)
    # Of a sphere a camera sees a half, whose points are not equally far from their centre.
    ball = TESTED.labels.tolist().index(1)
    radii = [np.linalg.norm(clouds[ball], axis=1) for clouds in (plain, scanned)]
    assert np.ptp(radii[0]) < 0.3 and np.ptp(radii[1]) > 0.5


# Numbers


def test_networks_without_a_solver_answer_alike_in_any_batch():
    clouds = [
        cloud[: 60 - 4 * k] for k, cloud in enumerate(sampled(TESTED, 60, 2, "turned").clouds)
    ]
    data = Labelled(clouds, np.zeros(len(clouds), np.int64))
    checkpoint = solids.pointnet()
    together = predict_at_once(checkpoint, data, batch_size=5)
    torch.testing.assert_close(together.sum(1), torch.ones(len(data.clouds)))
    for k, cloud in enumerate(data.clouds):
        alone = predict_at_once(checkpoint, Labelled([cloud], data.labels[[k]]))
        torch.testing.assert_close(together[k], alone[0], atol=1e-5, rtol=1e-4)


ANSWERS = [
    Answer("vessel", ("ball", "box")),
    Answer("vessel", ("ball",)),
    Answer("window", ("pane",)),
    Answer("window", ()),
    Answer("pole", ("stick",)),
    Answer("pole", ("stick", "pane")),
]
"""Of the test solids; two of them are no class of the model's."""

KEPT = [0, 1, 4, 5]


def test_it_counts_what_the_model_says_of_what_it_has_a_class_for():
    checkpoint, settings = solids.classifier(), {"steps": 2}
    chosen = with_defaults(checkpoint.card, settings)
    found = judge(checkpoint, TESTED, ANSWERS, chosen, Draws(40, 3))
    assert json.loads(json.dumps(found)) == found
    assert (found["objects"], found["points"], found["samplings"]) == (4, 40, 3)
    left_out = found["left_out"]
    assert (left_out["count"], left_out["ids"]) == (2, [TESTED.ids[2], TESTED.ids[3]])
    assert left_out["why"].endswith(".")
    kept = TESTED.at(KEPT)
    rows = {"as_it_stands": found, **found["conditions"]}
    assert [*rows] == [*CONDITIONS]
    for condition, row in rows.items():
        result = predict(checkpoint, sampled(kept, 40, 3, condition), chosen)
        said = result.probabilities.numpy().reshape(3, 4, 3)
        right = np.array([shares(one.argmax(1)) for one in said]).mean(0)
        assert row["accuracy"] == pytest.approx(right.mean())
        assert row["interval"] == pytest.approx(mean_interval(right, kept.groups.numpy()))
        if condition == "as_it_stands":
            vote = shares(said.mean(0).argmax(1))
            assert found["mean_steps"] == equilibrium(result)["mean_steps"] == 2
    assert (found["vote"]["correct"], found["vote"]["total"]) == (sum(vote), 4)
    assert found["vote"]["interval"] == pytest.approx(wilson_interval(sum(vote), 4))
    assert found["classes"] == {
        "pole": {"correct": sum(vote[2:]), "total": 2},
        "vessel": {"correct": sum(vote[:2]), "total": 2},
    }
    assert found["settings"]["steps"] == 2 and found["parameters"] == checkpoint.parameters


def shares(predicted: np.ndarray) -> list[bool]:
    """Which of the objects kept are right, where these classes are said of them."""
    names = [solids.CLASSES[k] for k in predicted]
    return [name in ANSWERS[k].right for name, k in zip(names, KEPT, strict=True)]


@pytest.mark.parametrize("right", [solids.CLASSES, ("box",), ("ball",), ("stick",)])
def test_whatever_is_right_counts_and_nothing_else(right):
    """One of three classes is said of each object: over all of them, each counts once."""
    answers = [Answer("any", right)] * len(TESTED)
    checkpoint = solids.classifier()
    settings = with_defaults(checkpoint.card, {})
    found = judge(checkpoint, TESTED, answers, settings, Draws(40, 1))
    said = predict(checkpoint, sampled(TESTED, 40, 1, "as_it_stands"), settings).predicted.numpy()
    expected = np.isin([solids.CLASSES[k] for k in said], right).mean()
    assert found["accuracy"] == pytest.approx(expected)


def test_objects_that_belong_together_are_drawn_together():
    """All of one family: no interval without another family."""
    family = replace(TESTED, groups=torch.zeros(len(TESTED), dtype=torch.int64))
    checkpoint = solids.classifier()
    settings = with_defaults(checkpoint.card, {"steps": 1})
    answers = [Answer(name, (name,)) for name in np.repeat(solids.CLASSES, 2).tolist()]
    found = judge(checkpoint, family, answers, settings, Draws(40, 1))
    assert found["interval"] == [found["accuracy"]] * 2


def test_a_model_that_has_no_class_for_any_object_is_refused(refused):
    checkpoint = solids.classifier()
    settings = with_defaults(checkpoint.card, {})
    for objects, answers in ((TESTED, [Answer("window", ())] * 6), (OBJECTS.part("withheld"), [])):
        with refused():
            judge(checkpoint, objects, answers, settings, Draws(40, 1))


def test_furniture_is_known_by_its_name():
    ids = ("Blend Swap CC-0#showerDoor", "Scopia#window_4x1", "Blend Swap CC-0#desk")
    kinds = torch.tensor([CLASSES.index(name) for name in ("opening", "opening", "table")])
    furniture = replace(TESTED.at([0, 1, 2]), ids=ids, labels=kinds, classes=CLASSES)
    right = [answer.right for answer in answers_of(furniture)]
    assert right == [("door",), (), ("desk", "table")]
