"""Numbers in the buffers of a glTF file.

Format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#accessors
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True, eq=False)
class Accessors:
    """What a header says about numbers, and the bytes they are in."""

    header: dict[str, Any]
    buffers: Sequence[bytes]

    def read(self, index: int) -> np.ndarray:
        """The numbers of an accessor, sparse or not: (count, width); whole or double.

        Normalised whole numbers stand for fractions of the largest; see the format for which.

        Raises:
            EOFError: the buffer ends before.
            ValueError, LookupError, TypeError: the header is broken.
        """
        accessor = self.header["accessors"][_natural(index)]
        dtype = np.dtype(_COMPONENTS[accessor["componentType"]])
        shape = (_natural(accessor["count"]), _WIDTHS[accessor["type"]])
        if "bufferView" in accessor:
            numbers = self._view(accessor, dtype, shape)
        elif shape[0] > sum(map(len, self.buffers)):  # as many as are not there are all 0
            raise EOFError
        else:
            numbers = np.zeros(shape, dtype)
        if sparse := accessor.get("sparse"):
            numbers = self._override(numbers.copy(), sparse)
        if dtype.kind == "f":
            return numbers.astype(np.float64)
        if accessor.get("normalized"):
            return np.maximum(numbers / np.iinfo(dtype).max, -1.0)
        return numbers.astype(np.int64)

    def _override(self, numbers: np.ndarray, sparse: dict[str, Any]) -> np.ndarray:
        count = _natural(sparse["count"])
        places = np.dtype(_COMPONENTS[sparse["indices"]["componentType"]])
        rows = self._view(sparse["indices"], places, (count, 1))[:, 0]
        numbers[rows] = self._view(sparse["values"], numbers.dtype, (count, numbers.shape[1]))
        return numbers

    def _view(self, where: dict[str, Any], dtype: np.dtype, shape: tuple[int, int]) -> np.ndarray:
        view = self.header["bufferViews"][_natural(where["bufferView"])]
        begin = _natural(view.get("byteOffset", 0))
        whole = memoryview(self.buffers[_natural(view["buffer"])])
        data = whole[begin : begin + _natural(view["byteLength"])]
        row = shape[1] * dtype.itemsize
        stride = _natural(view.get("byteStride", row)) or row
        offset = _natural(where.get("byteOffset", 0))
        if shape[0] and offset + (shape[0] - 1) * stride + row > len(data):
            raise EOFError
        return np.ndarray(shape, dtype, data, offset, (stride, dtype.itemsize))


def embedded(uri: str) -> bytes:
    """The bytes of a ``data:`` address."""
    kind, _, content = uri.partition(",")
    if kind.endswith(";base64"):
        return base64.b64decode(content)
    return unquote_to_bytes(content)


def _natural(number: int) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError("neither 0 nor a natural number")
    return number
