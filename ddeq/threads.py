"""How many threads torch computes with: one for little work, more for much.

The one place that decides it. Threads that share small operations spend their time waiting for one
another, and while they wait they spin: beside a browser that draws, such a solve takes many times
what it takes on one thread. Large batches and large clouds do gain.

``with enough_for(size):`` brackets a piece of work, ``each(items, size)`` an iterator whose items
are made one by one; ``size`` counts the particles or points computed at once, of all clouds
together. ``python -m ddeq bench threads`` measures from which size on several threads pay.

torch keeps the number for each thread of the program by itself (it is OpenMP's), and a thread that
is new to torch takes the number that was set last, by whichever thread. So work says what it needs
where it is done, at every step of a solve, as the next step may be asked for by another thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

PARTICLES_A_THREAD = 128

_allowed = torch.get_num_threads()  # what OMP_NUM_THREADS says, else the cores
_most = _allowed

Item = TypeVar("Item")


def most() -> int:
    """The most threads that any work gets."""
    return _most


def limit(count: int) -> None:
    """From now on no work gets more than ``count`` threads, nor more than ``OMP_NUM_THREADS``.

    What says nothing of its size gets one, in the calling thread and in new ones.
    """
    global _most
    _most = max(1, min(count, _allowed))
    torch.set_num_threads(1)


def leave_a_core() -> None:
    """Leave one core to others, a browser for one; to be called at every run of an app's script."""
    limit((os.cpu_count() or 2) - 1)


def count_for(size: int) -> int:
    """How many threads so many particles or points are worth."""
    return max(1, min(_most, size // PARTICLES_A_THREAD))


@contextmanager
def enough_for(size: int) -> Iterator[None]:
    """Within, torch has the threads that ``size`` particles are worth; afterwards those it had."""
    before = torch.get_num_threads()
    torch.set_num_threads(count_for(size))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def each(items: Iterable[Item], size: int) -> Iterator[Item]:
    """The same items, each made :func:`enough_for` the size; what is done with them is not."""
    iterator = iter(items)
    while True:
        with enough_for(size):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item
