"""What the player is told of a completion: known points first, and everything in one unit."""

import numpy as np
import pytest

from ddeq.input.clouds import read_cloud
from ddeq.input.formats.axes import turn_up
from ddeq.input.formats.writers import WRITERS
from ddeq.run.completion import CompletionFrame
from ddeq.run.filling import Shown, completed_file, completion
from ddeq.run.truth import TRUTH_COLUMNS

KNOWN = np.array([[0.0, 1], [2, 3], [4, 5]])
SCALE = np.array([1.0, 0.5])


def frame(step: int, points: list, **changes) -> CompletionFrame:
    points = np.array(points, float)
    numbers = dict.fromkeys(("objective", "relative_objective", "gradient_norm", "spread"), 1.0)
    truth = dict.fromkeys(TRUTH_COLUMNS)
    return CompletionFrame(
        step=step,
        points=points,
        image=points + 1,
        attraction=points * 0 + 1,
        repulsion=points * 0 + 2,
        through_operator=points * 0 + 3,
        probabilities=np.array([0.3, 0.7]),
        step_size=0.5,
        evaluations=step,
        seconds=0.0,
        **{**numbers, **truth, **changes},
    )


FRAMES = [frame(0, [[6, 6]]), frame(1, [[8, 6]])]


def shown(frames=FRAMES, removed=None, labels=("a", "b"), **changes):
    return completion(Shown("run", KNOWN, removed, SCALE, labels, **changes), frames)


def test_known_points_stay_and_free_ones_move_in_the_players_unit():
    run = shown()
    assert run.kept.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(run.particles[:, :3], [KNOWN, KNOWN])
    np.testing.assert_array_equal(run.particles[:, 3], [[6, 3], [8, 3]])


def test_only_free_particles_have_a_ghost_and_a_move():
    run = shown()
    assert np.isnan(run.ghost[:, :3]).all()
    np.testing.assert_array_equal(run.ghost[:, 3], [[7, 3.5], [9, 3.5]])
    assert not run.terms[:, :, :3].any()
    np.testing.assert_array_equal(run.terms[0, :, 3], [[0.5, 0.25], [1, 0.5], [1.5, 0.75]])
    assert shown(moved_by_gradient=False).terms is None


def test_distances_to_the_truth_are_shown_where_there_is_one():
    names = {curve.name for curve in shown().curves}
    assert not names & {"MMD²", "EMD", "coverage", "F-score"} and "spread" in names
    with_truth = shown([frame(0, [[6, 6]], emd=0.25)], removed=np.array([[1.0, 1]]))
    assert next(c for c in with_truth.curves if c.name == "EMD").values == 0.25
    np.testing.assert_array_equal(with_truth.truth, [[1, 1]])


def test_without_a_classifier_there_are_no_bars():
    assert shown(labels=()).bars is None
    np.testing.assert_allclose(shown().bars, [[0.3, 0.7]] * 2, rtol=1e-6)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_completed_file_reads_back_as_the_completed_cloud(suffix):
    class Run:
        class hollow:
            known = KNOWN / 3

        completed = np.concatenate([KNOWN / 3, [[0.1, 0.2]]])

    read = read_cloud(completed_file(Run, f"c{suffix}"), f"c{suffix}").points
    np.testing.assert_array_equal(read[:, :2], Run.completed)


def test_a_completed_object_is_saved_in_the_axes_of_its_file():
    known = np.array([[0.1, 0.2, 0.3], [1, 2, 3], [4, 5, 6]])

    class Run:
        class hollow:
            pass

        completed = np.concatenate([turn_up(known, "y"), [[0.0, 1, 2]]])

    Run.hollow.known = Run.completed[:3]
    read = read_cloud(completed_file(Run, "c.ply", "y"), "c.ply").points
    np.testing.assert_array_equal(read[:3], known)
    np.testing.assert_array_equal(turn_up(read[3], "y"), [0, 1, 2])
