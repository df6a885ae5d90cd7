"""Curves on logarithmic axes as an SVG picture, for the documents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 16, 48  # margins; the names of the curves stand on the right
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777", "#000000")

Curve = Sequence[tuple[float, float]]


def curves_svg(curves: Mapping[str, Curve], across: str, up: str) -> str:
    """Named curves of positive points ``(x, y)``, with the axes' titles, as the text of an SVG."""
    points = [point for curve in curves.values() for point in curve]
    x0, x1 = _decades([x for x, _ in points])
    y0, y1 = _decades([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x) - x0) / (x1 - x0)
        high = (math.log10(y) - y0) / (y1 - y0)
        return (
            LEFT + right * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - high * (HEIGHT - TOP - BOTTOM),
        )

    parts = [_axis(place, range(x0, x1 + 1), y0, True), _axis(place, range(y0, y1 + 1), x0, False)]
    bottom = (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8
    parts.append(_text(*bottom, across, "middle"))
    parts.append(
        f'<g transform="rotate(-90 14 {HEIGHT / 2})">{_text(14, HEIGHT / 2, up, "middle")}</g>'
    )
    taken: list[float] = []
    ends = sorted(curves.items(), key=lambda named: -place(*named[1][-1])[1])
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(curves)}
    for name, curve in ends:
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in curve)
        dashed = ' stroke-dasharray="5 3"' if list(curves).index(name) >= len(COLOURS) else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colours[name]}" '
            f'stroke-width="1.8"{dashed}/>'
        )
        x, y = place(*curve[-1])
        label = min([y, *(t - 14 for t in taken)])  # upwards from the lowest, never overlapping
        taken.append(label)
        beside = WIDTH - RIGHT + 10
        parts.append(
            f'<path d="M{x:.1f},{y:.1f} L{beside - 3},{label:.1f}" stroke="{colours[name]}" '
            'stroke-width="0.6" fill="none" opacity="0.6"/>'
        )
        parts.append(_text(beside, label + 4, name, "start", colours[name]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten that enclose all values, at least one decade."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _axis(place, powers: range, other: int, across: bool) -> str:  # noqa: ANN001 (a local function)
    lines = []
    for power in powers:
        x, y = place(10.0**power, 10.0**other) if across else place(10.0**other, 10.0**power)
        end = (x, TOP) if across else (WIDTH - RIGHT, y)
        lines.append(f'<path d="M{x:.1f},{y:.1f} L{end[0]:.1f},{end[1]:.1f}" stroke="#dddddd"/>')
        label = f"{10.0**power:g}"
        where = (x, y + 18, label, "middle") if across else (x - 6, y + 4, label, "end")
        lines.append(_text(*where))
    return "\n".join(lines)


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#333333") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'
