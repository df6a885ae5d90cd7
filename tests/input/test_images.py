import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from ddeq.errors import UserError
from ddeq.input.gallery import load_gallery
from ddeq.input.images import strokes_to_cloud, to_mnist
from tests.pictures import DIGITS, cloud_of, encode, ink_of, overlap
from tests.sentences import assert_one_sentence


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32))
def test_mnist_images_fit_the_box_and_are_centred_by_mass(height, width, seed):
    rng = np.random.default_rng(seed)
    ink = np.uint8(255 * (rng.random((height, width)) < 0.5))
    ink[0, 0] = ink[-1, -1] = 255
    image = to_mnist(ink)
    rows, columns = np.nonzero(image)
    assert image.shape == (28, 28) and image.dtype == np.uint8
    assert max(np.ptp(rows), np.ptp(columns)) <= 20 - 1
    weights = image[rows, columns].astype(float)
    centre = np.average(np.stack([rows, columns]), axis=1, weights=weights)
    at_edge = (
        np.array([rows.min(), columns.min()]) == 0,
        np.array([rows.max(), columns.max()]) == 27,
    )
    free = ~(at_edge[0] | at_edge[1])
    assert (np.abs(centre - 14)[free] <= 0.5 + 1e-9).all()


def test_mnist_digits_are_already_as_to_mnist_makes_them():
    alike = [overlap(to_mnist(digit) > 0, digit > 0) for digit in DIGITS]
    assert np.mean(alike) > 0.95


SEVEN = [[(0.25, 0.25), (0.75, 0.25), (0.5, 0.875)]]
ANGLES = np.linspace(0, 2 * np.pi, 50)
DRAWINGS = {
    0: [[(0.5 + 0.25 * np.cos(a), 0.5 + 0.4 * np.sin(a)) for a in ANGLES]],
    1: [[(0.6, 0.1), (0.45, 0.9)]],
    4: [[(0.3, 0.1), (0.2, 0.5), (0.75, 0.5)], [(0.7, 0.1), (0.6, 0.9)]],
    7: SEVEN,
}


@pytest.mark.parametrize(("digit", "strokes"), DRAWINGS.items())
def test_a_drawing_has_about_as_many_points_as_the_digits_it_looks_like(digit, strokes):
    gallery = load_gallery()
    counts = np.count_nonzero(gallery.images[gallery.labels == digit], axis=(1, 2))
    assert counts.min() <= len(strokes_to_cloud(strokes).points) <= counts.max()


def test_a_drawing_stands_upright():
    x, y = strokes_to_cloud(SEVEN).points.T
    assert np.ptp(x[y > y.max() - 2]) > 10  # the bar is on top
    assert np.ptp(x[y < y.min() + 2]) < 5


@given(st.sampled_from([1, 0.5, 0.25]), st.integers(0, 8), st.integers(0, 8))
def test_where_and_how_large_one_draws_does_not_matter(scale, right, down):
    move = np.array([right, down]) / 64  # powers of two, so that nothing is rounded
    moved = [np.array(stroke) * scale + move for stroke in SEVEN]
    np.testing.assert_array_equal(strokes_to_cloud(moved).points, strokes_to_cloud(SEVEN).points)


def test_the_order_of_strokes_does_not_matter():
    strokes = DRAWINGS[4]
    np.testing.assert_array_equal(
        strokes_to_cloud(strokes).points, strokes_to_cloud(strokes[::-1]).points
    )


def test_a_drawing_is_read_like_a_picture_of_it():
    canvas = Image.new("L", (280, 280), 255)
    pixels = (np.array(SEVEN[0]) * 280).round()
    ImageDraw.Draw(canvas).line([tuple(p) for p in pixels], fill=0, width=22, joint="curve")
    picture = ink_of(cloud_of(encode(canvas)))
    assert overlap(picture, ink_of(strokes_to_cloud(SEVEN))) > 0.8


@pytest.mark.parametrize(
    "strokes",
    [
        pytest.param([], id="nothing"),
        pytest.param([[], []], id="empty strokes"),
        pytest.param([[(0.5, 0.5)]], id="a dot"),
        pytest.param([[(0.5, 0.5)], [(0.505, 0.5), (0.5, 0.51)]], id="a thick dot"),
        pytest.param([[(0.1, 0.1), (float("nan"), 0.5)]], id="NaN"),
    ],
)
def test_an_empty_drawing_gets_one_sentence(strokes):
    with pytest.raises(UserError) as error:
        strokes_to_cloud(strokes)
    assert_one_sentence(error)
