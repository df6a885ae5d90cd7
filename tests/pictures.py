"""Pictures to read, and what was read of them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ddeq.input.clouds import PointCloud
from ddeq.input.gallery import load_gallery
from ddeq.input.pictures import clouds_of, parse_picture

DIGITS = load_gallery().images[:200:5]  # of every class from 0 to 8


def cloud_of(data: bytes, name: str = "a.png") -> PointCloud:
    """The one thing in a picture, read in this process: a child would take a second for each."""
    [cloud] = clouds_of(parse_picture(data, "", name), name)
    return cloud


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
