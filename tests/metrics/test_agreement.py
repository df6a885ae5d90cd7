"""Several completions are one where they differ by no more than samples of one shape do."""

import numpy as np

from ddeq.metrics.agreement import compare

GRID = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), -1).reshape(-1, 2)


def test_equal_fillings_are_one_completion():
    found = compare(GRID, [GRID[:20], GRID[:20][::-1]])
    np.testing.assert_allclose(found.distances, 0, atol=1e-12)
    assert found.one


def test_the_spacing_is_that_of_neighbours():
    assert compare(GRID, [GRID, GRID]).spacing == 1


def test_a_shifted_filling_is_as_far_as_it_was_shifted():
    found = compare(GRID, [GRID, GRID + np.array([0, 1.5]), GRID + np.array([4, 3])])
    assert found.distances[0, 1] == found.distances[1, 0]
    np.testing.assert_allclose(found.distances[0], [0, 1.5, 5], rtol=1e-9)
    assert not found.one


def test_fillings_may_have_different_sizes():
    assert compare(GRID, [GRID[:20], np.repeat(GRID[:20], 2, axis=0)]).distances.max() < 1e-9
