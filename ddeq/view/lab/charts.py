"""Figures of page *Solver lab*."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ddeq.lab.early_exit import Anytime, Score
from ddeq.lab.equilibria import AS_IT_IS, PADDED, SHUFFLED, Ends
from ddeq.lab.measures import embed
from ddeq.lab.phase import Grid, Map
from ddeq.lab.race import Lane
from ddeq.lab.witness import Plane
from ddeq.view.words import class_name, with_article

HEIGHT = 340
SYMBOLS = {AS_IT_IS: "circle", SHUFFLED: "circle-open", PADDED: "square-open"}
SIZES = {AS_IT_IS: 9, SHUFFLED: 15, PADDED: 21}  # so that those at one place are all seen
COLOURS = ["#1f68ad", "#d55e00", "#00896a", "#a64d86"]  # the player's runs
GREY = "#888888"
BAND = "rgba(128, 128, 128, 0.2)"
MOST_SHOWN = 400  # points of a curve
MOST_NAMED = 12  # classes beside a colour bar
PICTURE = "picture"  # key of the field that says as what figures are saved


def draw(figure: go.Figure, name: str, passing: bool = False, **options: Any) -> object:
    """Show a figure; its camera button saves a picture of the kind chosen under *Take it home*.

    Args:
        figure: what to show.
        name: identifies it in the browser, and names the picture.
        passing: whether another of this name follows in the same script run.
        **options: of :func:`streamlit.plotly_chart`.
    """
    kind = st.session_state.get(PICTURE, "svg")
    return st.plotly_chart(
        figure,
        key=f"chart-{name}-{time.monotonic_ns()}" if passing else f"chart-{name}",
        config={
            "displaylogo": False,
            "toImageButtonOptions": {"format": kind, "filename": f"ddeq-{name}"},
        },
        **options,
    )


def selected_points(name: str) -> list[dict[str, Any]]:
    """What was clicked on in a figure that :func:`draw` showed with ``on_select``."""
    return st.session_state[f"chart-{name}"].selection.points


def figure(x: str, y: str, title: str, **layout: object) -> go.Figure:
    made = go.Figure()
    made.update_layout(
        title={"text": title, "font": {"size": 14}} if title else None,
        xaxis_title=x,
        yaxis_title=y,
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 40 if title else 10, "b": 10},
        colorway=COLOURS,
        **layout,
    )
    return made


def curves(lanes: Sequence[Lane], by: str, target: float | None = None) -> go.Figure:
    """The common objective of each lane against ``evaluations`` or ``seconds``."""
    what = {"evaluations": "network evaluations", "seconds": "seconds"}[by]
    made = figure(what, "objective / start", f"Objective against {what}")
    made.update_layout(legend={"orientation": "h", "y": -0.25})
    # Clipped for the logarithm: an objective that rounds to 0 would break the line.
    for lane, colour in zip(lanes, COLOURS, strict=False):
        frames = [lane.frames[k] for k in _thinned(len(lane.frames))]
        made.add_scatter(
            x=[getattr(frame, by) for frame in frames],
            y=[max(frame.common, 1e-9) for frame in frames],
            name=lane.name,
            mode="lines",
            line={"color": colour},  # the app's theme has colours of its own
            customdata=[frame.step for frame in frames],
            hovertemplate="step %{customdata}<br>%{y:.3g}<extra>%{fullData.name}</extra>",
        )
    if target is not None:
        label = {"text": "target", "textposition": "end"}
        made.add_hline(target, line={"dash": "dot", "width": 1, "color": GREY}, label=label)
    made.update_yaxes(type="log", dtick=1, exponentformat="power")
    return made


def _thinned(count: int) -> list[int]:
    """Indices of at most so many of a curve's points, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_SHOWN)).round().astype(int)).tolist()


def distances(found: Ends) -> go.Figure:
    """W2 between every two final measures."""
    names = [end.name for end in found.ends]
    made = figure("", "", "W2 between final particles")
    made.add_heatmap(
        z=found.distances,
        x=names,
        y=names,
        colorscale="Viridis",
        colorbar={"title": "W2", "thickness": 12},
        hovertemplate="%{y}<br>%{x}<br>W2 %{z:.3g}<extra></extra>",
    )
    made.update_xaxes(showticklabels=False)
    made.update_yaxes(showticklabels=False, autorange="reversed")
    return made


def landscape(found: Ends) -> go.Figure:
    """Final measures as points of a plane, as far apart as W2 says, as nearly as two axes can."""
    made = figure("", "", "The same distances as a map")
    made.update_layout(legend={"orientation": "h", "y": -0.15, "itemsizing": "constant"})
    places = embed(found.apart)  # (R, 2)
    groups: dict[tuple[str, int], list[int]] = {
        (end.label, end.particles): [] for end in found.ends
    }
    for k, end in enumerate(found.ends):
        groups[end.label, end.particles].append(k)
    for (label, particles), runs in groups.items():
        made.add_scatter(
            x=places[runs, 0],
            y=places[runs, 1],
            mode="markers",
            name=f"{class_name(label)}, {particles} particles",
            marker={
                "size": [SIZES[found.ends[k].variant] for k in runs],
                "symbol": [SYMBOLS[found.ends[k].variant] for k in runs],
                "opacity": 1,
            },
            text=[f"{found.ends[k].name}<br>spread {found.ends[k].spread:.2f}" for k in runs],
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    made.update_yaxes(scaleanchor="x", zeroline=False)
    made.update_xaxes(zeroline=False)
    return made


SHOWN = {"Objective": "objective / start", "Spread": "spread / start", "Class": "class"}


def phase(grid: Grid, found: Map, what: str, labels: Sequence[str], cell: int | None) -> go.Figure:
    """The grid as a heat map with a point in every cell to click on; one cell may be marked."""
    rows, columns = grid.shape
    made = figure(_name(grid.x.name), _name(grid.y.name), SHOWN[what], showlegend=False)
    made.update_layout(height=150 + 44 * max(rows, 6), clickmode="event+select", dragmode=False)
    made.add_heatmap(**_colours(found, what, labels), xgap=2, ygap=2, hoverinfo="skip")
    at = [(row, column) for row in range(rows) for column in range(columns)]
    made.add_scatter(
        x=[column for _, column in at],
        y=[row for row, _ in at],
        mode="markers+text",
        text=[cell_mark(found, row, column) for row, column in at],
        marker={"size": 26, "symbol": "square", "opacity": 0},
        hovertext=[cell_text(grid, found, row, column, labels) for row, column in at],
        hoverinfo="text",
    )
    if cell is not None:
        y, x = divmod(cell, columns)
        box = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
        made.add_shape(type="rect", **box, line={"width": 3})
    made.update_xaxes(tickvals=list(range(columns)), ticktext=[f"{v:g}" for v in grid.x.values])
    made.update_yaxes(tickvals=list(range(rows)), ticktext=[f"{v:g}" for v in grid.y.values])
    for update in (made.update_xaxes, made.update_yaxes):
        update(showgrid=False, zeroline=False, fixedrange=True)
    return made


def _colours(found: Map, what: str, labels: Sequence[str]) -> dict[str, Any]:
    """Values of the cells and how they are coloured: of a heat map."""
    if what == "Objective":
        values = np.log10(np.clip(found.common, 1e-9, None))
        ticks = [-4, -3, -2, -1, 0, 1]
        texts = ["0.01 %", "0.1 %", "1 %", "10 %", "100 %", "10 x"]
        low, high, scale = _lowest(values), 0.0, "Viridis_r"
    elif what == "Class":
        values = np.where(found.predicted < 0, np.nan, found.predicted)
        ticks = _classes_named(found, len(labels))
        texts = [class_name(labels[k]) for k in ticks]
        low, high, scale = 0, max(1, len(labels) - 1), "Jet"
    else:
        values, ticks, texts = found.spread_kept, None, None
        low, high, scale = 0, 1.5, "Viridis"
    bar = {"thickness": 12, "tickvals": ticks, "ticktext": texts}
    return {"z": values, "zmin": low, "zmax": high, "colorscale": scale, "colorbar": bar}


def _classes_named(found: Map, classes: int) -> list[int]:
    """Which classes the colour bar names: all, or where there are many those that are predicted."""
    if classes <= MOST_NAMED:
        return list(range(classes))
    return [int(k) for k in np.unique(found.predicted[found.predicted >= 0])]


def _lowest(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return min(-1.0, float(known.min())) if len(known) else -1.0


def cell_mark(found: Map, row: int, column: int) -> str:
    """What the colour cannot say: a run that diverged, or whose particles collapsed."""
    if found.steps[row, column] < 0:
        return ""
    if not np.isfinite(found.common[row, column]):
        return "\u00d7"
    return "\u2022" if found.collapsed[row, column] else ""


def cell_text(grid: Grid, found: Map, row: int, column: int, labels: Sequence[str]) -> str:
    """A cell in words."""
    where = (
        f"{_name(grid.x.name)} {grid.x.values[column]:g}, "
        f"{_name(grid.y.name)} {grid.y.values[row]:g}"
    )
    if found.steps[row, column] < 0:
        return f"{where}: not computed"
    if not np.isfinite(found.common[row, column]):
        return f"{where}: diverged"
    read = with_article(labels[found.predicted[row, column]], "")
    return (
        f"{where}: objective {found.common[row, column]:.2%} of the start, spread "
        f"{found.spread_kept[row, column]:.0%}, reads {read}, {found.steps[row, column]} steps"
    )


def _name(setting: str) -> str:
    return {"r": "exponent r", "eps": "smoothing", "sigma": "bandwidth"}.get(
        setting, setting.replace("_", " ")
    )


def accuracy(found: Anytime, by: str, chosen: int, first: int, each: str) -> go.Figure:
    """Accuracy from ``first`` steps on, against ``steps`` or ``milliseconds`` for one ``each``."""
    x = np.arange(len(found.scores)) if by == "steps" else found.milliseconds
    what = {"steps": "solver steps", "milliseconds": f"milliseconds for one {each}"}[by]
    made = figure(what, "accuracy", f"Accuracy against {what}")
    made.update_layout(legend={"orientation": "h", "y": -0.25})
    steps = range(first, len(found.scores))
    known = [k for k in steps if found.scores[k].total and np.isfinite(x[k])]
    band = [found.scores[k].interval for k in known]
    made.add_scatter(
        x=[*x[known], *x[known][::-1]],
        y=[*(high for _, high in band), *(low for low, _ in reversed(band))],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        hoverinfo="skip",
        name="95 % interval",
    )
    made.add_scatter(
        x=x[known],
        y=[found.scores[k].accuracy for k in known],
        mode="lines+markers",
        name="DDEQ",
        customdata=known,
        hovertemplate="%{customdata} steps: %{y:.1%}<extra></extra>",
    )
    if found.control is not None and found.control.total:
        _add_control(made, found.control, 1 if by == "steps" else found.control_milliseconds)
    if chosen in known:
        made.add_vline(x[chosen], line={"dash": "dot", "width": 1, "color": GREY})
    made.update_yaxes(tickformat=".3~p")
    return made


def _add_control(made: go.Figure, score: Score, x: float) -> None:
    """The control as one point with its interval."""
    low, high = score.interval
    made.add_scatter(
        x=[x],
        y=[score.accuracy],
        error_y={"array": [high - score.accuracy], "arrayminus": [score.accuracy - low]},
        mode="markers",
        marker={"symbol": "diamond", "size": 10},
        name="zero-step control",
        hovertemplate="zero-step control: %{y:.1%}<extra></extra>",
    )


def witness(plane: Plane, step: int, most: float) -> go.Figure:
    """The witness function with the particles and their image on it.

    Args:
        plane: of this step.
        step: its number.
        most: at both ends of the colours, the same for all steps, so that it is seen to fade.
    """
    made = figure("axis 1", "axis 2", f"Witness of MMD(\u03bc, F(\u03bc)) at step {step}")
    made.update_layout(height=480, legend={"orientation": "h", "y": -0.2})
    made.add_heatmap(
        z=plane.values,
        x=plane.x,
        y=plane.y,
        zmin=-most,
        zmax=most,
        colorscale="RdBu_r",
        colorbar={"thickness": 12},
        hovertemplate="%{z:.3g}<extra></extra>",
    )
    for name, points, symbol in (
        ("particles", plane.particles, "circle"),
        ("F(particles)", plane.image, "x"),
    ):
        made.add_scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers",
            name=name,
            marker={
                "size": 9,
                "symbol": symbol,
                "color": "#111111",
                "line": {"width": 1, "color": "#ffffff"},
            },
        )
    made.update_yaxes(scaleanchor="x", constrain="domain", zeroline=False)
    made.update_xaxes(constrain="domain", zeroline=False)
    return made
