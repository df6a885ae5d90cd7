"""The player's bench writes down what it measured, and on what."""

import json
import sys

from ddeq.view.player import bench


def test_a_measurement_is_recorded_as_it_is_printed(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(bench, "measured", lambda n: asked.append(n) or {"player": {"fps": 1 / 3}})
    file = tmp_path / "bench.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--repetitions", "2", "--record", str(file)])
    bench.main()
    found = json.loads(file.read_text())
    assert asked == [2] and found == json.loads(capsys.readouterr().out)
    assert found["player"] == {"fps": 0.333333}
    origin = found["provenance"]
    assert origin["command"] == ("python -m ddeq.view.player.bench --repetitions 2 --record RECORD")
    assert origin["machine"]["cores"] >= 1
