"""Digits as people photograph, scan and draw them: each is read as the digit itself is."""

import json
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ddeq.cli import main
from ddeq.evaluation.painted import (
    BLACK,
    encode,
    equally_bright,
    framed,
    in_few_bits,
    in_grey,
    noisy,
    on_a_card,
    on_a_table,
    ruled,
    with_a_marker,
    written,
)
from ddeq.input.gallery import load_gallery
from ddeq.input.pictures import parse_picture
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import load
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults
from tests.pictures import cloud_of, overlap

GALLERY = load_gallery()
SOME = range(1, 240, 24)  # one of each class


@cache
def classifier():
    return load("digits", "cpu")


def read_as(cloud):
    model = classifier()
    settings = with_defaults(model.card, {})
    run = ClassifierRun(model, prepare(cloud, model.card), settings, "cpu")
    for _ in run:
        pass
    return run.outcome.label


@cache
def known():
    """Ten digits that the model knows where nothing is done to them."""
    clouds = {number: GALLERY.cloud(number) for number in SOME}
    right = [n for n, cloud in clouds.items() if read_as(cloud) == str(GALLERY.labels[n])]
    assert len(right) >= 9
    return right


# --- how a digit comes into a picture: each takes 28 x 28 pixels of ink and gives a file ----------


def beside_a_table(image):
    levels = in_grey(written(image, 260, (500, 500)))
    levels[:, :90] = 50
    return encode(noisy(levels), "JPEG")


def on_wood(image):
    y, x = np.mgrid[:600, :800]
    levels = 110 + 18 * np.sin(y / 7 + 2 * np.sin(x / 90))
    levels[100:480, 150:610] = in_grey(written(image, 220, (380, 460)), 235, 45)
    return encode(noisy(levels * (1 - x / 3200), 5), "JPEG")


def on_a_blackboard(image):
    levels = np.full((500, 600), 210, np.uint8)
    levels[60:440, 80:520] = in_grey(written(image, 240, (380, 440)), 40, 220)
    return encode(levels)


def underlined(image):
    picture = Image.fromarray(in_grey(written(image, 260, (400, 500), (60, 100))))
    ImageDraw.Draw(picture).line((0, 300, 500, 300), fill=BLACK, width=4)
    return encode(picture)


KINDS = {
    "on a dark table": on_a_table,
    "on a dark table, turned": lambda image: on_a_table(image, lean=10),
    "on a brown table": lambda image: on_a_table(image, table=110),
    "beside a dark table": beside_a_table,
    "on wood": on_wood,
    "on a blackboard": on_a_blackboard,
    "in a frame": framed,
    "in a narrow frame": lambda image: framed(image, 200, box=(80, 80, 319, 319)),
    "in a small box": lambda image: framed(image, 70, (100, 250), (240, 90, 330, 180)),
    "in a circle": lambda image: framed(image, 200, box=(40, 40, 360, 360), shape="ellipse"),
    "a card on nothing": on_a_card,
    "a dark card on nothing": lambda image: on_a_card(image, (30, 30, 60), (250, 250, 200)),
    "ruled": ruled,
    "ruled in black": lambda image: ruled(image, (60, 60, 60), 40),
    "ruled, turned": lambda image: ruled(image, lean=2.3),
    "squared": lambda image: ruled(image, step=26, squared=True),
    "underlined": underlined,
    "by a thick marker": with_a_marker,
    "8 bits in 16": in_few_bits,
    "12 bits in 16": lambda image: in_few_bits(image, 16),
    "equally bright": equally_bright,
    "pale and equally bright": lambda i: equally_bright(i, (150, 190, 210), (230, 165, 120)),
}


@pytest.mark.parametrize("paint", KINDS.values(), ids=KINDS)
def test_digits_are_read_in_every_kind_of_picture(paint):
    found = [read_as(cloud_of(paint(GALLERY.images[n]))) for n in known()]
    wrong = [n for n, label in zip(known(), found, strict=True) if label != str(GALLERY.labels[n])]
    assert len(wrong) <= 2, (wrong, found)


# --- one thing or several ------------------------------------------------------------------------


def two(first, second, gap=1.0):
    """Two digits beside each other, their squares that far apart."""
    ink = np.zeros((320, 700))
    for image, left in ((first, 60), (second, 60 + round(200 * gap))):
        ink = np.maximum(ink, written(image, 200, ink.shape, (60, left)))
    return encode(in_grey(ink))


def test_two_digits_are_two_things_in_the_order_one_reads_them():
    alike = []
    for first, second in zip(known(), known()[1:], strict=False):
        picture = parse_picture(two(GALLERY.images[first], GALLERY.images[second]), "", "two.png")
        alone = [
            parse_picture(encode(in_grey(written(GALLERY.images[n], 200, (320, 320)))), "", "a.png")
            for n in (first, second)
        ]
        assert len(picture.things) == 2
        both = zip(picture.things, alone, strict=True)
        alike += [overlap(thing > 0, one.things[0] > 0) for thing, one in both]
    assert np.mean(alike) > 0.9  # some are a pixel to the side


def test_a_digit_is_one_thing():
    """Also one whose strokes do not touch."""
    several = [
        number
        for number in range(0, 240, 4)
        if len(parse_picture(encode(GALLERY.images[number]), "", "a.png").things) != 1
    ]
    assert not several


def test_too_many_things_get_one_sentence(capsys, tmp_path):
    ink = np.zeros((300, 600))
    for row in range(3):
        for column in range(8):
            ink[20 + 95 * row : 80 + 95 * row, 20 + 72 * column : 30 + 72 * column] = 1
    (tmp_path / "many.png").write_bytes(encode(in_grey(ink)))
    assert main(["classify", str(tmp_path / "many.png")]) != 0
    assert "shows 24 things" in capsys.readouterr().err


def told(capsys, path, *options):
    """What classify says of a file: its JSON, or the sentence that refuses it."""
    status = main(["classify", str(path), "--json", *options])
    said = capsys.readouterr()
    return said.err.strip() if status else json.loads(said.out)


def test_the_command_line_asks_which_of_two_and_reads_that(capsys, tmp_path):
    first, second = known()[:2]
    path = tmp_path / "two.png"
    path.write_bytes(two(GALLERY.images[first], GALLERY.images[second]))
    asks = "'two.png' shows 2 things, so say which with --thing, from 1 to 2 as one reads them."
    assert told(capsys, path) == asks
    found = [told(capsys, path, "--thing", str(n))["label"] for n in (1, 2)]
    assert found == [str(GALLERY.labels[n]) for n in (first, second)]
    assert "so --thing is a number from 1 to 2." in told(capsys, path, "--thing", "3")
    assert "whole number from 1" in told(capsys, path, "--thing", "0")


def test_only_pictures_show_several_things(capsys, tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text("0 0 0\n1 0 0\n0 1 0\n")
    assert told(capsys, path, "--thing", "1") == "'a.xyz' is no picture, so leave out --thing."
