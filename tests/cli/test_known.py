"""``ddeq evaluate known``: what a classifier is told of itself, and says afterwards."""

import json
import shutil

import pytest

from ddeq.cli import main
from ddeq.model.checkpoints import save
from ddeq.shipped import ASSETS
from tests import modelnet, solids
from tests.cli.test_cli import digit, mnist, said  # noqa: F401


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr("ddeq.cli.known.STRANGERS", 6)


@pytest.fixture
def weights(tmp_path):
    """A copy of the digit classifier that ships, whose card tells nothing of what is usual."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(ASSETS / f"digits{suffix}", tmp_path)
    path = tmp_path / "digits.json"
    card = {k: v for k, v in json.loads(path.read_text()).items() if k != "known"}
    path.write_text(json.dumps(card))
    return tmp_path / "digits.safetensors"


def test_a_classifier_of_digits_is_told_and_then_tells(capsys, mnist, digit, weights):  # noqa: F811
    silent = said(capsys, "classify", digit, "--model", weights)
    assert "known" not in silent
    command = ("evaluate", "known", "--data", mnist, "--model", weights, "--limit", 40, "--card")
    found = said(capsys, *command)
    assert found["clouds"] == found["validation"] == 40 and found["accuracy"] > 0.9
    assert {*found["strangers"]} == {"letter", "drawing"}
    assert found["score"] in found["areas_by_score"] and {*found["calibration_error"]} == {
        "before",
        "after",
    }
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["known"]["temperature"] == pytest.approx(found["temperature"], rel=1e-5)
    assert [*card][-1] == "results" and card["results"]["known"]["score"] == found["score"]
    told = said(capsys, "classify", digit, "--model", weights)
    assert told["known"] is True and told["unlike"] <= 0.95
    assert told["label"] == silent["label"]
    assert told["confidence"] != silent["confidence"]  # by the temperature


def test_one_of_shapes_is_asked_about_solids_and_shapes_on_their_side(capsys, tmp_path):
    data = modelnet.write_npz(tmp_path / "data", modelnet.shapes())
    checkpoint = solids.classifier(0)
    save(checkpoint.model, checkpoint.card, tmp_path / "small.safetensors")
    command = ("evaluate", "known", "--data", data, "--model", tmp_path / "small.safetensors")
    found = said(capsys, *command)
    assert {*found["strangers"]} == {"wrong way up", "sphere", "cube", "plane", "noise"}
    assert found["clouds"] == 9 and found["strangers"]["sphere"]["count"] == 6
    assert "known" not in json.loads((tmp_path / "small.json").read_text())  # nobody asked


def test_data_that_are_missing_get_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("DDEQ_MODELNET", raising=False)
    for more in ([], ["--data", str(tmp_path)]):
        assert main(["evaluate", "known", *more]) == 2
        assert capsys.readouterr().err.count("\n") == 1
