"""Section *Phase diagram*: where a solver arrives over a grid of two of its settings."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ddeq.errors import UserError
from ddeq.lab import snippet
from ddeq.lab.phase import MOST_CELLS, Axis, Grid, Sweep, axis, fields, map_csv
from ddeq.run.settings import RunSettings
from ddeq.settings import Setting
from ddeq.view.glossary import say
from ddeq.view.lab.bench import Bench, remembered
from ddeq.view.lab.charts import SHOWN, cell_text, draw, phase, selected_points
from ddeq.view.lab.job import Experiment, Job
from ddeq.view.lab.takeaway import take_home
from ddeq.view.lab.words import phase_sentence
from ddeq.view.session import Name
from ddeq.view.watch import watch
from ddeq.view.words import outcome_sentence, verbatim

FAVOURITES = ("step_size", "damping", "momentum", "r", "window")  # first choices for axes
CELL = "cell"  # key of the field that chooses one
SWEEP = Experiment(
    Name.SWEEP, "Compute the diagram", ":material/grid_on:", "computed", "Solving the cells"
)


def forms(bench: Bench) -> Grid | None:
    """The grid, or None while what is chosen makes no sense, which is explained."""
    with st.expander("Solver settings", icon=":material/tune:"):
        base = bench.form("p-", solver="momentum", steps=60)
    known = fields(base)
    names = sorted(known, key=lambda n: FAVOURITES.index(n) if n in FAVOURITES else 99)
    try:
        x = _axis("Across", "x", known, names, 0)
        y = _axis("Upwards", "y", known, names, 1)
        return Grid(base, x, y)
    except UserError as error:
        st.error(verbatim(str(error)))
        return None


def _axis(title: str, which: str, known: dict[str, Setting], names: list[str], at: int) -> Axis:
    # Fields whose default depends on the setting are fields of their own for each.
    name = st.selectbox(
        title,
        names,
        at,
        format_func=lambda n: n.replace("_", " "),
        key=f"{which}-axis-{'-'.join(sorted(names))}",
    )
    field = known[name]
    low, high, count = st.columns(3)
    whole = isinstance(field.default, int)
    kind = int if whole else float
    ends = _ends(field)
    values = [
        place.number_input(
            label,
            min_value=kind(field.low),
            max_value=kind(field.high),
            value=kind(end),
            format="%d" if whole else "%g",
            key=f"{which}-{label.lower()}-{name}",
            bind="query-params",
        )
        for place, label, end in zip((low, high), ("From", "To"), ends, strict=True)
    ]
    cells = count.number_input(
        "Values", 2, MOST_CELLS, 8, key=f"{which}-values", bind="query-params"
    )
    low_end, high_end = values
    return axis(field, low_end, high_end, cells)


def _ends(field: Setting) -> tuple[float, float]:
    """A range to begin with: all of it for shares, else some factors around the default."""
    if field.high <= 1 or not field.default:
        return field.low, min(field.high, field.low + 1)
    low = max(field.low, field.default / 8) if isinstance(field.default, float) else field.low
    return low, min(field.high, 4 * field.default)


def show(bench: Bench, grid: Grid | None) -> None:
    """A button, then the last diagram and the run of a cell of it."""

    def begin() -> Sweep:
        st.session_state.pop(CELL, None)
        if grid is None:
            raise ValueError("there is no grid to compute")
        return Sweep(bench.checkpoint, bench.points, grid, bench.device)

    job = SWEEP.ask(None if grid is None else (bench.key, grid), (bench, grid), begin)
    if job is None:
        if grid is not None:
            cells = grid.shape[0] * grid.shape[1]
            st.info(f"{cells} runs of one input, in batches; each cell can be watched afterwards.")
        return
    what = st.segmented_control(
        "Show", list(SHOWN), default="Objective", required=True, key="shown", bind="query-params"
    )
    SWEEP.show(job, partial(_show, what=what))


def _show(job: Job, what: str) -> None:
    bench, grid = job.request
    found, labels = job.latest, bench.checkpoint.card["labels"]
    if not job.done:
        draw(phase(grid, found, what, labels, None), "phase", passing=True)
        return
    cells = grid.shape[0] * grid.shape[1]
    say(phase_sentence(grid, found))
    draw(
        phase(grid, found, what, labels, st.session_state.get(CELL)),
        "phase",
        on_select=partial(_clicked, cells),
        selection_mode="points",
    )
    cell = st.selectbox(
        "Watch a cell: click on it, or choose it here",
        range(cells),
        None,
        format_func=lambda k: cell_text(grid, found, k // grid.shape[1], k % grid.shape[1], labels),
        key=CELL,
        placeholder="No cell chosen",
    )
    if cell is not None:
        _watch(bench, grid.settings(*divmod(cell, grid.shape[1])))
    take_home(
        bench,
        {"ddeq-phase.csv": partial(map_csv, grid, found, tuple(labels))},
        lambda: [phase(grid, found, name, labels, None) for name in SHOWN],
        "phase",
        snippet.sweep(bench.family, bench.cloud, grid.base, grid.x, grid.y),
    )


def _clicked(cells: int) -> None:
    points = selected_points("phase")
    inside = [p["point_index"] for p in points if 0 <= p.get("point_index", -1) < cells]
    if inside:
        st.session_state[CELL] = inside[-1]


def _watch(bench: Bench, settings: RunSettings) -> None:
    live = remembered(
        "cell",
        (bench.key, settings),
        lambda: bench.live(bench.run(settings), bench.cloud.name, bench.view(settings)),
    )
    watch(
        [live],
        "phase",
        lambda: say(outcome_sentence(live.run.outcome, bench.answer)),
    )
