import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from ddeq.errors import UserError
from ddeq.input.pictures import clouds_of, parse_picture, read_things
from tests import readers
from tests.pictures import DIGITS, cloud_of, encode, enlarge, ink_of, overlap
from tests.sentences import assert_one_sentence

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
    "10x, fractions": lambda image: encode((enlarge(image) / 255).astype(np.float32), "TIFF"),
    "10x, WebP": lambda image: encode(enlarge(image), "WEBP"),
    "10x, transparent WebP": lambda i: encode(on_transparent(enlarge(i)), "WEBP", lossless=True),
    "10x, BMP": lambda image: encode(enlarge(image), "BMP"),
    "10x, GIF": lambda image: encode(enlarge(image), "GIF"),
    "10x, packed TIFF": lambda i: encode(enlarge(i), "TIFF", compression="tiff_lzw"),
    "10x, TIFF of four inks": lambda i: encode(Image.fromarray(enlarge(i)).convert("CMYK"), "TIFF"),
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
    for digit in DIGITS if paint in MOST_COMMON else DIGITS[::4]:
        ink = ink_of(cloud_of(paint(digit)))
        counts.append(ink.sum() / np.count_nonzero(digit))
        overlaps.append(overlap(ink, digit > 0))
    assert 0.85 < np.mean(counts) < 1.15
    assert np.mean(overlaps) > 0.8


def test_photographs_in_uneven_light_show_the_digit():
    digits = DIGITS[::2]
    inks = [ink_of(cloud_of(photograph(digit))) for digit in digits]
    counts = [ink.sum() / np.count_nonzero(digit) for ink, digit in zip(inks, digits, strict=True)]
    overlaps = [overlap(ink, digit > 0) for ink, digit in zip(inks, digits, strict=True)]
    assert 0.85 < np.mean(counts) < 1.15
    assert np.mean(overlaps) > 0.75


@pytest.mark.parametrize("digit", DIGITS[::4])
def test_black_on_white_is_the_same_as_white_on_black(digit):
    dark, bright = (encode(picture) for picture in (enlarge(digit), 255 - enlarge(digit)))
    first, second = (cloud_of(data).points for data in (dark, bright))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("digit", DIGITS[::4])
def test_margins_do_not_matter(digit):
    first = cloud_of(encode(enlarge(digit)))
    framed = cloud_of(encode(np.pad(enlarge(digit), ((5, 120), (90, 30)))))
    assert overlap(ink_of(framed), ink_of(first)) > 0.97


def test_dirt_is_wiped_off():
    digit = enlarge(DIGITS[6])
    dirty = digit.copy()
    dirty[5:9, 5:9] = 255
    first, second = (cloud_of(encode(picture)) for picture in (digit, dirty))
    assert overlap(ink_of(first), ink_of(second)) > 0.97


def test_the_orientation_a_camera_noted_is_followed():
    picture = Image.fromarray(enlarge(DIGITS[34]))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    upright = cloud_of(encode(picture, "JPEG"))
    turned = cloud_of(encode(lying, "JPEG", exif=exif))
    assert overlap(ink_of(upright), ink_of(turned)) > 0.95


def test_a_picture_can_be_given_by_its_path(tmp_path):
    path = tmp_path / "seven.png"
    path.write_bytes(encode(DIGITS[34]))
    [cloud] = read_things(path, path.name)
    assert cloud.name == "seven.png" and cloud.points.dtype == np.float64


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
DIGIT_WEBP = encode(enlarge(DIGITS[0]), "WEBP")
DIGIT_TIFF = encode(DIGITS[0], "TIFF")
BAD_PICTURES = {
    "text": b"this is a seven",
    "cut short": DIGIT_PNG[: len(DIGIT_PNG) // 2],
    "a broken byte": DIGIT_PNG[:200] + b"\xff" + DIGIT_PNG[201:],
    "a JPEG cut short": DIGIT_JPEG[: len(DIGIT_JPEG) // 2],
    "another kind of picture": encode(DIGITS[0], "PPM"),
    "a broken WebP": encode(DIGITS[0], "WEBP")[:60],
    "a broken TIFF": encode(DIGITS[0], "TIFF")[:60],
    "a bomb": huge_png(),
    "9000 x 9000": encode(Image.new("1", (9000, 9000))),
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
        cloud_of(data)
    assert_one_sentence(error)


@pytest.mark.parametrize("data", [huge_png(), BAD_PICTURES["9000 x 9000"]])
def test_too_many_pixels_are_called_that(data):
    with pytest.raises(UserError, match="64 million pixels"):
        cloud_of(data)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([DIGIT_PNG, DIGIT_JPEG, DIGIT_WEBP, DIGIT_TIFF, b""]),
    st.integers(0, 3000),
    st.binary(max_size=200),
)
def test_garbage_gives_a_cloud_or_a_user_error(start, position, garbage):
    data = start[:position] + garbage + start[position + len(garbage) :]
    try:
        clouds = clouds_of(parse_picture(data, "", "a.png"), "a.png")
    except UserError:
        return
    assert clouds and all(3 <= len(cloud.points) <= 400 for cloud in clouds)


@pytest.mark.parametrize("data", [b"", bytes(200_000_000)], ids=["empty", "200 MB"])
def test_a_file_of_the_wrong_size_is_refused_before_it_is_read(data, monkeypatch):
    monkeypatch.setattr("ddeq.input.pictures.read_apart", None)
    with pytest.raises(UserError) as error:
        read_things(data, "picture.png")
    assert_one_sentence(error)


# --- apart ----------------------------------------------------------------------------------------


def test_another_process_reads_what_this_one_would():
    [thing] = read_things(DIGIT_PNG, "zero.png")
    np.testing.assert_array_equal(thing.points, cloud_of(DIGIT_PNG).points)
    assert thing.name == "zero.png"


def test_its_sentence_comes_back():
    with pytest.raises(UserError, match="cannot be read as a picture") as error:
        read_things(b"this is a seven", "seven.png")
    assert_one_sentence(error)


def test_pictures_are_decoded_in_no_other_process(monkeypatch):
    """A small file may hold tens of millions of pixels."""
    monkeypatch.setattr("ddeq.input.pictures.parse_picture", readers.parse_nothing)
    monkeypatch.setattr("ddeq.input.pictures.decode", None)
    assert len(read_things(DIGIT_PNG, "zero.png")[0].points) == 3
