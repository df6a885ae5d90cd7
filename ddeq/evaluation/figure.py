"""Curves on logarithmic axes as an SVG picture, for the documents."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777", "#000000")
DASHES = ("-", "--", ":")
_STYLE = {
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "ddeq",  # the same curves are the same file
    "font.family": "sans-serif",
    "axes.spines.right": False,
    "axes.spines.top": False,
}

Curve = Sequence[tuple[float, float]]


def curves_svg(curves: Mapping[str, Curve], across: str, up: str) -> str:
    """Named curves of positive points ``(x, y)``, with the axes' titles, as the text of an SVG.

    The names stand beside the curves, in the order in which these end.
    """
    import matplotlib  # slow to import, and few need it
    from matplotlib.figure import Figure

    styles = {
        name: {
            "color": COLOURS[i % len(COLOURS)],
            "linestyle": DASHES[i // len(COLOURS) % len(DASHES)],
            "gid": f"curve-{i}",
        }
        for i, name in enumerate(curves)
    }
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8.5, 4.8), layout="constrained")
        axes = figure.subplots()
        for name, curve in sorted(curves.items(), key=lambda named: -named[1][-1][1]):
            axes.loglog(*zip(*curve, strict=True), label=name, **styles[name])
        axes.set(xlabel=across, ylabel=up)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(color="#dddddd")
        figure.legend(loc="outside center right", frameon=False, labelcolor="linecolor")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
