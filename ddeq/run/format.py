"""The flow player's file format: a solve as a header and chunks (docs/player-format.md).

A run is a concatenation of pieces, so it can be sent while it is still being solved:

    encode_header(trajectory) + encode_chunk(0, frames) + encode_chunk(8, frames) + ...

Positions are 16-bit codes in the chunk's bounding box, or float32 on request.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ddeq.errors import UserError

VERSION = 3
HEADER_TAG, CHUNK_TAG = b"DQFH", b"DQFC"
TERM_NAMES = ("attraction", "repulsion", "through F")

_PREAMBLE = struct.Struct("<4sII")  # tag, bytes of JSON, bytes of arrays
_LAST_CODE = 65534  # codes 0 ... 65534 span the box
_NOT_FINITE = 65535
_MAX_COUNT = 10_000_000  # particles, points or frames: more is a lie or a mistake


@dataclass(frozen=True)
class Curve:
    """One number per recorded step, drawn in the chart named `group`.

    Attributes:
        name: what the number is, e.g. "relative objective".
        values: (T,) float32; NaN where it is unknown.
        group: the chart it belongs to; curves of one group share axes.
        log: whether that chart's axis is logarithmic.
    """

    name: str
    values: np.ndarray
    group: str = ""
    log: bool = False


@dataclass(frozen=True, eq=False)
class Looked:
    """What particles can look at of the input, by H heads: C tokens of it, or its M points.

    Attributes:
        keys: (H, C, w) float32; a softmax over their products with a particle's queries is the
            attention that it pays them.
        shares: (C, M) float32, how much of each token each point is, rows that sum to one; None
            where the points themselves are looked at.
    """

    keys: np.ndarray
    shares: np.ndarray | None = None


@dataclass(frozen=True)
class Trajectory:
    """One run of a solver, as the player shows it. T recorded steps, N particles, dim 2 or 3.

    Attributes:
        label: the run's name, shown when runs are compared.
        steps: (T,) int32, the solver's step numbers, increasing, not always consecutive.
        particles: (T, N, dim) float32 positions; a non-finite one is not drawn.
        ghost: (T, N, dim) float32, the positions of F(mu), or None.
        terms: (T, 3, N, dim) float32 or None: the step of every particle split into attraction
            to F(mu), repulsion among particles and the part through F; they sum to the step.
        bars: (T, C) float32 class probabilities with `classes` as names, or None.
        curves: numbers followed over the steps.
        kept: (N,) bool, particles that the solver holds fixed, or None.
        input: (M, 2 | 3) float32, the cloud given to the model, or None.
        truth: (K, dim) float32, the answer in the particles' space, or None.
        axes: dim axis labels, e.g. "PC 1 (41 %)".
        note: one line under the particles.
        right: names out of `classes` that are right; none where that is not known.
        status: why the run stopped; empty while it runs.
        looked: what of the input particles can look at, or None.
        queries: (T, H, N, w) float32, with what they look at it, or None.
    """

    label: str
    steps: np.ndarray
    particles: np.ndarray
    ghost: np.ndarray | None = None
    terms: np.ndarray | None = None
    bars: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    kept: np.ndarray | None = None
    input: np.ndarray | None = None
    truth: np.ndarray | None = None
    axes: tuple[str, ...] = ()
    note: str = ""
    right: tuple[str, ...] = ()
    status: str = ""
    looked: Looked | None = None
    queries: np.ndarray | None = None

    @property
    def dim(self) -> int:
        return self.particles.shape[2]

    def __post_init__(self) -> None:
        if self.particles.ndim != 3 or self.particles.shape[2] not in (2, 3):
            raise UserError("Particles must have the shape (steps, particles, 2 or 3).")
        T, N, dim = self.particles.shape
        shapes = {
            "steps": (self.steps, (T,)),
            "ghost": (self.ghost, (T, N, dim)),
            "terms": (self.terms, (T, len(TERM_NAMES), N, dim)),
            "bars": (self.bars, (T, len(self.classes))),
            "kept": (self.kept, (N,)),
            **{f"curve {c.name!r}": (c.values, (T,)) for c in self.curves},
        }
        for name, (array, shape) in shapes.items():
            if array is not None and array.shape != shape:
                raise UserError(f"The trajectory's {name} must have the shape {shape}.")
        if self.input is not None and (self.input.ndim != 2 or self.input.shape[1] not in (2, 3)):
            raise UserError("The input cloud must have the shape (points, 2 or 3).")
        if self.truth is not None and (self.truth.ndim != 2 or self.truth.shape[1] != dim):
            raise UserError(f"The true cloud must have the shape (points, {dim}).")
        if self.axes and len(self.axes) != dim:
            raise UserError(f"The trajectory needs {dim} axis labels.")
        self._check_looks(T, N)
        if any(later <= earlier for earlier, later in pairwise(self.steps.tolist())):
            raise UserError("The trajectory's step numbers must increase.")

    def _check_looks(self, T: int, N: int) -> None:
        if (self.looked is None) != (self.queries is None):
            raise UserError("A trajectory with queries needs keys, and one with keys queries.")
        if self.looked is None or self.queries is None:
            return
        keys, shares = self.looked.keys, self.looked.shares
        if self.input is None or keys.ndim != 3:
            raise UserError("Keys must have the shape (heads, points, width), of an input.")
        heads, tokens, width = keys.shape
        if self.queries.shape != (T, heads, N, width):
            raise UserError(f"The queries must have the shape {(T, heads, N, width)}.")
        points = len(self.input)
        if shares is None and tokens != points:
            raise UserError(f"There must be {points} keys a head, one for each point.")
        if shares is not None and shares.shape != (tokens, points):
            raise UserError(f"The shares must have the shape {(tokens, points)}.")

    def frames(self, start: int, stop: int) -> "Trajectory":
        """The same run with the recorded steps `start ... stop - 1` alone."""
        part = slice(start, stop)
        cut: dict[str, Any] = {
            name: None if array is None else array[part]
            for name in ("steps", "particles", "ghost", "terms", "queries", "bars")
            for array in [getattr(self, name)]
        }
        curves = tuple(replace(curve, values=curve.values[part]) for curve in self.curves)
        return replace(self, **cut, curves=curves)


def encode(trajectory: Trajectory, *, precise: bool = False, chunk: int = 64) -> bytes:
    """The whole run as one file, `chunk` frames a chunk; `precise` keeps positions as float32."""
    T = len(trajectory.steps)
    pieces = [encode_header(trajectory)]
    for start in range(0, max(T, 1), chunk):
        frames = trajectory.frames(start, min(start + chunk, T))
        status = trajectory.status if start + chunk >= T else ""
        pieces.append(encode_chunk(start, replace(frames, status=status), precise=precise))
    return b"".join(pieces)


def encode_header(trajectory: Trajectory) -> bytes:
    """The first piece of a file: everything that does not change from step to step."""
    t = trajectory
    meta = {
        "version": VERSION,
        "label": t.label,
        "dim": t.dim,
        "particles": t.particles.shape[1],
        "ghost": t.ghost is not None,
        "terms": t.terms is not None,
        "kept": t.kept is not None,
        "classes": list(t.classes) if t.bars is not None else None,
        "curves": [{"name": c.name, "group": c.group, "log": c.log} for c in t.curves],
        "input": None if t.input is None else list(t.input.shape),
        "truth": None if t.truth is None else list(t.truth.shape),
        "axes": list(t.axes),
        "note": t.note,
        "right": list(t.right),
        "looked": None,
    }
    arrays = [
        _little(array, dtype)
        for array, dtype in ((t.input, "<f4"), (t.truth, "<f4"), (t.kept, "u1"))
        if array is not None
    ]
    if t.looked is not None:
        heads, tokens, width = t.looked.keys.shape
        low, high = _bounds(t.looked.keys)
        arrays.append(_quantise(t.looked.keys, low, high))
        if t.looked.shares is not None:
            arrays.append(_shares_in_bytes(t.looked.shares))
        meta["looked"] = {
            "heads": heads,
            "tokens": tokens,
            "width": width,
            "box": [low.tolist(), high.tolist()],
            "shares": t.looked.shares is not None,
        }
    return _piece(HEADER_TAG, meta, arrays)


def encode_chunk(first: int, frames: Trajectory, *, precise: bool = False) -> bytes:
    """A later piece: the frames of `frames`, of which `first` is the index in the run.

    `frames` has the same static parts as the trajectory of the header. A chunk without frames may
    carry the final `status`.
    """
    t = frames
    meta: dict[str, Any] = {
        "first": first,
        "frames": len(t.steps),
        "precision": "float32" if precise else "uint16",
        "status": t.status,
    }
    arrays = [_little(t.steps, "<i4")]
    arrays += [_little(curve.values, "<f4") for curve in t.curves]
    if t.bars is not None:
        arrays.append(_little(t.bars, "<f4"))
    boxes, errors = {}, {}
    for name in ("particles", "ghost", "terms", "queries"):
        positions = getattr(t, name)
        if positions is None:
            continue
        if precise:
            arrays.append(_little(positions, "<f4"))
            continue
        low, high = _bounds(positions)
        arrays.append(_quantise(positions, low, high))
        boxes[name] = [low.tolist(), high.tolist()]
        errors[name] = float((high - low).max() / _LAST_CODE / 2)
    return _piece(CHUNK_TAG, meta | {"boxes": boxes, "max_error": errors}, arrays)


def count_frames(data: bytes) -> int:
    """How many frames whole pieces hold, which need not begin with a header.

    Raises:
        UserError: they are no pieces.
    """
    try:
        chunks = (meta for tag, meta, _ in _pieces(memoryview(data)) if tag == CHUNK_TAG)
        return sum(_count(meta["frames"]) for meta in chunks)
    except (KeyError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError("The recorded run is damaged: it does not count its frames.") from error


def decode(data: bytes) -> Trajectory:
    """Read a file, or what has arrived of it, provided it ends with a whole piece.

    Raises:
        UserError: if the bytes are not a run of this version, are cut off, or contradict
            themselves.
    """
    pieces = list(_pieces(memoryview(data)))
    if not pieces or pieces[0][0] != HEADER_TAG:
        raise UserError("This is not a recorded run: it does not begin with a player header.")
    try:
        static, shape = _read_header(*pieces[0][1:])
        chunks = []
        expected = 0
        for tag, meta, payload in pieces[1:]:
            if tag != CHUNK_TAG or _count(meta["first"]) != expected:
                raise ValueError("pieces are out of order")
            chunks.append(_read_chunk(meta, payload, shape))
            expected += len(chunks[-1]["steps"])
        return _join(static, shape, chunks)
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"The recorded run is damaged ({error}); save it again.") from error


@dataclass(frozen=True)
class _Shape:
    """What the header says about the arrays of every chunk."""

    fields: dict[str, tuple[int, ...]]  # of one frame, in file order
    classes: tuple[str, ...] | None
    curves: tuple[dict[str, Any], ...]


def _read_header(meta: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], _Shape]:
    if meta["version"] != VERSION:
        raise UserError(
            f"The recorded run has format version {meta['version']}, this player reads {VERSION}."
        )
    dim, N = meta["dim"], _count(meta["particles"])
    if dim not in (2, 3):
        raise ValueError("neither 2-D nor 3-D")
    read = _Reader(payload)
    clouds: dict[str, np.ndarray | None] = {}
    for name in ("input", "truth"):
        clouds[name] = None
        if meta[name] is not None:
            points, width = (_count(n) for n in meta[name])
            clouds[name] = read("<f4", (points, width))
    kept = read("u1", (N,)).astype(bool) if meta["kept"] else None
    looked = None if meta["looked"] is None else _read_looked(meta, read)
    read.finish()
    classes = None if meta["classes"] is None else tuple(str(name) for name in meta["classes"])
    fields = _fields(meta, looked)
    curves = tuple(
        {"name": str(c["name"]), "group": str(c["group"]), "log": bool(c["log"])}
        for c in meta["curves"]
    )
    static = {
        **clouds,
        "kept": kept,
        "label": str(meta["label"]),
        "axes": tuple(str(axis) for axis in meta["axes"]),
        "note": str(meta["note"]),
        "right": tuple(str(name) for name in meta["right"]),
        "classes": classes or (),
        "looked": looked,
    }
    return static, _Shape(fields, classes, curves)


def _fields(meta: dict[str, Any], looked: Looked | None) -> dict[str, tuple[int, ...]]:
    """What is recorded of a frame, as coordinates, and its shape; in file order."""
    N, dim = meta["particles"], meta["dim"]
    fields: dict[str, tuple[int, ...]] = {"particles": (N, dim)}
    if meta["ghost"]:
        fields["ghost"] = (N, dim)
    if meta["terms"]:
        fields["terms"] = (len(TERM_NAMES), N, dim)
    if looked is not None:
        heads, _, width = looked.keys.shape
        fields["queries"] = (heads, N, width)
    return fields


def _read_looked(meta: dict[str, Any], read: "_Reader") -> Looked:
    heads, tokens, width = (_count(meta["looked"][name]) for name in ("heads", "tokens", "width"))
    points, _ = meta["input"]
    low, high = _box(meta["looked"]["box"], width)
    keys = _dequantise(read("<u2", (heads, tokens, width)), low, high)
    if not meta["looked"]["shares"]:
        return Looked(keys)
    parts = read("u1", (tokens, points)).astype(np.float32)
    return Looked(keys, parts / np.maximum(parts.sum(1, keepdims=True), 1))


def _read_chunk(meta: dict[str, Any], payload: memoryview, shape: _Shape) -> dict[str, Any]:
    T = _count(meta["frames"])
    read = _Reader(payload)
    chunk: dict[str, Any] = {"steps": read("<i4", (T,)), "status": str(meta["status"])}
    chunk["curves"] = [read("<f4", (T,)) for _ in shape.curves]
    if shape.classes is not None:
        chunk["bars"] = read("<f4", (T, len(shape.classes)))
    for name, frame in shape.fields.items():
        if meta["precision"] == "float32":
            chunk[name] = read("<f4", (T, *frame))
        elif meta["precision"] == "uint16":
            low, high = _box(meta["boxes"][name], frame[-1])
            chunk[name] = _dequantise(read("<u2", (T, *frame)), low, high)
        else:
            raise ValueError("unknown precision")
    read.finish()
    return chunk


def _join(static: dict[str, Any], shape: _Shape, chunks: list[dict[str, Any]]) -> Trajectory:
    def joined(name: str, width: tuple[int, ...], dtype: str) -> np.ndarray:
        return np.concatenate([np.empty((0, *width), dtype), *(c[name] for c in chunks)])

    arrays: dict[str, Any] = {
        name: joined(name, frame, "f4") for name, frame in shape.fields.items()
    }
    if shape.classes is not None:
        arrays["bars"] = joined("bars", (len(shape.classes),), "f4")
    curves = tuple(
        Curve(values=np.concatenate([np.empty(0, "f4"), *(c["curves"][i] for c in chunks)]), **spec)
        for i, spec in enumerate(shape.curves)
    )
    status = next((c["status"] for c in reversed(chunks) if c["status"]), "")
    steps = joined("steps", (), "i4")
    return Trajectory(steps=steps, curves=curves, status=status, **static, **arrays)


def _piece(tag: bytes, meta: dict[str, Any], arrays: list[np.ndarray]) -> bytes:
    text = json.dumps(meta, ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    payload = b"".join(a.tobytes() + bytes(-a.nbytes % 4) for a in arrays)
    return _PREAMBLE.pack(tag, len(text), len(payload)) + text + payload


def _pieces(data: memoryview) -> Iterator[tuple[bytes, dict[str, Any], memoryview]]:
    at = 0
    while at < len(data):
        if len(data) - at < _PREAMBLE.size:
            raise UserError("The recorded run is cut off; save it again.")
        tag, text_size, payload_size = _PREAMBLE.unpack_from(data, at)
        at += _PREAMBLE.size
        if tag not in (HEADER_TAG, CHUNK_TAG):
            raise UserError("This is not a recorded run of the flow player.")
        if len(data) - at < text_size + payload_size:
            raise UserError("The recorded run is cut off; save it again.")
        try:
            meta = json.loads(bytes(data[at : at + text_size]))
        except (ValueError, RecursionError) as error:
            raise UserError("The recorded run is damaged: its header is no JSON.") from error
        if not isinstance(meta, dict):
            raise UserError("The recorded run is damaged: its header is no JSON object.")
        at += text_size
        yield tag, meta, data[at : at + payload_size]
        at += payload_size


class _Reader:
    """Takes arrays one after the other from a payload, each padded to 4 bytes."""

    def __init__(self, payload: memoryview) -> None:
        self.payload, self.at = payload, 0

    def __call__(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        count = int(np.prod(shape, dtype=object))
        size = count * np.dtype(dtype).itemsize
        if size > len(self.payload) - self.at:
            raise ValueError("its arrays are shorter than stated")
        array = np.frombuffer(self.payload, dtype, count, self.at).reshape(shape)
        self.at += size + -size % 4
        return array

    def finish(self) -> None:
        if self.at != len(self.payload):
            raise ValueError("its arrays are longer than stated")


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_COUNT:
        raise ValueError("a count is impossible")
    return value


def _little(array: np.ndarray, dtype: str) -> np.ndarray:
    return np.ascontiguousarray(array, dtype)


def _bounds(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per-axis smallest and largest finite coordinate, (dim,) each."""
    flat = positions.reshape(-1, positions.shape[-1]).astype(np.float64)
    finite = np.isfinite(flat)
    low = np.where(finite, flat, np.inf).min(axis=0, initial=np.inf)
    high = np.where(finite, flat, -np.inf).max(axis=0, initial=-np.inf)
    empty = low > high
    return np.where(empty, 0.0, low), np.where(empty, 0.0, high)


def _box(value: Any, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner, (width,) each."""
    low, high = np.asarray(value, np.float64)
    if low.shape != (width,) or not np.isfinite([low, high]).all():
        raise ValueError("a box is wrong")
    return low, high


def _shares_in_bytes(shares: np.ndarray) -> np.ndarray:
    """Rows in proportion, the largest of each 255; what has a share at all keeps one."""
    parts = 255 * shares / np.maximum(shares.max(1, keepdims=True), 1e-30)
    return np.where(shares > 0, np.maximum(np.rint(parts), 1), 0).astype(np.uint8)


def _quantise(positions: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    width = np.where(high > low, high - low, 1.0)
    finite = np.isfinite(positions)
    unit = (np.where(finite, positions, low) - low) / width  # in [0, 1]
    codes = np.rint(np.clip(unit, 0, 1) * _LAST_CODE)
    return np.where(finite, codes, _NOT_FINITE).astype("<u2")


def _dequantise(codes: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    positions = low + codes * ((high - low) / _LAST_CODE)
    return np.where(codes == _NOT_FINITE, np.nan, positions).astype(np.float32)
