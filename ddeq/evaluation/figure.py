"""Curves as an SVG picture, for the documents."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777", "#000000")
DASHES = ("-", "--", ":")
_STYLE: Any = {
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "ddeq",  # the same curves are the same file
    "font.family": "sans-serif",
    "axes.spines.right": False,
    "axes.spines.top": False,
}

Curve = Sequence[tuple[float, float]]
Shares = Sequence[tuple[float, float, float, float]]  # x, share, and the ends of its interval


def curves_svg(curves: Mapping[str, Curve], across: str, up: str) -> str:
    """Named curves of positive points ``(x, y)``, with the axes' titles, as the text of an SVG.

    The names stand beside the curves, in the order in which these end.
    """

    def draw(axes: Axes, name: str, style: dict) -> None:
        axes.loglog(*zip(*curves[name], strict=True), **style)

    return _picture(draw, {name: curve[-1][1] for name, curve in curves.items()}, across, up)


def shares_svg(curves: Mapping[str, Shares], across: str, up: str) -> str:
    """Named curves of shares, 0 to 1, with their intervals, over a logarithmic axis; as above."""

    def draw(axes: Axes, name: str, style: dict) -> None:
        x, share, low, high = map(list, zip(*curves[name], strict=True))
        axes.semilogx(x, share, marker="o", **style)
        axes.vlines(x, low, high, color=style["color"])

    return _picture(draw, {name: curve[-1][1] for name, curve in curves.items()}, across, up, True)


def _picture(
    draw: Callable[[Axes, str, dict], None],
    ends: Mapping[str, float],
    across: str,
    up: str,
    percent: bool = False,
) -> str:
    """What ``draw`` draws of each name, those whose curve ends highest first."""
    import matplotlib  # slow to import, and few need it
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, PercentFormatter

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8.5, 4.8), layout="constrained")
        axes = figure.subplots()
        numbers = {name: i for i, name in enumerate(ends)}
        for name in sorted(ends, key=lambda name: -ends[name]):
            draw(axes, name, {"label": name, **_style(numbers[name])})
        axes.set(xlabel=across, ylabel=up)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        if percent:
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(EngFormatter())
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.grid(color="#dddddd")
        place: Any = "outside center right"  # which its types do not know
        figure.legend(loc=place, frameon=False, labelcolor="linecolor")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _style(number: int) -> dict:
    """How curve number ``number`` looks."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number // len(COLOURS) % len(DASHES)],
        "gid": f"curve-{number}",
    }
