"""The comparison of solvers, on a tiny random model, and its figure."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from ddeq.evaluation import solvers
from ddeq.evaluation.figure import curves_svg
from ddeq.evaluation.solvers import CANDIDATES, REFERENCE, Ends, compare, gradient_cost, solve
from ddeq.input.labelled import Labelled
from ddeq.input.preprocess import collate
from ddeq.run.flows import flow_of
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.kernels import Riesz
from ddeq.solve.objective import Evaluation, Objective
from ddeq.solve.solvers import SOLVERS, EulerDecay, Picard

SHORT = RunSettings(EulerDecay(1.0, 10.0, 0.0), Riesz(), Limits(steps=12, tolerance=1e-4))
PICARD = RunSettings(Picard(), Riesz(), Limits(steps=6, tolerance=1e-3))


@pytest.fixture
def data() -> Labelled:
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(n, 2)).astype(np.float32) for n in (9, 5, 12, 7)]
    return Labelled(clouds, np.array([0, 1, 2, 0]))


def ends(relative: list, evaluations: list) -> Ends:
    count = len(relative[0])
    return Ends(
        torch.zeros(count, 2, 2),
        torch.zeros(count),
        torch.tensor(relative),
        torch.tensor(evaluations),
        torch.ones(count),
        0.0,
    )


def test_the_cost_is_that_of_the_first_record_at_the_level():
    found = ends([[1, 1, 1], [0.5, 0.05, 0.9], [0.1, 0.2, 0.8]], [[1, 1, 1], [2, 4, 2], [3, 6, 3]])
    assert found.cost(0.1).tolist() == [3, 4, math.inf]


def test_the_curve_tells_the_median_that_so_many_evaluations_buy():
    """The third cloud searches its step for three evaluations."""
    found = ends([[1, 1, 1], [0.5, 0.4, 0.3], [0.1, 0.2, 0.01]], [[1, 1, 1], [2, 2, 4], [3, 3, 5]])
    expected = {1: 1.0, 2: 0.5, 3: 0.2, 4: 0.2, 5: 0.1}
    assert dict(found.curve()) == pytest.approx(expected)


def test_the_ends_are_those_of_each_cloud_solved_alone(tiny, data):
    together = solve(tiny, data, SHORT)
    for k, cloud in enumerate(data.clouds):
        x, _ = collate([cloud])
        *_, step = flow_of(tiny.model.encode(x), tiny.model.start([k], 10), SHORT)
        torch.testing.assert_close(together.particles[k], step.particles[0], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(
            together.relative_objective[12, k], step.relative_objective[0], rtol=1e-3, atol=1e-3
        )
        assert together.predicted[k] == tiny.model.logits(step.particles).argmax()
    assert together.evaluations[:, 0].tolist() == list(range(1, 14))


def test_a_solve_that_ends_early_keeps_its_last_record(tiny, data):
    found = solve(tiny, data, replace(PICARD, limits=Limits(steps=6, tolerance=1.0)))
    assert found.relative_objective.shape == found.evaluations.shape == (7, 4)
    assert (found.evaluations == 1).all() and (found.cost(1.0) == 1).all()


def test_the_reference_is_no_distance_from_itself_and_some_from_another_seed(
    tiny, data, monkeypatch
):
    monkeypatch.setattr(solvers, "REFERENCE", SHORT)
    monkeypatch.setattr(solvers, "gradient_cost", lambda *_: 2.5)
    found = compare(tiny, data, {"picard": PICARD, "the same": SHORT})
    rows = found["solvers"]
    assert found["digits"] == 4 and found["cost_of_a_gradient"] == 2.5
    assert list(rows) == ["reference", "picard", "the same"]
    for name in ("reference", "the same"):
        assert rows[name]["wasserstein"] == 0 and rows[name]["same_class"] == 1
    assert rows["reference"]["other_seed"]["wasserstein"] > 0.01
    assert rows["the same"]["other_seed"] == rows["reference"]["other_seed"]
    assert rows["picard"]["gradient"] is False and rows["the same"]["gradient"] is True
    assert rows["picard"]["wasserstein"] > 0.01
    for row in rows.values():
        assert 0 <= row["arrived"] <= 1 and row["spread"] >= row["smallest_spread"]
        assert (row["evaluations"] is None) == (row["arrived"] < 0.5)


def test_the_cost_of_a_gradient_is_that_of_the_best_times(tiny, data, monkeypatch):
    """On a clock that only evaluations move: 3 with it, 2 without, at first twice that."""
    now, seen, evaluate = 0.0, set(), Objective.__call__

    def clocked(self: Objective, z: torch.Tensor, velocity: bool = True) -> Evaluation:
        nonlocal now
        now += (3 if velocity else 2) * (1 if velocity in seen else 2)
        seen.add(velocity)
        return evaluate(self, z, velocity)

    monkeypatch.setattr(Objective, "__call__", clocked)
    monkeypatch.setattr(solvers.time, "perf_counter", lambda: now)
    assert gradient_cost(tiny, data, repeats=3) == 3 / 2


def test_every_solver_is_a_candidate():
    assert {type(c.solver) for c in CANDIDATES.values()} == {*SOLVERS.values()}
    assert REFERENCE.solver.step_size == 5 and REFERENCE.kernel == Riesz()


# Figure

SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_is_xml_with_a_line_for_each_curve_inside_its_frame():
    curves = {
        "fast & <sure>": [(1, 1.0), (10, 1e-3)],
        "slow": [(1, 1.0), (10, 0.5), (900, 2e-3)],
    }
    svg = ElementTree.fromstring(curves_svg(curves, "evaluations", "G"))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for i, curve in enumerate(curves.values()):
        [line] = svg.findall(f".//{SVG}g[@id='curve-{i}']/{SVG}path")
        x, y = np.array(re.findall(r"[\d.]+", line.attrib["d"]), float).reshape(-1, 2).T
        assert len(x) == len(curve)
        assert ((x >= 0) & (x <= width) & (y >= 0) & (y <= height)).all()
        # Equal ratios are equal lengths; further to the right costs more, lower is better.
        across, up = np.log(curve).T
        for place, value in ((x, across), (-y, up)):
            scale = np.ptp(place) / np.ptp(value)
            np.testing.assert_allclose(np.diff(place), scale * np.diff(value), atol=1e-4)
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert {"fast & <sure>", "slow", "evaluations", "G", "0.001", "100"} <= {*words}


def test_names_in_a_figure_do_not_overlap_and_stand_as_the_curves_end():
    curves = {f"curve {i}": [(1, 1.0), (10 + i, 10.0 ** (i % 4 - 5) + i)] for i in range(9)}
    svg = ElementTree.fromstring(curves_svg(curves, "x", "y"))
    texts = [text for text in svg.iter(f"{SVG}text") if text.text.startswith("curve")]
    heights = {t.text: float(re.findall(r"[\d.]+", t.attrib["transform"])[-1]) for t in texts}
    assert sorted(heights, key=heights.get) == sorted(curves, key=lambda name: -curves[name][-1][1])
    assert min(np.diff(sorted(heights.values()))) >= 10


def test_the_same_curves_are_the_same_file():
    curves = {"a": [(1, 1.0), (10, 0.5)]}
    assert curves_svg(curves, "x", "y") == curves_svg(curves, "x", "y")
