"""Records of results are written and read back, in a model's card or a file of their own."""

import json

import pytest

from ddeq.errors import UserError
from ddeq.records import as_text, into_card, into_file, record

ORIGIN = {"command": "python -m ddeq evaluate digits"}


def test_a_record_holds_six_digits_of_each_number_and_its_provenance():
    found = record({"a": 1 / 3, "rows": [{"b": (1e-7 / 3, 2)}], "c": float("nan"), "n": 7}, ORIGIN)
    assert found == {
        "provenance": ORIGIN,
        "a": 0.333333,
        "rows": [{"b": [3.33333e-08, 2]}],
        "c": None,
        "n": 7,
    }


def test_a_card_keeps_what_else_it_says(tmp_path):
    card = tmp_path / "model.json"
    card.write_text(json.dumps({"name": "model", "results": {"test": {"old": 1}, "other": {}}}))
    into_card(card, "test", record({"new": 2}, ORIGIN))
    assert json.loads(card.read_text()) == {
        "name": "model",
        "results": {"test": {"provenance": ORIGIN, "new": 2}, "other": {}},
    }


def test_text_is_json_with_lists_of_numbers_on_one_line():
    content = {"interval": [0.1, -2e-5], "words": ["[\n 1\n ]", "b"], "curve": [[1, 2], [3, None]]}
    text = as_text(content)
    assert json.loads(text) == content
    assert '"interval": [0.1, -2e-05]' in text and "[3, null]" in text


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        into_file(tmp_path / "none" / "file.json", {})
