"""The player's file format: what goes in comes out, to within the stated error, or is refused."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ddeq.errors import UserError
from ddeq.run.format import CHUNK_TAG, HEADER_TAG
from ddeq.view.player import (
    Curve,
    Looked,
    Trajectory,
    decode,
    encode,
    encode_chunk,
    encode_header,
    export_html,
)

FLOATS = st.floats(-1e6, 1e6, width=32)
ANY_FLOATS = st.floats(width=32)  # NaN and infinities too


@st.composite
def trajectories(draw, coordinates=FLOATS):
    T, N = draw(st.integers(0, 7)), draw(st.integers(1, 5))
    dim = draw(st.sampled_from([2, 3]))
    C = draw(st.integers(1, 4))

    def floats(*shape, elements=coordinates):
        return draw(arrays(np.float32, shape, elements=elements))

    def maybe(*shape, elements=coordinates):
        return floats(*shape, elements=elements) if draw(st.booleans()) else None

    bars = maybe(T, C, elements=st.floats(0, 1, width=32))
    cloud = maybe(draw(st.integers(1, 4)), draw(st.sampled_from([2, 3])))
    looked, queries = None, None
    if cloud is not None and draw(st.booleans()):
        heads, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        shared = draw(st.booleans())
        tokens = draw(st.integers(1, 3)) if shared else len(cloud)
        shares = draw(arrays(np.float32, (tokens, len(cloud)), elements=st.integers(1, 3)))
        shares /= shares.sum(1, keepdims=True)
        looked = Looked(floats(heads, tokens, width), shares if shared else None)
        queries = floats(T, heads, N, width)
    gaps = draw(arrays(np.int32, T, elements=st.integers(1, 9)))
    return Trajectory(
        label=draw(st.text(max_size=8)),
        steps=np.cumsum(gaps, dtype=np.int32),
        particles=floats(T, N, dim),
        ghost=maybe(T, N, dim),
        terms=maybe(T, 3, N, dim),
        bars=bars,
        classes=tuple(f"class {c}" for c in range(C)) if bars is not None else (),
        curves=tuple(
            Curve(f"curve {c}", floats(T, elements=ANY_FLOATS), "group", draw(st.booleans()))
            for c in range(draw(st.integers(0, 2)))
        ),
        kept=draw(arrays(np.bool_, N)) if draw(st.booleans()) else None,
        input=cloud,
        looked=looked,
        queries=queries,
        truth=maybe(3, dim),
        axes=tuple("xyz"[:dim]) if draw(st.booleans()) else (),
        note=draw(st.text(max_size=8)),
        right=tuple(draw(st.lists(st.text(max_size=3), max_size=2))),
        status=draw(st.text(max_size=8)),
    )


def assert_same(a, b, positions_within=0.0):
    """Equal in everything, positions to within an absolute error; non-finite ones become NaN."""
    for name in ("label", "classes", "axes", "note", "right", "status"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("steps", "bars", "kept", "input", "truth"):
        left, right = getattr(a, name), getattr(b, name)
        assert (left is None) == (right is None), name
        if left is not None:
            np.testing.assert_array_equal(left, right, name)
    assert [(c.name, c.group, c.log) for c in a.curves] == [
        (c.name, c.group, c.log) for c in b.curves
    ]
    for left, right in zip(a.curves, b.curves, strict=True):
        np.testing.assert_array_equal(left.values, right.values)
    assert (a.looked is None) == (b.looked is None)
    if a.looked is not None:
        rounding = np.ptp(a.looked.keys, (0, 1)) / 131068 * 1.01 + 1e-6 * np.abs(a.looked.keys)
        assert (np.abs(a.looked.keys.astype(float) - b.looked.keys) <= rounding).all()
        assert (a.looked.shares is None) == (b.looked.shares is None)
    if a.looked is not None and a.looked.shares is not None:
        np.testing.assert_allclose(a.looked.shares, b.looked.shares, atol=2 / 255)
        np.testing.assert_allclose(b.looked.shares.sum(1), 1, rtol=1e-6)
    for name in ("particles", "ghost", "terms", "queries"):
        left, right = getattr(a, name), getattr(b, name)
        assert (left is None) == (right is None), name
        if left is None:
            continue
        assert left.shape == right.shape
        finite = np.isfinite(left)
        assert np.isnan(right[~finite]).all()
        assert np.abs(left[finite].astype(float) - right[finite]).max(initial=0) <= positions_within


@given(trajectories())
def test_float32_round_trip_is_exact(trajectory):
    assert_same(trajectory, decode(encode(trajectory, precise=True, chunk=3)))


@given(trajectories())
def test_quantised_round_trip_is_within_the_stated_error(trajectory):
    data = encode(trajectory, chunk=3)
    stated = max(
        (error for meta in metas(data)[1:] for error in meta["max_error"].values()), default=0.0
    )
    largest = max(
        np.abs(positions).max(initial=0)
        for positions in (trajectory.particles, trajectory.ghost, trajectory.terms)
        if positions is not None
    )
    # beside the rounding to codes: that of the result to float32
    assert_same(trajectory, decode(data), stated * (1 + 1e-6) + float(np.spacing(largest)))


@given(trajectories(coordinates=ANY_FLOATS))
def test_positions_that_are_not_finite_stay_so(trajectory):
    again = decode(encode(trajectory, chunk=3))
    np.testing.assert_array_equal(np.isfinite(trajectory.particles), np.isfinite(again.particles))


def test_the_error_is_that_of_16_bits_of_the_chunk_s_box():
    steps = np.arange(2, dtype=np.int32)
    corners = np.array([[[0.0, 0.0]], [[65534.0, 1.0]]], np.float32)  # (2, 1, 2)
    [_, meta] = metas(encode(Trajectory("a", steps, corners)))
    assert meta["max_error"] == {"particles": 0.5}
    assert meta["boxes"] == {"particles": [[0.0, 0.0], [65534.0, 1.0]]}


@given(trajectories(), st.integers(1, 4))
def test_pieces_sent_one_by_one_are_the_file(trajectory, chunk):
    T = len(trajectory.steps)
    pieces = [encode_header(trajectory)]
    for first in range(0, T, chunk):
        pieces.append(
            encode_chunk(first, replace(trajectory.frames(first, first + chunk), status=""))
        )
    pieces.append(encode_chunk(T, trajectory.frames(T, T)))
    whole = decode(b"".join(pieces))
    assert whole.status == trajectory.status
    np.testing.assert_array_equal(whole.steps, trajectory.steps)
    for arrived in range(1, len(pieces)):
        part = decode(b"".join(pieces[:arrived]))
        assert len(part.steps) == min(T, (arrived - 1) * chunk)


def test_three_floats_take_little_more_than_six_bytes():
    T, N = 100, 2048
    particles = np.random.default_rng(0).normal(size=(T, N, 3)).astype(np.float32)
    data = encode(Trajectory("run", np.arange(T, dtype=np.int32), particles))
    assert len(data) / (T * N) < 6.05


@settings(max_examples=30)
@given(trajectories(), st.data())
def test_cut_off_bytes_are_refused_or_end_at_a_piece(trajectory, data):
    whole = encode(trajectory, chunk=2)
    cut = data.draw(st.integers(0, len(whole) - 1))
    ends = np.cumsum([size for _, size in piece_sizes(whole)])
    if cut in ends:
        decode(whole[:cut])
    else:
        with pytest.raises(UserError):
            decode(whole[:cut])


@given(trajectories(), st.data())
def test_damaged_bytes_raise_nothing_but_user_errors(trajectory, data):
    damaged = bytearray(encode(trajectory, chunk=2))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(damaged))
    except UserError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(UserError):
        decode(data)


HEADER_LIES = {
    "version": 1,
    "dim": 4,
    "particles": -1,
    "input": [10**9, 2],
    "truth": [3],
    "curves": [{"name": "a"}],
    "axes": ["only one"],
    "classes": 7,
    "looked": {"heads": 10**6, "tokens": 1, "width": 1, "box": [[0], [1]], "shares": False},
}


@pytest.mark.parametrize("name", HEADER_LIES)
def test_a_header_that_lies_is_refused(name):
    [header, *chunks] = split(encode(small()))
    meta, payload = parse(header)
    lying = piece(HEADER_TAG, meta | {name: HEADER_LIES[name]}, payload)
    with pytest.raises(UserError):
        decode(b"".join([lying, *chunks]))


CHUNK_LIES = {
    "first": 1,
    "frames": 10**6,
    "precision": "float64",
    "boxes": {"particles": [[0], [1]]},
}


@pytest.mark.parametrize("name", CHUNK_LIES)
def test_a_chunk_that_lies_is_refused(name):
    [header, chunk] = split(encode(small()))
    meta, payload = parse(chunk)
    with pytest.raises(UserError):
        decode(header + piece(CHUNK_TAG, meta | {name: CHUNK_LIES[name]}, payload))


@pytest.mark.parametrize(
    "wrong",
    [
        {"particles": np.zeros((3, 4, 5))},
        {"particles": np.zeros((3, 4))},
        {"ghost": np.zeros((3, 3, 2))},
        {"bars": np.zeros((3, 2)), "classes": ("a",)},
        {"steps": np.array([0, 2, 1])},
        {"axes": ("x", "y", "z")},
        {"input": np.zeros((4, 5))},
        {"truth": np.zeros((4, 3))},
        {"curves": (Curve("a", np.zeros(2)),)},
        {"queries": np.zeros((3, 2, 4, 5))},
        {"looked": Looked(np.zeros((2, 7, 5))), "input": np.zeros((7, 2))},
        *(
            {"looked": looked, "queries": np.zeros((3, 2, 4, 5)), "input": np.zeros((7, 2))}
            for looked in (
                Looked(np.zeros((2, 6, 5))),
                Looked(np.zeros((2, 7, 4))),
                Looked(np.zeros((3, 7, 5))),
                Looked(np.zeros((2, 3, 5)), np.zeros((3, 6))),
            )
        ),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(UserError):
        replace(small(), **wrong)


def test_the_exported_page_needs_no_network_and_escapes_its_title():
    page = export_html([encode(small())], "</title><script>alert(1)</script>")
    assert "<script>alert" not in page
    assert page.count("</script>") == 1
    addresses = set(word for word in page.replace('"', " ").split() if word.startswith("http"))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def small():
    steps = np.arange(3, dtype=np.int32)
    return Trajectory("small", steps, np.random.default_rng(0).normal(size=(3, 4, 2)))


def piece_sizes(data):
    at = 0
    while at < len(data):
        tag, text, payload = struct.unpack_from("<4sII", data, at)
        yield tag, 12 + text + payload
        at += 12 + text + payload


def split(data):
    pieces, at = [], 0
    for _, size in piece_sizes(data):
        pieces.append(data[at : at + size])
        at += size
    return pieces


def parse(data):
    _, text, _ = struct.unpack_from("<4sII", data)
    return json.loads(data[12 : 12 + text]), data[12 + text :]


def metas(data):
    return [parse(part)[0] for part in split(data)]


def piece(tag, meta, payload):
    text = json.dumps(meta).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sII", tag, len(text), len(payload)) + text + payload
