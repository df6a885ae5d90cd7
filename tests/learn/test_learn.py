"""Page *Learn*: its toys do what its text claims, its code runs, every chapter opens."""

import contextlib
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ddeq.learn import arcs, descent
from ddeq.learn.gradients import gradients
from ddeq.learn.maps import CENTRE, MAPS, Line, halving_steps, walk
from ddeq.learn.measures import duplicated, list_distance, mmd, padded, shuffled
from ddeq.learn.real import DEPTHS, score
from ddeq.learn.ring import RingOperator, even_start, movement, random_start
from ddeq.learn.shapes import SHAPES, SIZE, fitted
from ddeq.metrics.transport import transport
from ddeq.model.checkpoints import load
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.gradients.measures import angle, graph_bytes
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import Anderson, Euler, EulerDecay, Picard
from ddeq.view.glossary import TERMS, explain, with_terms
from ddeq.view.learn import CHAPTERS
from ddeq.view.learn.clouds import STARTS
from ddeq.view.learn.descent import COUNT, solved
from ddeq.view.learn.descent import SOLVERS as FLOWS
from ddeq.view.learn.frame import PAPERS, lab_link
from ddeq.view.learn.real import FIRST, PRESETS, results
from ddeq.view.learn.symbols import SYMBOLS, with_symbols

PAGE = str(Path(__file__).parents[2] / "pages" / "learn.py")
clouds = st.integers(0, 2**31 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(6, 2)))


# Chapter 1


@given(slope=st.floats(-2.5, 2.5), start=st.floats(-2, 2), damping=st.floats(0.1, 1))
def test_each_step_multiplies_the_distance_to_the_fixed_point_by_the_rate(slope, start, damping):
    found = walk(Line(slope), start, damping, steps=10)
    expected = CENTRE + (start - CENTRE) * (1 - damping + damping * slope) ** np.arange(
        len(found.x)
    )
    np.testing.assert_allclose(found.x, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("slope", [-3.0, -1.2, -0.99, -0.5, 0.0, 0.5, 0.99, 1.2, 3.0])
def test_iteration_settles_exactly_where_the_slope_is_below_one(slope):
    assert walk(Line(slope), 0.5, steps=2000).settled == (abs(slope) < 1)


@settings(max_examples=25)
@given(slope=st.floats(-3, 3), start=st.floats(-2, 2))
def test_a_neuron_cannot_fly_away_and_where_it_settles_the_slope_is_below_one(slope, start):
    found = walk(MAPS["neuron"](slope), start)
    assert all(abs(x) <= 1 for x in found.x[1:])
    if found.settled and abs(found.x[-1] - found.x[-2]) < 1e-9:
        assert abs(found.slope) <= 1 + 1e-6


def test_at_slope_a_half_the_distance_halves_each_step():
    assert halving_steps(0.5) == 1
    assert halving_steps(-0.5) == 1
    assert halving_steps(0.25) == 0.5
    assert halving_steps(1.2) == math.inf


def test_half_steps_tame_a_steep_negative_slope():
    assert walk(Line(-1.2), 0.2).ending == "escapes"
    assert walk(Line(-1.2), 0.2, damping=0.5).ending == "settles"
    assert walk(MAPS["neuron"](-2.0), -1.0).ending == "repeats"


# Chapter 2


@given(a=clouds, b=clouds, seed=st.integers(0, 99))
def test_measures_see_neither_order_nor_repetition(a, b, seed):
    for same in (shuffled(a, seed), duplicated(a)):
        # A distance is a root, so of its zero only half the digits are left.
        assert transport(same, b).distance == pytest.approx(transport(a, b).distance, abs=1e-6)
        assert mmd(same, b, Riesz()) == pytest.approx(mmd(a, b, Riesz()), abs=1e-6)


@given(a=clouds, b=clouds)
def test_padding_is_nothing_with_its_mask_and_mass_without(a, b):
    filled, valid = padded(a, 6)
    assert mmd(filled, b, Riesz(), valid) == pytest.approx(mmd(a, b, Riesz()), abs=1e-6)
    assert abs(mmd(filled, b, Riesz()) - mmd(a, b, Riesz())) > 1e-6


def test_the_plan_is_one_and_its_cost_is_the_distance():
    a, b = (np.array(points) for points in STARTS["Different numbers"])
    found = transport(a, b)
    np.testing.assert_allclose(found.plan.sum(1), 1 / len(a))
    np.testing.assert_allclose(found.plan.sum(0), 1 / len(b))
    shift = np.array([3.0, -4.0])
    assert transport(a, a + shift).distance == pytest.approx(5)  # a shift is the best plan
    assert list_distance(a, a + shift) == pytest.approx(5)
    assert list_distance(a, b) is None
    assert transport(a, a).distance == mmd(a, a, Riesz()) == 0


# Chapter 3


def alone(gamma: float, distance: float, kernel: Riesz, steps: int = 400) -> list[float]:
    """Distances of one particle from one target, at every step of constant size."""
    z0 = torch.tensor([[[distance, 0.0]]], dtype=torch.float64)
    still = descent.standing_still(torch.zeros(1, 1, 2, dtype=torch.float64))
    flow = Flow(still, z0, solver=Euler(gamma), kernel=kernel, stop=StopRule(steps, 0.0))
    return [float(step.particles.norm()) for step in flow]


@given(gamma=st.floats(0.05, 2), scale=st.floats(0.1, 10))
def test_a_particle_chatters_at_a_distance_proportional_to_the_step(gamma, scale):
    steps = alone(gamma, 0.737, Riesz(), 25)
    scaled = alone(scale * gamma, scale * 0.737, Riesz(), 25)
    np.testing.assert_allclose(scaled, scale * np.array(steps), rtol=1e-6, atol=1e-9)
    assert max(steps[-10:]) <= max(gamma, 0.737)


@pytest.mark.parametrize("gamma", [0.1, 0.3])
def test_chattering_stays_and_is_cured(gamma):
    left = alone(gamma, 1.037, Riesz())
    assert gamma / 2 <= max(left[-10:]) <= gamma
    assert max(alone(gamma, 1.037, Riesz(1.5))[-10:]) < gamma / 2
    assert max(alone(gamma, 1.037, Riesz(1.0, 0.3))[-2:]) < 1e-3
    assert max(alone(gamma, 1.037, Riesz(1.0, gamma / 4))[-10:]) > gamma / 4  # too long a step


def test_a_cloud_chatters_too_and_shorter_and_shorter_steps_cure_it():
    target = SHAPES["ring"](24)
    whole, half, shorter = (
        descent.leftover(descent.flow_to(target, solver, Riesz(), steps=120), target)
        for solver in (Euler(2.0), Euler(1.0), EulerDecay(2.0))
    )
    assert 1e-3 < half < 0.7 * whole
    assert shorter < 0.1 * half


def ends_of_preset(name: str) -> tuple[float, float]:
    """What is left, and how far each particle still moves in a step."""
    chosen = CHAPTERS[2].presets[name]
    solver = replace(FLOWS[chosen["flow-solver"]], step_size=chosen["flow-step"])
    kernel = Riesz(chosen["flow-r"], chosen["flow-eps"])
    _, said = solved(SHAPES["ring"](COUNT), solver, kernel, chosen["flow-noise"])
    left, _, moves = re.findall(r"\d+\.\d+", said)
    return float(left), float(moves)


def test_the_presets_chatter_and_are_cured():
    left, moves = ends_of_preset("Chattering")
    half_left, half_moves = ends_of_preset("Half the step")
    assert 0.1 * left < half_left < 0.6 * left and 0.1 * moves < half_moves < 0.6 * moves
    for cure in ("Shorter and shorter", "r = 1.5", "Smoothed"):
        cured_left, cured_moves = ends_of_preset(cure)
        assert cured_left < 0.5 * half_left and cured_moves < 0.2 * half_moves, cure


def test_noise_keeps_particles_from_settling():
    target = SHAPES["ring"](16)
    calm, shaken = (
        descent.leftover(
            descent.flow_to(target, EulerDecay(2.0, floor=0.5), Riesz(), noise=noise, steps=80),
            target,
        )
        for noise in (0.0, 0.3)
    )
    assert shaken > 1.5 * calm


def test_particles_share_the_target_out():
    """Repulsion: without it all would run to the same spot."""
    target = SHAPES["islands"](20)
    flow = descent.flow_to(target, EulerDecay(2.0), Riesz(), steps=120)
    end = flow.run().particles[0].numpy()
    assert abs((end[:, 0] > 0).mean() - 0.5) < 0.06


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("count", [24, 40])
def test_targets_have_as_many_points_as_particles(name, count):
    points = SHAPES[name](count)
    assert points.shape == (count, 2) and np.isfinite(points).all()
    assert len(np.unique(points.round(6), axis=0)) == count


def test_a_drawing_becomes_a_target():
    drawn = fitted(np.random.default_rng(0).uniform(size=(300, 2)) * [100, 20] + 7, 40)
    assert drawn.shape == (40, 2)
    assert np.sqrt((drawn**2).sum(1).mean()) == pytest.approx(SIZE, rel=0.1)


# Chapter 4


def ring_flow(z0, solver, turn=30.0, steps=120):
    rho = torch.from_numpy(SHAPES["ring"](20))[None] + 0.3
    return list(Flow(RingOperator(0.4, turn).of(rho), z0, solver=solver, stop=StopRule(steps, 0.0)))


def test_an_even_ring_is_an_equilibrium_whose_particles_never_stand_still():
    last = ring_flow(even_start(24), Picard())[-1]
    assert float(last.relative_objective) < 1e-12
    chord = 2 * SIZE * math.sin(math.radians(15))
    assert movement(last.particles, last.image) == pytest.approx(chord, rel=2e-3)


def test_without_the_turn_particles_stand_still():
    last = ring_flow(even_start(24), Picard(), turn=0.0)[-1]
    assert movement(last.particles, last.image) < 1e-6


def test_from_an_uneven_start_only_the_gradient_flow_finds_the_equilibrium():
    """Iterations that match particles one by one cannot: none of them has a fixed point."""
    picard, anderson, flow = (
        float(ring_flow(random_start(24, 0), solver)[-1].relative_objective)
        for solver in (Picard(), Anderson(), EulerDecay(2.0))
    )
    assert picard > 0.1 and anderson > 0.1
    assert flow < 0.03


@given(seed=st.integers(0, 999), turn=st.sampled_from([0.0, 30.0, 75.0]))
def test_the_toy_operator_ignores_order_as_the_real_one_does(seed, turn):
    z, x = random_start(9, seed), random_start(7, seed + 1)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(seed))
    again = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    image = RingOperator(0.4, turn).of(x)(z)
    torch.testing.assert_close(
        RingOperator(0.4, turn).of(x[:, again])(z[:, order]), image[:, order]
    )


# Chapter 5


@given(strength=st.floats(0, 0.9), turn=st.floats(0, 180), x=st.floats(0.2, 1), y=st.floats(-1, 1))
def test_unrolled_gradients_are_the_partial_sums_of_the_exact_one(strength, turn, x, y):
    found = gradients(strength, turn, (x, y), depth=4)
    c, s = (f(math.radians(turn)) for f in (math.cos, math.sin))
    A_t = strength * np.array([[c, s], [-s, c]])
    sums = np.cumsum([np.linalg.matrix_power(A_t, k) @ [x, y] for k in range(4)], axis=0)
    np.testing.assert_allclose(np.stack(found.unrolled), sums, atol=1e-9)
    np.testing.assert_allclose(found.implicit, np.linalg.solve(np.eye(2) - A_t, [x, y]), atol=1e-6)
    np.testing.assert_allclose(found.phantom, [x, y], atol=1e-12)
    assert angle(found.phantom, found.implicit) < 90  # downhill, as the strength is below 1


def test_unrolling_costs_memory_with_depth_and_phantom_does_not():
    sizes, phantom = arcs.memory_of_unrolling([1, 2, 4, 8])
    assert sizes[0] == phantom
    steps = np.diff(sizes)
    assert (steps > 0).all() and steps[2] == 2 * steps[1]


def test_graph_bytes_counts_every_kept_tensor_once():
    a = torch.randn(100, requires_grad=True)
    assert graph_bytes(lambda: a * a) == a.untyped_storage().nbytes()
    assert graph_bytes(lambda: a + 1) == 0


@pytest.fixture(scope="module")
def trained():
    return list(arcs.train(report_every=100))


def test_the_tiny_ddeq_learns_circles(trained):
    assert [round.number for round in trained] == [0, 100, 200, 300]
    assert trained[-1].error < 0.1 * trained[0].error


def test_what_it_learns_is_an_equilibrium(trained):
    """Solving five times as long changes little, which one application does not reach."""
    model, unseen = trained[-1].model, arcs.draw(100, torch.Generator().manual_seed(5))
    one, eight, forty = (arcs.error(model, unseen, steps) for steps in (1, 8, 40))
    assert eight < 0.8 * one
    assert forty < 1.5 * eight


def test_training_is_determined_by_its_seed():
    first, second, other = (list(arcs.train(seed, rounds=3))[-1].error for seed in (0, 0, 1))
    assert first == second != other


# Chapter 6


def test_more_steps_read_no_fewer_digits_than_noise():
    newest = list(score(load("digits")))[-1]
    assert newest.seen == 240 and len(newest.right) == len(DEPTHS)
    assert newest.right[0] < 60 < 230 <= min(newest.right[1:])


def test_the_text_states_what_the_card_says():
    text, ddeq, control = CHAPTERS[5].text, results("digits"), results("digits-control")
    for figure in (ddeq["accuracy"], control["accuracy"], ddeq["changed_5x"]):
        assert f"{figure:.2%}" in text
    assert f"{ddeq['parameters']:,} weights" in text and f"all {ddeq['total']:,} MNIST" in text
    assert not re.search(r"\{[a-z_]+\}", re.sub(r"\\\w+(\{.*?\})+", "", text))
    overlap = control["interval"][1] >= ddeq["interval"][0]
    assert ("intervals overlap" in text) == overlap


# The page


def chapter(number: int, **query: str) -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=120)
    test.query_params.update({"chapter": str(number), **query})
    test.run()
    assert not test.exception and not test.error
    return test


def texts(test: AppTest) -> str:
    return "\n".join(m.value for m in test.markdown)


NUMBERS = range(1, len(CHAPTERS) + 1)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_chapter_opens_and_its_code_runs_as_printed(number):
    test = chapter(number)
    assert test.header[0].value.startswith(f"{number}. ")
    [code] = test.code
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code.value, f"chapter {number}", "exec"), {})  # as a reader would paste it
    assert out.getvalue()


@pytest.mark.parametrize("number", NUMBERS)
def test_every_preset_shows_something_else_without_error(number):
    test = chapter(number)
    seen = []
    for button in [b.label for b in test.button if (b.key or "").startswith("preset-")]:
        next(b for b in test.button if b.label == button).click().run()
        assert not test.exception and not test.error
        compile(test.code[0].value, button, "exec")
        seen.append(test.code[0].value + texts(test) + str(sorted(test.query_params.items())))
    assert len(seen) == len(CHAPTERS[number - 1].presets) and len(set(seen)) == len(seen)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_simulation_judges_every_prediction(number):
    test = chapter(number)
    question = CHAPTERS[number - 1].question
    right, found = question.answer()
    assert found.rstrip().endswith(".")
    for option in range(len(question.options)):
        test.radio(key=f"predict-{number}").set_value(option).run()
        assert not test.exception
        assert ("That is what happens" in texts(test)) == (option == right)


def test_the_right_predictions_are_those_that_the_text_teaches():
    assert [c.question.answer()[0] for c in CHAPTERS] == [2, 0, 1, 1, 1, 0]


@pytest.mark.parametrize("query", [{"chapter": "cat"}, {"chapter": "99"}, {"start": "nan"}])
def test_a_link_that_makes_no_sense_still_opens(query):
    test = AppTest.from_file(PAGE, default_timeout=120)
    test.query_params.update(query)
    test.run()
    assert not test.exception and not test.error and test.header


@pytest.mark.parametrize("blue", ["", "cat", "1,2,3", "9e9,0", "nan,1", "0,0_" * 99 + "0,0"])
def test_clouds_of_a_link_that_make_no_sense_are_those_to_begin_with(blue):
    assert str(STARTS["Apart"][0][0][0]) in chapter(2, blue=blue).code[0].value


def test_state_comes_from_the_link():
    code = chapter(3, **{"flow-step": "1.5", "flow-r": "1.2"}).code[0].value
    assert "Euler(step_size=1.5" in code and "Riesz(r=1.2" in code
    assert "slope=0.25" in chapter(1, slope="0.25").code[0].value
    assert chapter(2, blue="0.00,0.50").code[0].value.count("blue = np.array([[0.0, 0.5]])") == 1


def test_the_way_leads_through_all_chapters():
    test = chapter(1)
    for number in NUMBERS[1:]:
        test.button(key="learn-next").click().run()
        assert test.header[0].value.startswith(f"{number}. ") and not test.exception
        assert test.query_params["chapter"] == str(number)
    test.button(key="learn-back").click().run()
    assert test.header[0].value.startswith("5. ")


def test_turning_a_page_leaves_nothing_of_the_last_in_the_link():
    test = chapter(1, slope="0.3", controls="0")
    test.button(key="learn-next").click().run()
    assert "slope" not in test.query_params and test.query_params["controls"] == "0"


def test_the_first_digit_is_a_seven_and_one_preset_is_misread():
    assert "**7**" in texts(chapter(6))
    wrong = PRESETS["One it gets wrong"]["@digit"]
    assert "but it is a" in texts(chapter(6, digit=str(wrong)))
    assert wrong != FIRST


def test_the_lab_opens_with_the_same_settings():
    link = lab_link(Euler(1.5), Riesz(1.2, 0.1), 140, noise=0.2)
    address = urlsplit(link)
    assert address.path == "lab"
    assert parse_qs(address.query) == {
        "a-solver": ["euler"],
        "a-kernel": ["riesz"],
        "a-euler-steps": ["140"],
        "a-euler-step_size": ["1.5"],
        "a-riesz-r": ["1.2"],
        "a-riesz-eps": ["0.1"],
        "a-noise": ["0.2"],
    }


@pytest.mark.parametrize("number", NUMBERS)
def test_terms_symbols_and_sources_of_a_chapter_are_known(number):
    text = CHAPTERS[number - 1].text
    assert set(CHAPTERS[number - 1].sources) <= set(PAPERS)
    shown = with_terms(with_symbols(text))  # a KeyError names what is not
    assert "[[" not in shown and r"\term" not in shown and "ddeq-term" in shown
    assert r"\textcolor{#" in shown


def test_the_glossary_explains_each_term_in_one_sentence():
    for term in TERMS:
        sentence = explain(term)
        assert sentence.endswith(".") and ". " not in sentence and len(sentence) < 160, term
    assert 'data-tip="The least' in with_terms("[[it|Wasserstein distance]]")
    assert len({s.key for s in SYMBOLS.values()}) == len(SYMBOLS)


def test_the_chart_of_accuracy_ends_where_its_data_end():
    def script():
        from ddeq.learn.real import DEPTHS, Score
        from ddeq.view.learn.real import _scores

        score = Score(240, tuple(200 + depth for depth in DEPTHS))
        _scores([(score, score)])

    test = AppTest.from_function(script).run()
    assert not test.exception
    [chart] = test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")
    layers = json.loads(chart.proto.spec)["layer"]
    for layer in layers:
        scale = layer["encoding"]["x"]["scale"]
        assert scale["domain"] == [1, DEPTHS[-1]] and scale["nice"] is False
