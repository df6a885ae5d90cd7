"""A device that is not the processor, on machines that have none.

``with pretended():`` tensors may be moved to the device ``meta`` and computed with there. They hold
their numbers, so whatever code reads can be read; but as on a GPU, an operation that is given
tensors of two devices raises, and so does a random number drawn on the one by a generator of the
other. What the device was asked is counted.

What it cannot do: give a tensor other data (``.data = ...``), so modules change their precision
before they move.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")
aten = torch.ops.aten
READING = {aten._local_scalar_dense.default, aten.equal.default}
ANYWHERE = {aten.copy_.default, aten._to_copy.default}  # these carry from one device to another


class Elsewhere(Tensor):
    """A tensor of the pretended device; ``held`` has its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, real: Tensor) -> Elsewhere:
        found = torch.Tensor._make_wrapper_subclass(
            cls, real.size(), strides=real.stride(), dtype=real.dtype, device=DEVICE
        )
        found.held = real
        return found

    def tolist(self) -> Any:
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError("a tensor of the pretended device was used outside of `pretended()`")


class WrongDevice(Exception):
    """What a GPU would have refused."""


@dataclass
class Counts:
    """What was asked of the device: numbers read from it, and tensors sent to it."""

    read: int = 0
    sent: int = 0


class _Pretending(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.counts = Counts()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        there = [t for t in tensors if isinstance(t, Elsewhere)]
        target = kwargs.get("device")
        goes_there = bool(there) if target is None else torch.device(target) == DEVICE
        if there and func not in ANYWHERE:
            strays = [t for t in tensors if not isinstance(t, Elsewhere) and t.dim()]
            if strays:
                shapes = ", ".join(str(tuple(t.shape)) for t in strays)
                raise WrongDevice(f"{func} is given tensors of the processor, too: {shapes}")
        if goes_there and kwargs.get("generator") is not None:
            raise WrongDevice(f"{func} draws with a generator of the processor")
        self._count(func, there, tensors, goes_there)
        return self._compute(func, args, kwargs, there, goes_there)

    def _count(self, func: Any, there: list, tensors: list, goes_there: bool) -> None:
        leaves = func in ANYWHERE and there and not goes_there
        self.counts.read += bool(leaves or (there and func in READING))
        self.counts.sent += func in ANYWHERE and goes_there and len(there) < len(tensors)

    def _compute(self, func: Any, args: Any, kwargs: Any, there: list, goes_there: bool) -> Any:
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        real_args, real_kwargs = tree_map(
            lambda t: t.held if isinstance(t, Elsewhere) else t, (args, kwargs)
        )
        found = func(*real_args, **real_kwargs)
        if func is aten._to_copy.default and not goes_there:
            return found
        if func is aten.copy_.default:
            return args[0]
        known = {id(t.held): t for t in there}  # what is written in place is the same tensor

        def placed(t: Any) -> Any:
            if not isinstance(t, Tensor):
                return t
            return known[id(t)] if id(t) in known else Elsewhere(t)

        return tree_map(placed, found) if goes_there else found


@contextmanager
def pretended() -> Iterator[Counts]:
    """Within, :data:`DEVICE` is a device like a GPU; yields what it is asked."""
    with _Pretending() as mode:
        yield mode.counts
