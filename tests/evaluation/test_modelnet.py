"""Classifiers of shapes side by side: what a table says is what the models say."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from ddeq.evaluation.classification import predict, predict_along, predict_at_once
from ddeq.evaluation.modelnet import Question, drawn, judge, prepared
from ddeq.evaluation.trainings import accuracy_svg, compare
from ddeq.metrics.intervals import crossed_interval, wilson_interval
from ddeq.model.checkpoints import save
from ddeq.run.settings import with_defaults
from tests import solids
from tools import result_tables

CLOUDS = solids.solids().part("train", "test")  # six of each class
SHAPES = prepared(CLOUDS, 40)
LABELS = CLOUDS.labels.numpy()


def question(**changes: object) -> Question:
    return replace(Question(), **changes)


def predicted(checkpoint, **said: object) -> np.ndarray:
    settings = with_defaults(checkpoint.card, said)
    return predict(checkpoint, SHAPES.data, settings).predicted.numpy()


@pytest.fixture
def runs(tmp_path):
    """Two trainings of a DDEQ, of its control and of one that is too small; one of a PointNet."""
    made = {
        "tiny": (solids.classifier, (0, 1)),
        "tiny-control": (solids.classifier, (2, 3)),
        "other-control": (solids.classifier, (4,)),
        "peer": (solids.pointnet, (0,)),
    }
    models = {}
    for name, (make, seeds) in made.items():
        models[name] = {}
        for seed in seeds:
            path = models[name][f"{name}-{seed}"] = tmp_path / f"{name}-{seed}.safetensors"
            checkpoint = make(seed)
            save(checkpoint.model, {**checkpoint.card, "name": name}, path)
    return models


def test_a_model_is_told_by_what_it_says():
    checkpoint = solids.classifier()
    row = judge(checkpoint, SHAPES, question()).row
    said = predicted(checkpoint)
    right = said == LABELS
    assert json.loads(json.dumps(row)) == row
    assert (row["correct"], row["total"]) == (right.sum(), 18)
    assert row["accuracy"] == pytest.approx(right.mean())
    assert row["interval"] == pytest.approx(wilson_interval(int(right.sum()), 18))
    of_class = [right[label == LABELS].mean() for label in range(3)]
    assert row["class_accuracy"] == pytest.approx(np.mean(of_class))
    assert row["parameters"] == checkpoint.parameters and row["mean_steps"] == 4
    later = predicted(checkpoint, steps=20)
    assert row["steps_5x"] == 20 and row["changed_5x"] == pytest.approx((later != said).mean())
    assert "accuracy_by_step" not in row and "flow" not in row


def test_classes_are_told_apart_by_size_in_the_class_accuracy():
    """Of a class with one shape, and of one with six, the shares count alike."""
    few = CLOUDS.at([*np.flatnonzero(LABELS == 0), int(np.flatnonzero(LABELS == 1)[0])])
    checkpoint, shapes = solids.classifier(), prepared(few, 40)
    found = judge(checkpoint, shapes, question())
    expected = (found.right[:6].mean() + found.right[6]) / 2
    assert found.row["class_accuracy"] == pytest.approx(expected)


def test_distinct_particles_are_counted_at_the_equilibrium(monkeypatch):
    """Of five particles at least four."""
    counts = torch.tensor([1, 2, 3, 4, 5, 4, 5, 5, 5, 5, 3, 4, 1, 1, 5, 5, 5, 5])
    at = iter(counts.split(len(counts)))
    monkeypatch.setattr(
        "ddeq.evaluation.classification.distinct_particles", lambda z: next(at, counts)
    )
    checkpoint = solids.classifier()
    checkpoint.card["settings"] = {**checkpoint.card["settings"], "particles": 5}
    row = judge(checkpoint, SHAPES, question()).row
    assert row["mostly_distinct"] == pytest.approx(12 / 18)
    assert row["median_distinct"] == float(counts.median())


def test_the_way_of_a_solve_is_that_of_shorter_solves():
    checkpoint = solids.classifier()
    settings = with_defaults(checkpoint.card, {})
    along = predict_along(checkpoint, SHAPES.data, settings, [3, 0, 1], batch_size=4)
    assert [*along] == [3, 0, 1]
    for steps, found in along.items():
        alone = predict(checkpoint, SHAPES.data, settings.taking(steps), batch_size=4)
        for name in ("probabilities", "relative_objective", "spread", "steps", "distinct"):
            torch.testing.assert_close(getattr(found, name), getattr(alone, name))


def test_the_table_of_steps_goes_by_powers_of_two_beyond_a_controls_single_step():
    checkpoint = solids.classifier()
    checkpoint.card["settings"] = {**checkpoint.card["settings"], "steps": 1}
    row = judge(checkpoint, SHAPES, question(steps_table=True)).row
    assert [*row["accuracy_by_step"]] == ["0", "1", "2", "4", "8", "16"]
    assert row["accuracy_by_step"]["1"] == row["accuracy"] and row["steps_5x"] == 5
    eight = (predicted(checkpoint, steps=8) == LABELS).mean()
    assert row["accuracy_by_step"]["8"] == pytest.approx(eight)


def test_a_gradient_flow_is_told_beside_the_solver():
    checkpoint = solids.classifier()
    flow = {"solver": "nesterov", "steps": 3, "step_size": 1.5}
    row = judge(checkpoint, SHAPES, question(flow=flow)).row
    settings = with_defaults(checkpoint.card, {**flow, "tolerance": 0})
    end = predict(checkpoint, SHAPES.data, settings)
    found = row["flow"]
    assert found["settings"]["step_size"] == 1.5 and found["settings"]["steps"] == 3
    same = (end.predicted.numpy() == predicted(checkpoint)).mean()
    assert found["same_class"] == pytest.approx(same)
    assert found["accuracy"] == pytest.approx((end.predicted.numpy() == LABELS).mean())
    relative = end.relative_objective
    assert found["median_relative_objective"] == pytest.approx(float(relative.median()))
    assert found["below_1e-2"] == pytest.approx((relative < 1e-2).double().mean().item())


def test_a_model_counts_classes_in_its_own_order(refused):
    checkpoint = solids.classifier()
    plain = judge(checkpoint, SHAPES, question()).right
    order = [2, 0, 1]
    checkpoint.card["labels"] = [solids.CLASSES[k] for k in order]
    turned = judge(checkpoint, SHAPES, question()).right
    said = predicted(checkpoint)
    assert (turned == (np.array(order)[said] == LABELS)).all() and (turned != plain).any()
    checkpoint.card["labels"] = ["box", "ball"]
    with refused() as message:
        judge(checkpoint, SHAPES, question())
    assert "stick" in message.text


def test_a_limit_takes_the_same_shapes_from_the_whole_split():
    few = drawn(CLOUDS, 9)
    assert few.ids == drawn(CLOUDS, 9).ids and len({*few.ids}) == 9
    assert {*few.labels.tolist()} == {0, 1, 2}  # and not the first class alone
    assert drawn(CLOUDS, None) is CLOUDS and drawn(CLOUDS, 99) is CLOUDS


def test_trainings_are_told_together_and_one_by_one(runs):
    table = compare(runs, SHAPES, question(said={"steps": 2}, steps_table=True))
    assert json.loads(json.dumps(table)) == table
    kinds = {name: row["kind"] for name, row in table["models"].items()}
    assert kinds == {
        "tiny": "ddeq",
        "tiny-control": "control",
        "other-control": "control",
        "peer": "pointnet",
    }
    right = {
        "tiny": [predicted(solids.classifier(s), steps=2) == LABELS for s in (0, 1)],
        "tiny-control": [predicted(solids.classifier(s)) == LABELS for s in (2, 3)],
        "peer": [predict_at_once(solids.pointnet(), SHAPES.data).argmax(1).numpy() == LABELS],
    }
    for name, each in right.items():
        row, each = table["models"][name], np.array(each, float)
        assert row["accuracy"] == pytest.approx(each.mean())
        assert (row["correct"], row["total"]) == (each.sum(), each.size)
        assert [t["correct"] for t in row["trainings"].values()] == each.sum(1).tolist()
        if len(each) > 1:
            assert row["interval"] == pytest.approx(crossed_interval(each))
    # What is said of the solver is said to the DDEQ, not to its control.
    assert table["models"]["tiny"]["mean_steps"] == 2
    assert table["models"]["tiny-control"]["mean_steps"] == 4
    ones = [t["accuracy_by_step"]["1"] for t in table["models"]["tiny"]["trainings"].values()]
    assert table["models"]["tiny"]["accuracy_by_step"]["1"] == pytest.approx(np.mean(ones))
    assert {*table["differences"]} == {"tiny"}
    assert {*table["differences"]["tiny"]} == {"tiny-control", "peer"}
    for other, gap in table["differences"]["tiny"].items():
        a, b = (np.array(right[name], float) for name in ("tiny", other))
        assert gap["mean"] == pytest.approx(a.mean() - b.mean())
        assert gap["interval"] == pytest.approx(crossed_interval(a, b))
    # And the documents show it.
    _, _, tiny, *_ = result_tables.models_table(table["models"]).splitlines()
    mine, each = table["models"]["tiny"], table["models"]["tiny"]["trainings"].values()
    shown = ", ".join(f"{100 * one['accuracy']:.1f}" for one in each)
    assert tiny.startswith(f"| tiny | {mine['parameters']:,} | {100 * mine['accuracy']:.1f} % (")
    assert f"| {shown} | {100 * mine['class_accuracy']:.1f} % |" in tiny
    gaps = result_tables.accuracy_differences(table["differences"]["tiny"]).splitlines()
    assert [line.split(" | ")[0] for line in gaps[2:]] == ["| tiny-control", "| peer"]
    steps = result_tables.accuracy_steps(mine["accuracy_by_step"]).splitlines()
    assert steps[0] == "| steps | accuracy |" and steps[3].startswith("| 1 | ")


def test_accuracy_against_parameters_is_drawn_with_its_intervals():
    def row(kind: str, parameters: int, accuracy: float) -> dict:
        interval = [accuracy - 0.01, accuracy + 0.01]
        return dict(kind=kind, parameters=parameters, accuracy=accuracy, interval=interval)

    models = {
        "big": row("ddeq", 200_000, 0.9),
        "small": row("ddeq", 50_000, 0.88),
        "small-control": row("control", 50_000, 0.86),
        "peer": row("pointnet", 3_470_000, 0.89),
    }
    svg = ElementTree.fromstring(accuracy_svg(models))
    space = "{http://www.w3.org/2000/svg}"
    curves = []
    for number in range(3):
        [line] = svg.findall(f".//{space}g[@id='curve-{number}']/{space}path")
        curves.append(np.array(re.findall(r"[\d.]+", line.attrib["d"]), float).reshape(-1, 2))
    assert sorted(map(len, curves)) == [1, 1, 2]
    small, big = next(curve for curve in curves if len(curve) == 2)
    assert small[0] < big[0] and small[1] > big[1]  # more parameters, and higher up
    words = {text.text for text in svg.iter(f"{space}text")}
    assert {"DDEQ", "control: F once", "peer", "50 k", "1 M", "90 %"} <= words
