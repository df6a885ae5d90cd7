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
