"""Readers that misbehave, for the process that `ddeq.input.formats.sandbox` starts to import."""

from __future__ import annotations

import os
import time

import numpy as np

from ddeq.input.formats.geometry import Geometry
from ddeq.input.pictures.picture import Picture


def hang(data: bytes, suffix: str, name: str) -> Geometry:
    while True:
        time.sleep(0.05)


def work(data: bytes, suffix: str, name: str) -> Geometry:
    while True:
        pass


def crash(data: bytes, suffix: str, name: str) -> Geometry:
    os.abort()


def leave(data: bytes, suffix: str, name: str) -> Geometry:
    os._exit(0)


def fail(data: bytes, suffix: str, name: str) -> Geometry:
    raise RuntimeError("a mistake of the reader")


def talk(data: bytes, suffix: str, name: str) -> Geometry:
    print("words that nobody asked for")
    os.write(2, b"and more of them")
    return Geometry(np.eye(3))


def eat_memory(data: bytes, suffix: str, name: str) -> Geometry:
    kept = []
    while True:
        kept.append(bytearray(100_000_000))


def write_much(data: bytes, suffix: str, name: str) -> Geometry:
    return Geometry(np.zeros((10_000, 3)))


def pickle_something(data: bytes, suffix: str, name: str) -> Geometry:
    return Geometry(np.array([object()]))


def parse_nothing(data: bytes, suffix: str, name: str) -> Picture:
    return Picture(np.pad(np.eye(3, dtype=np.uint8), (0, 25))[None])
