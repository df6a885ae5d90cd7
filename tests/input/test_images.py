import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from ddeq.errors import UserError
from ddeq.input.gallery import load_gallery
from ddeq.input.images import image_to_cloud, strokes_to_cloud, to_mnist
from tests.sentences import assert_one_sentence

DIGITS = load_gallery().images[:200]  # 24 of every class from 0 to 7, and 8 eights


def encode(picture, kind="PNG", **options):
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def enlarge(image, how=Image.Resampling.BICUBIC):
    side = 10 * image.shape[0]
    return np.asarray(Image.fromarray(image).resize((side, side), how))


def ink_of(cloud):
    """The pixels of a cloud, bool (28, 28)."""
    x, y = cloud.points.astype(int).T
    ink = np.zeros((28, 28), bool)
    ink[-y, x] = True
    return ink


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


# --- pictures of MNIST's own digits come back as MNIST's digits -----------------------------------


def on_transparent(image):
    clear = np.zeros((*image.shape, 4), np.uint8)
    clear[..., 3] = image  # black ink on nothing
    return clear


def photograph(image):
    """Blue pen on grey paper, lit from one side, slightly blurred and noisy."""
    rng = np.random.default_rng(int(image.sum()))
    pen = np.zeros((600, 800))
    top, left = rng.integers(20, 600 - 300), rng.integers(20, 800 - 300)
    pen[top : top + 280, left : left + 280] = enlarge(image) > 127
    soft = np.asarray(Image.fromarray(np.uint8(255 * pen)).filter(ImageFilter.GaussianBlur(2)))
    y, x = np.mgrid[0:1:600j, 0:1:800j]
    light = 190 - 90 * x - 30 * y
    light[x + 0.3 * y > 0.8] *= 0.7  # the edge of a shadow
    colour = 1 - soft[..., None] / 255 * [0.7, 0.6, 0.3]
    seen = light[..., None] * colour + rng.normal(0, 4, (600, 800, 1))
    return encode(seen.clip(0, 255).astype(np.uint8), "JPEG", quality=80)


PICTURES = {
    "as it is": encode,
    "10x, square pixels": lambda image: encode(enlarge(image, Image.Resampling.NEAREST)),
    "10x, smooth": lambda image: encode(enlarge(image)),
    "10x, black on white": lambda image: encode(255 - enlarge(image)),
    "10x, pure black": lambda image: encode(np.uint8(255 * (enlarge(image) > 127))),
    "10x, palette": lambda image: encode(Image.fromarray(enlarge(image)).convert("P")),
    "10x, 16 bits": lambda image: encode(enlarge(image).astype(np.uint16) * 257),
    "10x, transparent paper": lambda image: encode(on_transparent(enlarge(image))),
    "10x, faint JPEG": lambda image: encode(230 - enlarge(image) // 4, "JPEG", quality=60),
    "10x, cut out": lambda image: encode(
        enlarge(image)[np.ix_(enlarge(image).any(axis=1), enlarge(image).any(axis=0))]
    ),
}
MOST_COMMON = (PICTURES["as it is"], PICTURES["10x, square pixels"], PICTURES["10x, smooth"])


@pytest.mark.parametrize("paint", PICTURES.values(), ids=PICTURES)
def test_pictures_of_mnist_digits_have_as_many_points_as_the_digits(paint):
    counts, overlaps = [], []
    for digit in DIGITS if paint in MOST_COMMON else DIGITS[::5]:
        ink = ink_of(image_to_cloud(paint(digit), "digit.png"))
        counts.append(ink.sum() / np.count_nonzero(digit))
        overlaps.append(overlap(ink, digit > 0))
    assert 0.85 < np.mean(counts) < 1.15
    assert np.mean(overlaps) > 0.8


def test_photographs_in_uneven_light_show_the_digit():
    digits = DIGITS[::8]
    inks = [ink_of(image_to_cloud(photograph(digit), "photo.jpg")) for digit in digits]
    counts = [ink.sum() / np.count_nonzero(digit) for ink, digit in zip(inks, digits, strict=True)]
    overlaps = [overlap(ink, digit > 0) for ink, digit in zip(inks, digits, strict=True)]
    assert 0.85 < np.mean(counts) < 1.15
    assert np.mean(overlaps) > 0.75


@pytest.mark.parametrize("digit", DIGITS[::20])
def test_black_on_white_is_the_same_as_white_on_black(digit):
    dark, bright = (encode(picture) for picture in (enlarge(digit), 255 - enlarge(digit)))
    first, second = (image_to_cloud(data, "a.png").points for data in (dark, bright))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("digit", DIGITS[::20])
def test_margins_do_not_matter(digit):
    first = image_to_cloud(encode(enlarge(digit)), "a.png")
    framed = image_to_cloud(encode(np.pad(enlarge(digit), ((5, 120), (90, 30)))), "a.png")
    assert overlap(ink_of(framed), ink_of(first)) > 0.97


def test_dirt_is_wiped_off():
    digit = enlarge(DIGITS[30])
    dirty = digit.copy()
    dirty[5:9, 5:9] = 255
    first, second = (image_to_cloud(encode(picture), "a.png") for picture in (digit, dirty))
    assert overlap(ink_of(first), ink_of(second)) > 0.97


def test_the_orientation_a_camera_noted_is_followed():
    picture = Image.fromarray(enlarge(DIGITS[170]))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    upright = image_to_cloud(encode(picture, "JPEG"), "a.jpg")
    turned = image_to_cloud(encode(lying, "JPEG", exif=exif), "a.jpg")
    assert overlap(ink_of(upright), ink_of(turned)) > 0.95


def test_a_picture_can_be_given_by_its_path(tmp_path):
    path = tmp_path / "seven.png"
    path.write_bytes(encode(DIGITS[170]))
    cloud = image_to_cloud(path, path.name)
    assert cloud.name == "seven.png" and cloud.points.dtype == np.float64


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


# --- drawings -------------------------------------------------------------------------------------

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
    picture = ink_of(image_to_cloud(encode(canvas), "a.png"))
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


# --- pictures that are refused --------------------------------------------------------------------


def noise(deviation):
    grain = np.random.default_rng(0).normal(200, deviation, (300, 400))
    return encode(grain.clip(0, 255).astype(np.uint8))


def slope():
    return encode(np.tile(np.linspace(60, 220, 300).astype(np.uint8), (200, 1)))


def huge_png():
    """A few bytes that promise 60,000 x 60,000 pixels."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + rows + chunk(b"IEND", b"")


DIGIT_PNG = encode(enlarge(DIGITS[0]))
DIGIT_JPEG = encode(enlarge(DIGITS[0]), "JPEG")
BAD_PICTURES = {
    "empty": b"",
    "text": b"this is a seven",
    "cut short": DIGIT_PNG[: len(DIGIT_PNG) // 2],
    "a broken byte": DIGIT_PNG[:200] + b"\xff" + DIGIT_PNG[201:],
    "a JPEG cut short": DIGIT_JPEG[: len(DIGIT_JPEG) // 2],
    "another kind of picture": encode(DIGITS[0], "GIF"),
    "a bomb": huge_png(),
    "9000 x 9000": encode(Image.new("1", (9000, 9000))),
    "200 MB": bytes(200_000_000),
    "white": encode(np.full((100, 100), 255, np.uint8)),
    "black": encode(np.zeros((100, 100), np.uint8)),
    "transparent": encode(np.zeros((100, 100, 4), np.uint8)),
    "one pixel": encode(np.zeros((1, 1), np.uint8)),
    "paper with a fine grain": noise(3),
    "paper with a coarse grain": noise(15),
    "paper lit from one side": slope(),
}


@pytest.mark.parametrize("data", BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_a_bad_picture_gets_one_sentence(data):
    with pytest.raises(UserError) as error:
        image_to_cloud(data, "picture.png")
    assert_one_sentence(error)


@pytest.mark.parametrize("data", [huge_png(), BAD_PICTURES["9000 x 9000"]])
def test_too_many_pixels_are_called_that(data):
    with pytest.raises(UserError, match="64 million pixels"):
        image_to_cloud(data, "picture.png")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([DIGIT_PNG, DIGIT_JPEG, b""]), st.integers(0, 3000), st.binary(max_size=200))
def test_garbage_gives_a_cloud_or_a_user_error(start, position, garbage):
    data = start[:position] + garbage + start[position + len(garbage) :]
    try:
        cloud = image_to_cloud(data, "picture.png")
    except UserError:
        return
    assert 3 <= len(cloud.points) <= 400
