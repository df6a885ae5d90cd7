"""What the app's bench waits for comes, in the order of its figures' names."""

from ddeq.view.bench import measured


def test_every_figure_is_measured():
    found = measured(1)
    assert found["first_load_requests"] > 1
    assert 0 < found["of_these_ours_bytes"] < found["first_load_bytes"]
    clicks = [found[f"click_to_{name}_s"] for name in ("first_frame", "solved", "last_frame")]
    assert clicks == sorted(clicks) and clicks[0] > 0
    assert found["cold_start_to_moving_s"] > 0 and found["reload_to_moving_s"] > 0
    assert found["pin_to_lit_s"] > 0
