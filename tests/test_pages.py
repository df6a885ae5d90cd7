"""Every page, launched."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]


def launched(**query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    test.query_params.update(query)
    return test.run()


def said(test: AppTest) -> str:
    return next(m.value for m in test.markdown if "reads this as" in m.value)


def test_classify_shows_an_outcome_at_once():
    test = launched(digit="0")
    assert not test.exception and not test.error
    assert "**0**" in said(test)
    assert "MNIST" in " ".join(c.value for c in test.caption)


@pytest.mark.parametrize("solver", ["euler", "euler-decay", "momentum", "picard", "anderson"])
@pytest.mark.parametrize("kernel", ["riesz", "gaussian"])
def test_every_solver_and_kernel_runs(solver, kernel):
    test = launched(
        digit="30", solver=solver, kernel=kernel, tolerance="0", **{f"{solver}-steps": "3"}
    )
    assert not test.exception and not test.error
    assert "after 3 steps" in said(test)


def test_settings_come_from_the_link():
    test = launched(digit="5", particles="7", seed="11", tolerance="0", **{"picard-steps": "2"})
    assert "after 2 steps and 3 network evaluations" in said(test)
    assert test.number_input(key="particles").value == 7
    assert test.number_input(key="seed").value == 11


@pytest.mark.parametrize("digit", ["-1", "999999", "cat", ""])
def test_a_link_that_makes_no_sense_shows_the_first_digit(digit):
    test = launched(digit=digit, seed="cat", solver="none")
    assert not test.exception
    assert "reads this as" in said(test)


def test_changing_a_setting_runs_again():
    test = launched(digit="5", tolerance="0", **{"picard-steps": "2"})
    test.number_input(key="picard-steps").set_value(4).run()
    assert "after 4 steps" in said(test)
    test.selectbox(key="solver").set_value("momentum").run()
    assert "after 200 steps" in said(test) and not test.exception


@pytest.mark.parametrize("name", ["broken.ply", "notes.doc", "digit.png", "empty.xyz"])
def test_a_bad_upload_keeps_the_last_result(name):
    test = launched(digit="0")
    before = said(test)
    test.segmented_control(key="input").set_value("Upload").run()
    test.file_uploader[0].upload(name, b"not what it says", "application/octet-stream").run()
    assert not test.exception
    [error] = test.error
    assert name in error.value and error.value.endswith(".")
    assert said(test) == before


COMPLETE = str(ROOT / "pages" / "complete.py")
FILLED = "known points** for"
PLANE = "\n".join(f"{x} {y} 0" for x in range(6) for y in range(5)).encode()
BALL = "\n".join(f"{x} {y} {x * x - y}" for x in range(6) for y in range(5)).encode()


def completing(**query: str) -> AppTest:
    test = AppTest.from_file(COMPLETE, default_timeout=120)
    test.query_params.update(query)
    return test.run()


def filled(test: AppTest) -> str:
    return next(m.value for m in test.markdown if FILLED in m.value)


def press_complete(test: AppTest) -> None:
    next(b for b in test.button if b.label == "Complete").click()
    test.run()
    assert not test.exception


def upload(test: AppTest, name: str, content: bytes) -> None:
    test.segmented_control(key="input").set_value("Upload").run()
    test.file_uploader[0].upload(name, content, "application/octet-stream").run()
    assert not test.exception


def test_complete_shows_a_completion_at_once():
    test = completing()
    assert not test.exception and not test.error
    assert "Against the truth" in filled(test) and "reads what was left as a" in filled(test)


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ({"cut": "Holes", "holes": "1", "radius": "0.3"}, None),
        ({"cut": "Thinning", "thin": "50"}, 58),
        ({"cut": "By hand", "removed": "____"}, 116 - 24),
        ({"cut": "Nothing"}, 116),
    ],
)
def test_every_way_to_cut_is_completed_from_its_link(query, known):
    removed = query.get("removed")
    if removed:  # the first 24 of the digit's points, as bits
        query = {**query, "removed": removed + "A" * 16}
    test = completing(digit="168", **query)
    assert not test.exception and not test.error
    if known is not None:
        assert f"**{known} known points**" in filled(test)
    assert ("Against the truth" in filled(test)) == (query["cut"] != "Nothing")


def test_a_setting_changed_waits_for_the_button():
    test = completing(digit="5")
    before = filled(test)
    test.number_input(key="free").set_value(7).run()
    assert filled(test) == before and "Press Complete" in test.info[0].value
    press_complete(test)
    assert "**7 free particles**" in filled(test) and not test.info


def test_particles_can_go_on_from_where_they_are():
    test = completing(digit="5", **{"fill-tolerance": "0", "fill-picard-steps": "3"})
    first = filled(test)
    test.slider(key="radius").set_value(0.4).run()
    test.toggle[0].set_value(True).run()
    press_complete(test)
    assert filled(test) != first
    free = first.split("**")[1]
    assert f"**{free}**" in filled(test)  # as many as there were


def test_seeds_are_compared():
    test = completing(digit="5", seeds="3")
    assert not test.exception and not test.error
    said = [m.value for m in test.markdown if "completion" in m.value and "EMD between" in m.value]
    assert len(said) == 1 and "3 seeds" in said[0]


@pytest.mark.parametrize(
    "query",
    [
        {"cut": "Holes", "holes": "6", "radius": "1.5"},  # everything removed
        {"cut": "By hand", "removed": "A" * 20},  # nothing removed
        {"cut": "By hand", "removed": "_" * 19 + "A"},  # two points left
    ],
)
def test_a_cut_that_cannot_be_completed_is_one_sentence(query):
    test = completing(digit="168", **query)
    assert not test.exception
    [error] = test.error
    assert error.value.endswith(".") and ". " not in error.value
    assert next(b for b in test.button if b.label == "Complete").disabled


def test_a_bad_cut_keeps_the_last_completion():
    test = completing(digit="168")
    before = filled(test)
    test.slider(key="holes").set_value(6).run()
    test.slider(key="radius").set_value(1.5).run()
    assert len(test.error) == 1 and filled(test) == before


def test_a_flat_cloud_in_space_is_completed_and_a_thick_one_refused():
    test = completing(digit="168")
    before = filled(test)
    upload(test, "ball.xyz", BALL)
    assert "not flat" in test.error[0].value and filled(test) == before
    test.file_uploader[0].upload("plane.xyz", PLANE, "text/plain").run()
    assert not test.error
    press_complete(test)
    assert filled(test) != before


def test_more_particles_than_memory_allows_are_refused():
    test = completing(digit="168")
    before = filled(test)
    test.number_input(key="free").set_value(900_000).run()
    press_complete(test)
    assert len(test.error) == 1 and filled(test) == before
