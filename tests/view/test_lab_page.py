"""Page *Solver lab*: every section by its link, and what it lets a person take home."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from ddeq.lab.equilibria import AS_IT_IS, End, Ends
from ddeq.lab.race import Result, Standing
from ddeq.lab.witness import witness
from ddeq.metrics.transport import between
from ddeq.solve.kernels import Riesz
from ddeq.view.lab.witness import KERNELS, figure_at
from ddeq.view.lab.words import equilibria_sentence, race_sentence
from ddeq.view.session import Kept, Name
from ddeq.view.words import class_name

BRACKETS = str.maketrans("[]", "  ")
ROOT = Path(__file__).parents[2]
DIGIT = {"input": "Digits", "digit": "168"}
OBJECT = {"input": "Objects", "object": "6"}
FAMILIES = pytest.mark.parametrize(
    ("picked", "prefix"), [(DIGIT, ""), (OBJECT, "object-")], ids=["digit", "object"]
)


def lab(look: str, picked: dict[str, str], settings: dict[str, str], prefix: str = "") -> AppTest:
    """The page at a section's link; settings are those of the input's family."""
    test = AppTest.from_file(str(ROOT / "pages" / "lab.py"), default_timeout=120)
    test.query_params.update({"look": look, **picked})
    test.query_params.update({prefix + name: value for name, value in settings.items()})
    return well(test.run())


def well(test: AppTest) -> AppTest:
    assert not test.exception and not test.error
    return test


def press(test: AppTest, label: str) -> AppTest:
    next(b for b in test.button if b.label == label).click()
    return well(test.run())


def said(test: AppTest) -> str:
    """What the page says, without the marks of terms."""
    return "\n".join(re.sub("<.+?>", "", m.value) for m in test.markdown)


def table(test: AppTest) -> list[dict]:
    [shown] = test.dataframe
    return shown.value.to_dict("records")


def printed(test: AppTest) -> list[str]:
    """What the section's snippet prints, run as it stands."""
    [snippet] = test.code
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(snippet.value, "snippet", "exec"), {})
    return out.getvalue().splitlines()


RACE = {"a-picard-steps": "3", "a-tolerance": "0", "b-euler-steps": "4", "b-tolerance": "0"}


@FAMILIES
def test_a_race_and_its_snippet_agree(picked, prefix):
    test = lab("Race", picked, RACE, prefix)
    rows = table(test)
    assert [row["lane"] for row in rows] == ["A \u00b7 picard", "B \u00b7 euler"]
    assert [row["evaluations"] for row in rows] == [4, 5]
    for row, line in zip(rows, printed(test), strict=True):
        name, numbers = line[: len(row["lane"])], line[len(row["lane"]) :].split()
        assert name == row["lane"] and int(numbers[0]) == row["evaluations"]
        assert float(numbers[1]) == pytest.approx(row["objective"], rel=1e-4)
        assert float(numbers[2]) == pytest.approx(row["spread"], rel=1e-4)
        assert class_name(numbers[3]) == row["class"]


def test_lanes_are_added_duplicated_and_removed():
    test = lab("Race", DIGIT, RACE)
    press(test, "Duplicate A")
    assert test.query_params["lanes"] == "abc" and len(table(test)) == 3
    assert table(test)[2]["lane"] == "C \u00b7 picard" and table(test)[2]["evaluations"] == 4
    press(test, "Remove B")
    assert [row["lane"][0] for row in table(test)] == ["A", "C"]
    press(test, "Remove A")
    assert "add another" in said(test)
    assert next(b for b in test.button if b.label == "Remove C").disabled


@FAMILIES
def test_a_fork_and_its_snippet_agree(picked, prefix):
    settings = {"t-euler-steps": "6", "t-tolerance": "0", "f-picard-steps": "3", "f-tolerance": "0"}
    test = lab("Fork", {**picked, "at": "2"}, settings, prefix)
    trunk, branch = table(test)
    assert (trunk["evaluations"], branch["evaluations"]) == (7, 3 + 3)
    *steps, labels = printed(test)
    numbers = np.array([line.split() for line in steps], float)  # (T, 3)
    np.testing.assert_array_equal(numbers[:, 0], range(6))
    assert numbers[-1, 1] == pytest.approx(branch["objective"], rel=1e-4)
    assert numbers[-1, 2] == pytest.approx(branch["spread"], rel=1e-4)
    assert [*map(class_name, labels.split())] == [trunk["class"], branch["class"]]


TWO_ENDS = {"input": "Digits", "digit": "130"}  # a digit with two equilibria


@pytest.mark.parametrize(
    ("picked", "prefix"), [(TWO_ENDS, ""), (OBJECT, "object-")], ids=["digit", "object"]
)
def test_a_search_and_its_snippet_agree(picked, prefix):
    test = lab("Is there one equilibrium?", {**picked, "same": "0.05"}, {"e-seed": "3"}, prefix)
    test.slider(key="seeds-of-search").set_value(4).run()
    test.multiselect(key="counts").set_value([5]).run()
    press(test, "Look for equilibria")
    rows = table(test)
    assert "equilibri" in said(test) or "only roughly" in said(test)
    assert [row["run"] for row in rows[:2]] == ["seed 3, 5 particles", "seed 4, 5 particles"]
    lines = printed(test)
    for row, line in zip(rows, lines, strict=False):
        numbers = line.removeprefix(row["run"] + " ").split()
        assert class_name(numbers[0]) == row["class"] and int(numbers[2]) + 1 == row["equilibrium"]
        assert float(numbers[1]) == pytest.approx(row["spread"], rel=1e-3)
    assert len(rows) == 12
    if picked is TWO_ENDS:
        assert len({row["equilibrium"] for row in rows}) > 1
    distances = np.array(" ".join(lines[12:]).translate(BRACKETS).split(), float).reshape(12, 12)
    expected = test.session_state[Kept(Name.SEARCH).key].latest.distances
    np.testing.assert_allclose(distances, expected, rtol=1e-3, atol=1e-3)


@FAMILIES
def test_a_phase_diagram_and_its_snippet_agree(picked, prefix):
    settings = {"p-momentum-steps": "4", "p-tolerance": "0"}
    test = lab("Phase diagram", {**picked, "x-values": "2", "y-values": "3"}, settings, prefix)
    assert "6 runs" in test.info[0].value
    press(test, "Compute the diagram")
    best = float(re.search(r"\*\*(.+?)%\*\* of the start", said(test)).group(1)) / 100
    shares = np.array(" ".join(printed(test)).translate(BRACKETS).split(), float)  # (6,)
    expected = test.session_state[Kept(Name.SWEEP).key].latest.common
    np.testing.assert_allclose(shares.reshape(3, 2), expected, rtol=1e-4)
    assert shares.min() == pytest.approx(best, rel=0.1)  # it is said in two digits
    test.selectbox(key="cell").set_value(int(shares.argmin())).run()
    assert "after 4 steps" in said(well(test))


@FAMILIES
def test_the_worth_of_the_flow_and_its_snippet_agree(picked, prefix):
    test = lab("Does the flow matter?", picked, {"x-picard-steps": "2"}, prefix)
    count = 240 if picked is DIGIT else 29
    assert f"All {count} {'digit' if picked is DIGIT else 'object'}s" in said(test)
    press(test, "Measure")
    after = {
        steps: int(re.search(rf"fter {steps} steps? (\d+) of {count}", said(test)).group(1))
        for steps in (0, 1, 2)
    }
    lines = [line.split() for line in printed(test)]
    found = {line[0]: round(float(line[1]) * count) for line in lines}
    assert {steps: found.pop(str(steps)) for steps in after} == after
    beside = re.search(rf"without a flow reads (\d+) of {count}", said(test))
    if picked is DIGIT:
        assert found == {"control": int(beside.group(1))}
    else:
        assert beside is None and found == {} and "no control" in said(test)


@FAMILIES
def test_the_dial_sets_the_other_pages(picked, prefix):
    measured = lab("Does the flow matter?", picked, {"x-picard-steps": "3"}, prefix)
    press(measured, "Measure")
    measured.slider(key="exit").set_value(2).run()
    press(measured, "Use it on the other pages")
    assert "at most 2 steps" in said(measured)
    page = AppTest.from_file(str(ROOT / "pages" / "classify.py"), default_timeout=120)
    page.query_params.update({**picked, f"{prefix}tolerance": "0"})
    for key in ("solver", "picard-steps"):  # one session has both pages
        page.session_state[prefix + key] = measured.session_state[prefix + key]
    assert "after 2 steps" in said(well(page.run()))


@FAMILIES
def test_the_witness_and_its_snippet_agree(picked, prefix):
    test = lab("Witness", picked, {"w-picard-steps": "3", "w-tolerance": "0"}, prefix)
    assert "flow from red to blue" in said(test)
    made = test.session_state[Kept(Name.MADE).key]
    [live] = made["witness"].values()
    lines = printed(test)
    assert len(lines) == len(live.frames) == 4
    for line, frame in zip(lines, live.frames, strict=True):
        z, image = torch.from_numpy(frame.particles), torch.from_numpy(frame.image)
        step, mean = line.split()
        assert int(step) == frame.step
        assert float(mean) == pytest.approx(float(witness(z, z, image, Riesz()).mean()), abs=1e-4)
    assert_it_fades(live, *made["view"].values())


def assert_it_fades(live, view):
    """The figure of the witness has its colours from the first step, so that it is seen to fade."""
    [paper, *_] = KERNELS
    steps = range(len(live.frames))
    maps = [figure_at(live, view, paper, k, fitted=False).data[0] for k in steps]
    assert len({(shown.zmin, shown.zmax) for shown in maps}) == 1
    reached = [np.abs(shown.z).max() / maps[0].zmax for shown in maps]
    assert reached[0] == pytest.approx(1) and reached[-1] < 0.7
    fitted = [figure_at(live, view, paper, k, fitted=True).data[0] for k in steps]
    assert all(np.abs(shown.z).max() == pytest.approx(shown.zmax) for shown in fitted)


def test_what_is_measured_of_one_family_stays_while_another_is_picked():
    test = lab("Does the flow matter?", OBJECT, {"x-picard-steps": "2"}, "object-")
    press(test, "Measure")
    before = next(line for line in said(test).splitlines() if "are read rightly" in line)
    test.segmented_control(key="input").set_value("Digits").run()
    well(test)
    assert "measured last" in test.info[0].value
    assert before in said(test)


def test_an_input_of_ones_own_is_in_the_snippets_file(tmp_path, monkeypatch):
    test = lab("Race", {"input": "Upload"}, RACE)
    assert "begin" in test.info[0].value
    shape = np.random.default_rng(0).normal(size=(60, 3))
    content = "\n".join(" ".join(map(str, p)) for p in shape).encode()
    test.file_uploader[0].upload("scan.xyz", content, "application/octet-stream").run()
    well(test)
    [snippet] = test.code
    assert 'load("objects")' in snippet.value and "ddeq-input.npz" in snippet.value
    bench = test.session_state[Kept(Name.BENCH).key]
    np.savez(tmp_path / "ddeq-input.npz", input=bench.points)
    monkeypatch.chdir(tmp_path)
    lines = printed(test)
    for row, line in zip(table(test), lines, strict=True):
        assert float(line.split()[-3]) == pytest.approx(row["objective"], rel=1e-4)


def test_a_grid_that_makes_no_sense_is_one_sentence():
    test = AppTest.from_file(str(ROOT / "pages" / "lab.py"), default_timeout=120)
    query = {"look": "Phase diagram", "x-from-step_size": "5", "x-to-step_size": "2"}
    test.query_params.update({**DIGIT, **query})
    test.run()
    assert not test.exception
    [error] = test.error
    assert error.value.endswith(".") and ". " not in error.value
    assert next(b for b in test.button if b.label == "Compute the diagram").disabled


# Words


def ranked(apart: float) -> Result:
    """A race of two lanes that end so far apart, with a spread of 2."""
    standings = tuple(
        Standing(name, 5, 6, 0.1, 4, 0.1, 0.01, 0.01, 2.0, 0.5, "7", 0.9, 0, False, distance, 4)
        for name, distance in (("A", 0.0), ("B", apart))
    )
    return Result(standings, np.array([[0, apart], [apart, 0]]), 0.03, "A", "A")


@pytest.mark.parametrize(("apart", "where"), [(0.05, "at"), (1.2, "near")])
def test_a_race_says_whether_its_ends_are_one_place_or_merely_near(apart, where):
    assert f"end {where} the same equilibrium" in race_sentence(ranked(apart))


def found_at(*places: float) -> Ends:
    """A search whose runs ended with their two particles 2 apart, around these places."""
    measures = [np.array([[place - 1], [place + 1]]) for place in places]
    ends = tuple(
        End(seed, 2, AS_IT_IS, measure, 1.0, 1.0, 0.0, True, 1, 2, "sofa", 0.9)
        for seed, measure in enumerate(measures)
    )
    return Ends(1.0, ends, between(measures))


@pytest.mark.parametrize(
    ("places", "verdict"),
    [
        ((0, 0, 0.01), "**One equilibrium**"),
        ((0, 0.3, 0.6), "**One only roughly**"),
        ((0, 0.6, 1.2), "**Equilibria in a chain**"),
        ((0, 0.1, 9), "**Several equilibria**"),
    ],
)
def test_ends_are_one_equilibrium_or_several(places, verdict):
    sentence = equilibria_sentence(found_at(*places), 0.75)
    assert sentence.startswith(verdict)
    assert "All predict a **sofa**." in sentence
