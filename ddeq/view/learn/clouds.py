"""Chapter 2: clouds as measures, and two ways to compare them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ddeq.learn.measures import duplicated, list_distance, mmd, padded, shuffled
from ddeq.metrics.transport import transport
from ddeq.solve.kernels import Riesz
from ddeq.view.learn.figures import Board, Group, show_board
from ddeq.view.learn.frame import Chapter, Question, controls

TEXT = r"""
A laser scan is a list of points, but the order in the list means nothing. What counts is where
the points are: a [[cloud]] is a [[measure]] that puts the same mass on each,

$$
\term{a}{\mu} = \frac1N \sum_{n=1}^{N} \delta_{\term{a}{x_n}}.
$$

Shuffling it, or taking every point twice, gives the same measure. So a distance between clouds
must not see the order. Two that do not:

*Moving mass.* The [[Wasserstein distance]] takes the cheapest [[transport plan]]
$\term{plan}{\pi}$, the green lines:

$$
W_2^2(\term{a}{\mu}, \term{b}{\nu}) = \min_{\term{plan}{\pi}} \sum_{n,m}
\term{plan}{\pi_{nm}} \, |\term{a}{x_n} - \term{b}{y_m}|^2
$$

*Feeling each other.* The [[MMD]] compares how points of one cloud and of both feel each other
through a [[kernel]] $\term{kernel}{k}$, here $-|x-y|$, which makes its square the
[[energy distance]]:

$$
\mathrm{MMD}^2 = \overline{\term{kernel}{k}(\term{a}{x},\term{a}{x'})} +
\overline{\term{kernel}{k}(\term{b}{y},\term{b}{y'})} -
2\,\overline{\term{kernel}{k}(\term{a}{x},\term{b}{y})}
$$

$W_2$ needs a plan; the MMD is a plain sum, with an easy gradient. Both are zero only where the
clouds are the same.
"""

SNIPPET = """\
import numpy as np
from ddeq.learn.measures import mmd
from ddeq.metrics.transport import transport
from ddeq.solve.kernels import Riesz

blue = np.array({blue})
orange = np.array({orange})
print("W2 ", transport(blue, orange).distance)
print("MMD", mmd(blue, orange, Riesz(r=1.0)))
print("MMD, blue in another order", mmd(blue[::-1].copy(), orange, Riesz(r=1.0)))
"""

STARTS = {
    "Apart": (
        [(-1.6, 0.2), (-1.2, 0.9), (-0.7, 0.1), (-1.3, -0.7), (-0.8, -1.1), (-1.9, -0.4)],
        [(0.9, 1.0), (1.5, 0.5), (0.8, -0.1), (1.7, -0.5), (1.1, -1.0), (1.9, 0.9)],
    ),
    "Crossed": (
        [(-1.5, 0.0), (-0.9, 0.0), (-0.3, 0.0), (0.3, 0.0), (0.9, 0.0), (1.5, 0.0)],
        [(0.0, 1.3), (0.0, 0.8), (0.0, 0.3), (0.0, -0.3), (0.0, -0.8), (0.0, -1.3)],
    ),
    "Different numbers": (
        [(-1.2, 0.6), (-1.2, -0.6), (-0.4, 0.0)],
        [(0.8, 0.9), (1.4, 0.4), (1.4, -0.4), (0.8, -0.9)],
    ),
}
BOUNDS = (-2.4, 2.4, -1.7, 1.7)
CHANGES = ("as it is", "shuffled", "every point twice", "padded, masked", "padded, no mask")
FIRST = "Apart"


def answer() -> tuple[int, str]:
    """Shuffle a cloud and see which numbers change."""
    blue, orange = (np.array(points) for points in STARTS[FIRST])
    before = list_distance(blue, orange), transport(blue, orange).distance
    other = shuffled(blue, 1)
    after = list_distance(other, orange), transport(other, orange).distance
    as_lists, as_measures = (_change(a, b) is not None for a, b in zip(after, before, strict=True))
    right = {(True, False): 0, (False, True): 1, (True, True): 2}.get((as_lists, as_measures), 3)
    return right, (
        f"As lists they go from {before[0]:.2f} to {after[0]:.2f} apart, "
        f"while $W_2$ stays {after[1]:.2f}: a list has an order, a measure has none."
    )


def _change(after: float | None, before: float | None) -> float | None:
    """Of a distance; None where it has not changed or nothing can be compared."""
    if after is None or before is None or abs(after - before) <= 1e-9:
        return None
    return after - before


def figure() -> str:
    """Two clouds to drag, the plan between them, and a table of distances."""
    blue, orange = _clouds()

    def moved(to: dict) -> None:
        clouds = {"blue": blue, "orange": orange}
        clouds[to["group"]][int(to["index"])] = to["x"], to["y"]
        st.query_params.update({name: _text(points) for name, points in clouds.items()})

    show_board("clouds-board", _board(blue, orange), moved)
    with controls("change"):
        change = st.segmented_control(
            "The blue list",
            CHANGES,
            default="as it is",
            required=True,
            key="change",
            bind="query-params",
        )
    _table(blue, orange, change)
    return SNIPPET.format(blue=blue.round(2).tolist(), orange=orange.round(2).tolist())


def _board(blue: np.ndarray, orange: np.ndarray) -> Board:
    """Both clouds and the cheapest transport plan between them."""
    found = transport(blue, orange)
    lines = [
        {
            "a": [0, int(n)],
            "b": [1, int(m)],
            "width": 1 + 14 * float(found.plan[n, m]),
            "term": "plan",
        }
        for n, m in zip(*np.nonzero(found.plan > 1e-9), strict=True)
    ]
    return Board(
        [
            Group("blue", blue, "blue", label="Blue point", term="a"),
            Group("orange", orange, "orange", label="Orange point", term="b"),
        ],
        lines=lines,
        bounds=BOUNDS,
        alt=(
            f"Two clouds, {len(blue)} blue and {len(orange)} orange points, joined by "
            f"{len(lines)} lines of the cheapest transport plan; W2 is {found.distance:.2f}."
        ),
        hint="Drag the points. When you let go, the plan is computed anew.",
    )


def changed(points: np.ndarray, change: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The list after a change of :data:`CHANGES`, and which of its rows count."""
    if change == "shuffled":
        return shuffled(points, 1), None
    if change == "every point twice":
        return duplicated(points), None
    if change == "padded, masked":
        return padded(points, 6)
    if change == "padded, no mask":
        return padded(points, 6)[0], None
    return points, None


def _table(blue: np.ndarray, orange: np.ndarray, change: str) -> None:
    """The three distances, before and after the change."""
    other, valid = changed(blue, change)
    real = other if valid is None else other[valid]
    pairs = {
        "as lists": (list_distance(blue, orange), list_distance(other, orange)),
        "W₂": (transport(blue, orange).distance, transport(real, orange).distance),
        "MMD": (mmd(blue, orange, Riesz()), mmd(other, orange, Riesz(), valid)),
    }
    with st.container(horizontal=True):
        for name, (before, after) in pairs.items():
            moved = _change(after, before)
            st.metric(
                name,
                "cannot compare" if after is None else f"{after:.3f}",
                None if moved is None else f"{moved:+.3f}",
                delta_color="off",
                help={
                    "as lists": "Point by point in the order of the lists, root mean square.",
                    "W₂": "What the green plan costs.",
                    "MMD": "With the kernel -|x - y|.",
                }[name],
            )
    if change == "padded, no mask":
        st.caption(
            "Zeros counted as points are mass at the centre: another measure. That is why padding "
            "is carried by an explicit mask everywhere in this app."
        )


def _clouds() -> tuple[np.ndarray, np.ndarray]:
    """The clouds of the link, or those to begin with."""
    given = [_points(st.query_params.get(name, "")) for name in ("blue", "orange")]
    blue, orange = (
        np.array(first) if found is None else found
        for found, first in zip(given, STARTS[FIRST], strict=True)
    )
    return blue, orange


def _text(points: np.ndarray) -> str:
    return "_".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _points(text: str) -> np.ndarray | None:
    """The inverse of :func:`_text`; None where the text is no small cloud on the board."""
    try:
        points = np.array([[float(v) for v in pair.split(",")] for pair in text.split("_")])
    except ValueError:
        return None
    right = points.ndim == 2 and points.shape[1] == 2 and 1 <= len(points) <= 40
    return points if right and (np.abs(points) <= BOUNDS[1]).all() else None


CHAPTER = Chapter(
    "Clouds are measures",
    TEXT,
    Question(
        "Press *shuffled*: the blue points keep their places but the list has another order. "
        "What changes?",
        (
            "The distance as lists",
            "The Wasserstein distance",
            "Both",
            "Neither",
        ),
        answer,
        "Shuffle",
    ),
    {
        **{
            name: {
                "@blue": _text(np.array(blue)),
                "@orange": _text(np.array(orange)),
                "change": "as it is",
            }
            for name, (blue, orange) in STARTS.items()
        },
        "Shuffle": {"change": "shuffled"},
    },
    figure,
    ("peyre", "gretton", "energy", "sets"),
)
