"""The app's bench writes down what it measured, and on what."""

import json
import sys

from ddeq.view import bench


def test_a_measurement_is_recorded_as_it_is_printed(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(bench, "measured", lambda n: asked.append(n) or {"pin_to_lit_s": 1 / 3})
    file = tmp_path / "bench.json"
    words = ["bench", "app", "--json", "--repetitions", "2", "--record", str(file)]
    monkeypatch.setattr(sys, "argv", words)
    bench.main()
    found = json.loads(file.read_text())
    assert asked == [2] and found == json.loads(capsys.readouterr().out)
    assert found["pin_to_lit_s"] == 0.333333
    assert found["provenance"]["command"].startswith("python -m ddeq.view.bench app --json")
    monkeypatch.setattr(sys, "argv", ["bench", "app"])
    bench.main()
    assert capsys.readouterr().out.split() == ["pin_to_lit_s", "0.333"]
