"""The benches measure what they say, at sizes too small to mean anything."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ddeq import bench as benches
from ddeq.bench import arrival, batch, growth, objects, threads
from ddeq.bench.digits import Size, measure
from ddeq.bench.rate import matmul_operations
from ddeq.bench.timing import peak_megabytes
from ddeq.errors import UserError
from ddeq.model.operator import OperatorConfig
from ddeq.training.recipes import load_recipe


@pytest.fixture(autouse=True)
def small_matrices(monkeypatch):
    """To compare the rate of matrix operations with."""
    monkeypatch.setattr("ddeq.bench.rate.SIDE", 64)


def test_the_peak_is_that_of_the_work_alone_and_counts_what_was_freed():
    """In sizes beside which what else the process takes or gives back meanwhile is nothing."""
    held = np.ones(32_000_000)  # 256 MB that were there before

    def work() -> None:
        big = np.ones(64_000_000)  # 512 MB
        del big
        np.ones(4_000_000)

    peak = peak_megabytes(work)
    assert held.nbytes == 256e6
    assert peak is None or 400 < peak < 650


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
    numbers = ("input_dim", "hidden_dim", "latent_dim", "heads", "cross_layers", "tokens")
    for n in numbers:
        ours, theirs = (getattr(getattr(m, "operator", m), n) for m in (measured, wanted))
        assert ours == theirs, n
    if name.startswith("completion"):
        assert (measured.lift, measured.total) == (wanted.lift, wanted.total)


def test_encoding_is_no_part_of_a_step_after_it(monkeypatch):
    monkeypatch.setattr("ddeq.bench.digits.NAIVE_STEPS", 1)
    row = measure(OperatorConfig(input_dim=3, heads=8), Size(1, 2, points=700), "cpu", 1)
    assert 0 < row["ms_per_step_after_encoding"] < row["ms_per_step"]
    assert row["steps"] == 2


def test_objects_are_classified_and_completed(monkeypatch):
    monkeypatch.setattr("ddeq.bench.digits.NAIVE_STEPS", 1)
    monkeypatch.setattr(objects, "POINTS", 30)
    monkeypatch.setattr(objects, "KNOWN", 20)
    monkeypatch.setattr(objects, "FREE", 10)
    result = benches.bench(["objects"], benches.Sizes(steps=10, repeats=1))
    assert {*result} == {"device", "threads", "objects", "against"}
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


def test_threads_are_compared_at_each_size_and_left_as_they_were(monkeypatch):
    monkeypatch.setattr("ddeq.threads._most", 4)
    before = torch.get_num_threads()
    result = threads.bench(steps=1, repeats=1, sizes=((1, 3), (2, 256)))
    assert [*result] == ["1 x 3", "2 x 256"]
    assert [row["chosen"] for row in result.values()] == [1, 4]
    for row in result.values():
        assert [*row["ms"]] == ["1", "2", "4"] and min(row["ms"].values()) > 0
    assert torch.get_num_threads() == before


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
    from ddeq.solve.kernels import Riesz, SlicedRiesz

    torch.manual_seed(0)
    begin = growth.completion(growth.COMPLETER, 8, 20, "cpu")
    errors = []
    for lines in (16, 128, 2048):
        kernels = {"exact": Riesz(), "sliced": SlicedRiesz(lines)}
        monkeypatch.setattr(growth, "_KERNELS", kernels)
        errors.append(growth._gradient_error(begin))
    assert errors[0] > errors[1] > errors[2]


def test_operations_are_those_of_products_and_of_their_gradients():
    a, b = torch.randn(3, 5, 7), torch.randn(3, 7, 2, requires_grad=True)
    once = 2 * 3 * 5 * 7 * 2
    assert matmul_operations(lambda: a @ b) == once
    assert matmul_operations(lambda: torch.autograd.grad((a @ b).sum(), b)) == 2 * once


def test_operations_of_fused_attention_are_those_of_its_products():
    q, k, v = (torch.randn(2, 4, n, 8, requires_grad=True) for n in (6, 9, 9))

    def plain() -> torch.Tensor:
        return (q @ k.transpose(2, 3)).softmax(-1) @ v

    def fused() -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v)

    assert matmul_operations(fused) == matmul_operations(plain) == 2 * (2 * 2 * 4 * 6 * 9 * 8)
    # Backward the fused kernel computes the scores a second time: five products, not four.
    there_and_back = matmul_operations(lambda: torch.autograd.grad(fused().sum(), (q, k, v)))
    assert there_and_back == 7 * (2 * 2 * 4 * 6 * 9 * 8)


def test_the_naive_way_takes_the_steps_of_the_flow(monkeypatch):
    """Two programs, one trajectory: as many steps to a tolerance, up to rounding."""
    monkeypatch.setattr(arrival, "SIZES", {"two digits": (2, 10)})
    monkeypatch.setattr(arrival, "TOLERANCE", 0.3)
    row = arrival.bench("cpu", repeats=1)["two digits"]
    assert row["flow"]["arrived"] == row["default"]["arrived"] == row["naive"]["arrived"] == 1
    assert row["naive"]["evaluations"] == 2 * (row["flow"]["evaluations"] - 1)
    assert row["default"]["evaluations"] < row["flow"]["evaluations"]


def test_what_a_batch_computes_is_counted_and_is_what_its_clouds_need():
    result = batch.bench("cpu", 3)
    for way in ("default", "flow"):
        assert result[way]["computed"] == result[way]["needed"] > 3
        assert result[way]["ratio"] == 1


ADAPTER = """
import torch
from ddeq.model.official import load_official
WEIGHTS = {weights!r}
HEADS = 4
model = load_official(WEIGHTS, HEADS)
def solve(x, z0, steps):
    context = model.operator.encode(x)
    from ddeq.solve.kernels import Riesz, mmd2
    for _ in range(steps):
        z0 = z0.detach().requires_grad_()
        value = mmd2(z0, model.operator(z0, context), Riesz()).sum() / 2
        z0 = z0 - 5 * z0.shape[1] * torch.autograd.grad(value, z0)[0]
    return z0
"""


def test_other_code_is_compared_with(tmp_path):
    weights = Path(__file__).parents[1] / "model" / "golden_small" / "cls_plane.pth"
    (tmp_path / "ddeq_bench.py").write_text(ADAPTER.format(weights=str(weights)))
    row = benches.bench([], benches.Sizes(steps=2, repeats=1), tmp_path)["against"]
    assert row["apart_after_one_step"] < 1e-3
    assert row["ms_per_step"] > 0 and row["ms_per_step_against"] > 0


def test_other_code_that_is_not_there_is_skipped_with_a_word(tmp_path):
    assert benches.bench([], against=tmp_path)["against"].startswith("skipped: ")


def test_other_code_without_its_functions_is_refused(tmp_path):
    (tmp_path / "ddeq_bench.py").write_text("WEIGHTS = 'model.pth'")
    with pytest.raises(UserError, match="has no solve"):
        benches.bench([], against=tmp_path)
