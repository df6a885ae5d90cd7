"""Figures of the documents are those of the records: model cards, and the files in docs/results."""

import json
import re
import sys
from pathlib import Path

import pytest

from tools import result_tables, write_results
from tools.write_results import DOCUMENTS, MARKED, records, written

ROOT = Path(__file__).parents[1]
CARDS = sorted((ROOT / "assets").glob("*.json"))


def every_record() -> dict[str, dict]:
    found = {}
    for name, known in records().items():
        whole = "provenance" in known
        found |= {name: known} if whole else {f"{name}.{k}": v for k, v in known.items()}
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_figure_is_that_of_its_record(name):
    text = (ROOT / name).read_text()
    assert MARKED.search(text)
    anew = written(text, records())
    assert anew == text, "run: python tools/write_results.py"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_figure_that_differs_is_found(name):
    """Change one digit of each marked figure in turn: what is written anew is the record's."""
    text, known = (ROOT / name).read_text(), records()
    for found in list(MARKED.finditer(text))[:10]:
        if digit := re.search(r"\d", found[3]):
            at = found.start(3) + digit.start()
            wrong = f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"
            assert written(wrong, known) == text


def prose(name: str) -> str:
    """A document without what is written by records, code, links and its bibliography."""
    text = MARKED.sub("", (ROOT / name).read_text())
    if name == "README.md":
        text = text[text.index("## Results") : text.index("## The tree")]
    for pattern in (r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    return text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_prose_holds_no_figure_of_its_own(name):
    words = re.sub(r"W2|CD-l[12]|Open3D|version 1\.8-1|ModelNet40", "", prose(name))
    told = set(re.findall(r"\d[\d.,]*\d|\d", words))
    assert told <= {"95", "90"}  # % of intervals and of a quantile


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_the_prose_of_a_card_holds_no_result(card):
    """What is found stands under "results", where the commands write it."""
    known = json.loads(card.read_text())
    told = [known.get("description", ""), known.get("limits", ""), *known.get("tried", [])]
    for text in told:
        assert not re.search(r"\d\.\d|\d ?%|(?<!\w)\.\d|\d,\d{3}|\de-\d", text), text


@pytest.mark.parametrize(("name", "found"), every_record().items())
def test_a_record_says_where_it_comes_from_and_no_path_of_a_machine(name, found):
    command = found["provenance"]["command"]
    assert re.match(r"ddeq |python -m ddeq[. ]", command)
    for flag in re.findall(r"--(?:data|runs) (\S+)", command):
        assert re.fullmatch(r"[A-Z0-9]+_FOLDER", flag)
    assert not re.search(r"(?:^|[\s\"=])(?:/|~|\.\.)\w*/", json.dumps(found))


def test_each_shipped_ddeq_has_results():
    for card in CARDS:
        known = json.loads(card.read_text())
        told = "whose card has the results" in known["description"]
        assert ("results" in known) != told, card.name


KNOWN = {"digits": {"test": {"accuracy": 0.98034, "copy": {"mean": 2}, "total": 10_000}}}


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("{{ digits.test.accuracy | percent }}", "98.03 %"),
        ("{{ digits.test.accuracy | percent(0) }}", "98 %"),
        ("{{ number(digits.test.total) }}", "10,000"),
        ("{{ digits.test.copy.mean }}", "2"),  # a name that dictionaries have a method of
        ('{{ [digits.test.total,\n 1] | join("-") }}', "10000-1"),
    ],
)
def test_what_stands_between_marks_is_what_they_ask_for(marked, shown):
    text = f"It is <!--{marked}-->old<!--/-->, and so on."
    assert written(text, KNOWN) == f"It is <!--{marked}-->{shown}<!--/-->, and so on."


def test_a_table_stands_on_lines_of_its_own():
    mark = '<!--{{ table(["", "a"], [["b", digits.test.total | string]]) }}-->'
    expected = f"{mark}\n| | a |\n| --- | --- |\n| b | 10000 |\n<!--/-->\n"
    assert written(f"{mark}<!--/-->\n", KNOWN) == expected == written(expected, KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "It is <!--{{ digits.test.total }}-->1",
        "It is 1<!--/-->.",
        "It is <!--{{ digits.other.total | number }}--><!--/-->.",
        "It is <!--{{ digits.test.accuracies | percent }}--><!--/-->.",
        "It is <!--{{ digits.test. }}--><!--/-->.",
        "It is\n<!--{{ digits.test.total }}--><!--/--> of them.",
        "- <!--{{ digits.test.total }}--><!--/--> of them.",
    ],
)
def test_a_mark_that_cannot_be_filled_is_an_error(text):
    with pytest.raises(ValueError, match=r"mark|digits"):
        written(text, KNOWN)


def test_documents_that_are_not_as_recorded_are_named_and_mended(tmp_path, monkeypatch, capsys):
    for name in (*DOCUMENTS, "assets/digits.json", "docs/results/none.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "assets/digits.json").write_text(json.dumps({"results": KNOWN["digits"]}))
    for name in DOCUMENTS:
        (tmp_path / name).write_text("All <!--{{ digits.test.total | number }}-->9<!--/--> of them")
    monkeypatch.setattr(write_results, "ROOT", tmp_path)
    monkeypatch.setattr(write_results, "records", lambda: records(tmp_path))
    for arguments, status in ((["--check"], 1), ([], 0), (["--check"], 0)):
        monkeypatch.setattr(sys, "argv", ["write_results.py", *arguments])
        assert write_results.main() == status
        assert ("README.md" in capsys.readouterr().out) == (arguments != ["--check"] or status == 1)
    assert ">10,000<" in (tmp_path / "README.md").read_text()


# Tables


def test_rows_of_several_trainings_and_of_one_stand_in_one_table():
    methods = {
        "large": {
            "kind": "ddeq",
            "parameters": 200_000,
            "training": {"batches": 2300, "seconds": 440},
            "accuracy": 0.8,
            "class_accuracy": 0.75,
            "interval": [0.7, 0.9],
            "trainings": {"large-0": {"accuracy": 0.79}, "large-1": {"accuracy": 0.81}},
        },
        "pointnet": {"parameters": 9, "accuracy": 0.5, "interval": [0.4, 0.6]},
    }
    head, _, first, second = result_tables.models_table(methods).splitlines()
    assert "of each training" in head and "mean of classes" in head
    assert (
        first == "| large | 200,000 | 2,300 | 7.3 | 80.0 % (70.0 to 90.0 %) | 79.0, 81.0 | 75.0 % |"
    )
    assert second == "| PointNet | 9 | | | 50.0 % (40.0 to 60.0 %) | | |"


def test_the_classifier_of_objects_is_told_of_as_its_shapes_come():
    row = {
        "accuracy": 0.91,
        "interval": [0.9, 0.92],
        "class_accuracy": 0.88,
        "mean_steps": 9.25,
        "median_relative_objective": 9.1e-4,
        "median_distinct": 10.0,
        "changed_5x": 0.004,
        "conditions": {
            "turned": {"accuracy": 0.8, "interval": [0.7, 0.9]},
            "scanned": {"accuracy": 0.5, "interval": [0.4, 0.6]},
        },
        "classes": {"bed": {"correct": 3, "total": 4}, "car": {"correct": 4, "total": 4}},
    }
    turned = {**row, "accuracy": 0.9, "mean_steps": 8.0}
    shapes = result_tables.objects_table(row, turned).splitlines()
    assert shapes[2] == (
        "| accuracy (95 % interval) | 91.0 % (90.0 to 92.0 %) | 90.0 % (90.0 to 92.0 %) |"
    )
    assert shapes[4] == "| solver steps, mean | 9.2 | 8.0 |" and shapes[7].endswith("| 0.40 % |")
    assert result_tables.conditions_table(row).splitlines()[2] == (
        "| 91.0 % (90.0 to 92.0 %) | 80.0 % (70.0 to 90.0 %) | 50.0 % (40.0 to 60.0 %) |"
    )
    classes = result_tables.classes_table(row).splitlines()
    assert classes[0] == "| bed | car |" and classes[2] == "| 3 of 4 | 4 of 4 |"


def test_the_headline_names_the_best_of_the_others():
    def completed(emd: float) -> dict:
        return {"whole": {"emd": {"mean": emd, "interval": [emd - 0.1, emd + 0.1]}}}

    methods = {n: completed(e) for n, e in (("ddeq", 1), ("control", 2), ("pcn", 4), ("copy", 3))}
    row = result_tables.emd_row("digits", methods)
    assert row[2:] == [
        "1.000 (0.900 to 1.100)",
        "2.000 (1.900 to 2.100)",
        "copy the known points: 3.000 (2.900 to 3.100)",
    ]
    classifiers = {"ddeq": {"accuracy": 0.5}, "pcn": {"accuracy": 0.4}, "copy": {"accuracy": 0.3}}
    assert result_tables.accuracy_row("digits", classifiers)[2:] == [
        "50.0 %",
        "",
        "PCN-style: 40.0 %",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(9.6e-4, "9.6e-4"), (0.0175, "1.8e-2"), (1.0, "1"), (0.0, "0"), (12, "1.2e1")],
)
def test_small_numbers_are_told_by_their_power_of_ten(value, shown):
    assert result_tables.power(value) == shown


def test_an_origin_tells_what_ran_where():
    about = {
        "command": "python -m ddeq bench digits",
        "commit": "0123456789abcdef",
        "dirty": True,
        "versions": {"python": "3.11.2", "torch": "2.13.0"},
        "machine": {"processor": "a chip", "cores": 2, "threads": 1},
        "date": "2026-11-26",
        "seed": 0,
        "trainings": [0, 1],
    }
    found = {"provenance": about, "device": "cpu"}
    assert result_tables.origin(found) == (
        "`python -m ddeq bench digits`, commit `0123456789`, changed, python 3.11.2, torch 2.13.0, "
        "cpu, seed 0, trainings 0, 1, 2026-11-26"
    )
    assert result_tables.computer(found) == "a chip, 2 cores, one thread"
