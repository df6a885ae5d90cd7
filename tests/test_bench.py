"""The benches measure what they say, at sizes too small to mean anything."""

import numpy as np
import pytest
import torch

from ddeq import bench as benches
from ddeq.bench import growth, objects
from ddeq.bench.digits import measure
from ddeq.bench.timing import peak_megabytes
from ddeq.operator import OperatorConfig
from ddeq.recipes import load_recipe


def test_the_peak_is_that_of_the_work_alone_and_counts_what_was_freed():
    held = np.ones(2_000_000)  # 16 MB that were there before

    def work() -> None:
        big = np.ones(8_000_000)  # 64 MB
        del big
        np.ones(1_000_000)

    peak = peak_megabytes(work)
    assert held.sum() == 2_000_000
    assert peak is None or 60 < peak < 75


@pytest.mark.parametrize(
    "name, measured",
    [
        ("objects", objects.CLASSIFIER),
        ("completion-objects", objects.COMPLETER),
    ],
)
def test_objects_are_measured_with_the_sizes_of_their_recipes(name, measured):
    model = load_recipe(f"recipes/{name}.toml", []).model
    wanted = model if name.startswith("completion") else model.operator
    numbers = ("input_dim", "hidden_dim", "latent_dim", "heads", "cross_layers")
    for n in numbers:
        ours, theirs = (getattr(getattr(m, "operator", m), n) for m in (measured, wanted))
        assert ours == theirs, n
    if name.startswith("completion"):
        assert (measured.lift, measured.total) == (wanted.lift, wanted.total)


def test_encoding_is_no_part_of_a_step_after_it(monkeypatch):
    monkeypatch.setattr("ddeq.bench.digits.NAIVE_STEPS", 1)
    row = measure(OperatorConfig(input_dim=3, heads=8), 1, 2, "cpu", 1, points=700)
    assert 0 < row["ms_per_step_after_encoding"] < row["ms_per_step"]
    assert row["steps"] == 2


def test_objects_are_classified_and_completed(monkeypatch):
    monkeypatch.setattr("ddeq.bench.digits.NAIVE_STEPS", 1)
    monkeypatch.setattr(objects, "POINTS", 30)
    monkeypatch.setattr(objects, "KNOWN", 20)
    monkeypatch.setattr(objects, "FREE", 10)
    result = benches.bench(["objects"], "cpu", steps=10, repeats=1)
    assert {*result} == {"device", "threads", "objects"}
    completion = result["objects"]["completion"]
    assert (completion["known"], completion["free"], completion["steps"]) == (20, 10, 1)
    assert result["objects"]["points"] == 30


def test_growth_tells_time_memory_and_error_at_each_size(monkeypatch):
    monkeypatch.setattr("ddeq.bench.growth.KNOWN", 8)
    result = growth.bench("cpu", repeats=1, sizes=(5, 9))
    assert [*result["sizes"]] == ["5", "9"]
    for row in result["sizes"].values():
        for kernel in ("exact", "sliced"):
            numbers = row[kernel]
            assert numbers["ms_per_step"] > 0 and numbers["ms_discrepancy"] > 0
            assert numbers["peak_mb"] is None or numbers["peak_mb"] >= 0
        assert 0 < row["gradient_error"] < 3
    assert result["sliced_faster_from"] in (None, 5, 9)


def row(exact: float, sliced: float) -> dict:
    return {"exact": {"ms_per_step": exact}, "sliced": {"ms_per_step": sliced}}


@pytest.mark.parametrize(
    "rows, first",
    [
        ([row(1, 2), row(3, 2), row(9, 2)], 2),
        ([row(3, 2), row(1, 2), row(9, 2)], 3),
        ([row(3, 2), row(3, 2), row(9, 2)], 1),
        ([row(1, 2), row(1, 2), row(1, 2)], None),
    ],
)
def test_sliced_is_faster_from_where_it_stays_so(monkeypatch, rows, first):
    monkeypatch.setattr("ddeq.bench.growth._measure", lambda size, *_: rows[size - 1])
    assert growth.bench(sizes=(1, 2, 3))["sliced_faster_from"] == first


def test_the_error_of_the_gradient_falls_with_the_lines(monkeypatch):
    from ddeq.kernels import Riesz, SlicedRiesz

    torch.manual_seed(0)
    begin = growth.completion(growth.COMPLETER, 8, 20, "cpu")
    errors = []
    for lines in (16, 128, 2048):
        kernels = {"exact": Riesz(), "sliced": SlicedRiesz(lines)}
        monkeypatch.setattr(growth, "_KERNELS", kernels)
        errors.append(growth._gradient_error(begin))
    assert errors[0] > errors[1] > errors[2]
