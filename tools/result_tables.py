"""Figures of records as the documents show them: numbers, intervals, tables.

Every function takes plain values of a record, see ``ddeq/records.py``, and returns Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

NAMES = {
    "ddeq": "DDEQ",
    "control": "zero-step control",
    "pcn": "PCN-style",
    "pointnet": "PointNet",
    "mirror": "mirror in a vertical plane",
    "neighbour": "nearest neighbour",
    "neighbour-untold": "nearest neighbour, not told the size",
    "copy": "copy the known points",
    "reference": "paper's flow to its end",
}
"""Of methods."""

METRICS = {"mmd2": ("`MMD^2`", 4), "chamfer": ("Chamfer", 3), "emd": ("EMD", 3)}
"""Of completions: what a column is called, and its decimals."""

Row = Mapping[str, Any]


# Numbers


def number(value: float | None, decimals: int = 0) -> str:
    """Such as 1,176,750; nothing for None."""
    return "" if value is None else f"{value:,.{decimals}f}"


def percent(share: float, decimals: int = 2) -> str:
    """Such as 98.03 %, of 0.9803."""
    return f"{100 * share:.{decimals}f} %"


def power(value: float) -> str:
    """Such as 9.6e-4."""
    if value in (0, 1):
        return str(int(value))
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def points(share: float, decimals: int = 1) -> str:
    """A difference of accuracies in percentage points, with its sign."""
    return f"{100 * share:+.{decimals}f}"


def within(interval: Sequence[float], show: Callable[[float], str]) -> str:
    """Such as (97.74 to 98.28 %)."""
    low, high = map(show, interval)
    if high.endswith(" %"):
        low = low.removesuffix(" %")
    return f"{low} to {high}"


def accuracy(found: Row, decimals: int = 2) -> str:
    """With its interval, where there is one."""
    told = percent(found["accuracy"], decimals)
    if "interval" not in found:
        return told
    return f"{told} ({within(found['interval'], lambda x: percent(x, decimals))})"


def mean(found: Row, decimals: int = 4) -> str:
    """With its interval."""
    told = number(found["mean"], decimals)
    return f"{told} ({within(found['interval'], lambda x: number(x, decimals))})"


def overlapping(a: Sequence[float], b: Sequence[float]) -> str:
    """What two intervals do."""
    return "overlap" if a[0] <= b[1] and b[0] <= a[1] else "do not overlap"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in lines)


def origin(record: Row) -> str:
    """Command, and after it what produced the figures."""
    about = record["provenance"]
    told = [f"`{about['command']}`"]
    if about.get("commit"):
        told.append(f"commit `{about['commit'][:10]}`" + (", changed" * bool(about["dirty"])))
    else:
        told.append("commit not recorded")
    told += [f"{name} {version}" for name, version in about.get("versions", {}).items()]
    if "device" in record:
        told.append(record["device"])
    for what, told_as in (("seed", "seed"), ("trainings", "trainings")):
        if what in about:
            shown = about[what]
            listed = ", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)
            told.append(f"{told_as} {listed}")
    if "date" in about:
        told.append(about["date"])
    return ", ".join(told)


def computer(record: Row) -> str:
    """What it was measured on."""
    found = record["provenance"].get("machine")
    if not found:
        return "two CPU cores"
    threads = "one thread" if found["threads"] == 1 else f"{found['threads']} threads"
    device = f"{found['gpu']}, " if record.get("device") == "cuda" and "gpu" in found else ""
    return f"{device}{found['processor']}, {found['cores']} cores, {threads}"


# Classification


def digits_table(ddeq: Row, control: Row) -> str:
    """The digit classifier beside its control."""

    def both(name: str, show: Callable[[float], str]) -> list[str]:
        return [show(row[name]) if name in row else "" for row in (ddeq, control)]

    smallest = f"{ddeq['median_spread']:.2f} ({ddeq['smallest_spread']:.2f})"
    rows = [
        ["test accuracy", *both("accuracy", percent)],
        ["95 % interval", *both("interval", lambda pair: within(pair, percent))],
        ["parameters", *both("parameters", number)],
        ["solver steps, mean", *both("mean_steps", lambda x: number(x, 1))],
        ["relative objective `G / G_0`, median", power(ddeq["median_relative_objective"]), ""],
        ["spread of the particles, median (smallest)", smallest, ""],
    ]
    longer = [
        ("accuracy_5x", "five times the steps: accuracy"),
        ("changed_5x", "five times the steps: classes that change"),
        ("accuracy_other_seed", "another seed of the particles: accuracy"),
        ("agreement_of_seeds", "another seed of the particles: classes that agree"),
    ]
    rows += [[text, percent(ddeq[name]), ""] for name, text in longer if name in ddeq]
    return table(["", NAMES["ddeq"], NAMES["control"]], rows)


def objects_table(upright: Row, turned: Row) -> str:
    """The classifier of objects on shapes as they stand, and turned about the vertical."""

    def both(show: Callable[[Row], str]) -> list[str]:
        return [show(upright), show(turned)]

    rows = [
        ["accuracy (95 % interval)", *both(lambda row: accuracy(row, 1))],
        ["mean of the classes' accuracies", *both(lambda row: percent(row["class_accuracy"], 1))],
        ["solver steps, mean", *both(lambda row: number(row["mean_steps"], 1))],
        ["`G / G_0`, median", *both(lambda row: power(row["median_relative_objective"]))],
        ["distinct particles, median", *both(lambda row: number(row["median_distinct"]))],
        [
            "five times the steps: classes that change",
            *both(lambda row: percent(row["changed_5x"])),
        ],
    ]
    return table(["", "as they stand", "turned"], rows)


def models_table(models: Mapping[str, Row]) -> str:
    """Classifiers side by side, of ``evaluate modelnet``, and what each training of them took."""
    rows = []
    for name, row in models.items():
        each = [training["accuracy"] for training in row.get("trainings", {}).values()]
        effort = row.get("training", {})
        rows.append(
            [
                NAMES.get(name, name),
                number(row["parameters"]),
                number(effort["batches"]) if "batches" in effort else "",
                number(effort["seconds"] / 60, 1) if "seconds" in effort else "",
                accuracy(row, 1),
                ", ".join(f"{100 * one:.1f}" for one in each) if len(each) > 1 else "",
                percent(row["class_accuracy"], 1) if "class_accuracy" in row else "",
            ]
        )
    head = ["", "parameters", "batches", "minutes", "accuracy (95 % interval)"]
    head += ["of each training, %", "mean of classes"]
    return _without_empty(head, rows)


def conditions_table(row: Row) -> str:
    """Of ``evaluate objects``: models as they stand, turned about the vertical, and as scans."""
    conditions = row["conditions"]
    shown = [accuracy(found, 1) for found in (row, conditions["turned"], conditions["scanned"])]
    return table(["as they stand", "turned", "scans"], [shown])


def classes_table(row: Row) -> str:
    """Of ``evaluate objects``: how many of each class are right, when samplings vote."""
    classes = row["classes"]
    shown = [f"{found['correct']} of {found['total']}" for found in classes.values()]
    return table([*classes], [shown])


def robustness_table(row: Row) -> str:
    """Of ``evaluate robustness``: each condition, and what is lost in it."""
    rows = []
    for number_, (name, found) in enumerate(row["conditions"].items()):
        loss, show = found["loss"], lambda x: number(100 * x, 1)
        lost = f"{show(loss['mean'])} ({within(loss['interval'], show)})" if number_ else ""
        rows.append([name, accuracy(found, 1), lost])
    return table(["", "accuracy (95 % interval)", "points lost (95 % interval)"], rows)


def upright_table(row: Row) -> str:
    """Of ``evaluate upright``: accuracy as files come, and with the axis that is found."""
    rows = [
        [name, accuracy(row[name]["as_it_comes"], 1), accuracy(row[name]["chosen"], 1)]
        for name in ("upright", "any of six axes up")
    ]
    return table(["", "as they come", "with the axis found"], rows)


def strangers_table(row: Row) -> str:
    """Of ``evaluate known``: how well each kind of strangers is told from test inputs."""
    rows = [
        [kind, number(found["count"]), number(found["area"], 2), percent(found["told"], 0)]
        for kind, found in row["strangers"].items()
    ]
    return table(["", "inputs", "area under the ROC curve", "told to be unlike"], rows)


def accuracy_differences(differences: Mapping[str, Row]) -> str:
    """Of accuracies, in percentage points."""
    rows = []
    for name, found in differences.items():
        shown = f"{points(found['mean'])} ({within(found['interval'], points)})"
        rows.append([NAMES.get(name, name), shown])
    return table(["DDEQ minus", "points (95 % interval)"], rows)


def accuracy_steps(steps: Mapping[str, float]) -> str:
    """Accuracy after so many steps of the same weights."""
    rows = [[count, percent(share, 1)] for count, share in steps.items()]
    return table(["steps", "accuracy"], rows)


# Completion


def completion_table(methods: Mapping[str, Row]) -> str:
    """Methods by the metrics of the whole clouds and of the missing parts."""
    columns = [(region, metric) for region in ("whole", "missing") for metric in METRICS]
    head = [
        f"{region}: {METRICS[metric][0]}" if metric == "mmd2" else METRICS[metric][0]
        for region, metric in columns
    ]
    rows = []
    for name, row in methods.items():
        cells = [
            mean(row[region][metric], METRICS[metric][1]) if metric in row.get(region, {}) else ""
            for region, metric in columns
        ]
        f_score = row["whole"].get("f_score")
        cells.insert(len(METRICS), number(f_score["mean"], 2) if f_score else "")
        rows.append([NAMES.get(name, name), number(row["parameters"]), *cells])
    head.insert(len(METRICS), "F-score at 1 %")
    return _without_empty(["", "parameters", *head], rows)


def completion_differences(differences: Mapping[str, Row]) -> str:
    """Case by case: below 0, the DDEQ is nearer to the truth."""
    columns = [(region, metric) for region in ("whole", "missing") for metric in ("mmd2", "emd")]
    rows = [
        [
            NAMES.get(name, name),
            *(
                mean(found[region][metric], 5 if metric == "mmd2" else 4) if region in found else ""
                for region, metric in columns
            ),
        ]
        for name, found in differences.items()
    ]
    head = [f"{region}: {METRICS[metric][0]}" for region, metric in columns]
    return table(["DDEQ minus", *head], rows)


def recognition_row(found: Row) -> str:
    """How often the classifier is right on parts, on what they were completed to, on the whole."""
    names = ("known", "completed", "whole")
    shown = [f"{percent(found[n]['mean'], 1)} ({within_percent(found[n])})" for n in names]
    return table(["as cut", "completed", "whole"], [shown])


def within_percent(found: Row) -> str:
    """An interval of shares."""
    low, high = found["interval"]
    return f"{100 * low:.1f} to {percent(high, 1)}"


def completion_steps(steps: Mapping[str, Row]) -> str:
    """Errors after so many steps of the same weights."""
    rows = [
        [
            count,
            number(found["whole"]["mmd2"]["mean"], 4),
            number(found["whole"]["emd"]["mean"], 3),
            power(found["median_relative_objective"]),
            number(found["median_spread"], 1),
        ]
        for count, found in steps.items()
    ]
    head = ["steps", "whole: `MMD^2`", "whole: EMD", "`G / G_0`, median", "spread"]
    return table(head, rows)


# Solvers


def solvers_table(record: Row) -> str:
    """Solvers beside the paper's flow run until it rests."""
    rows = []
    for name, row in record["solvers"].items():
        fewer = row["times_fewer"]
        arrived = row["evaluations"] is not None
        rows.append(
            [
                NAMES.get(name, name),
                "yes" if row["gradient"] else "no",
                percent(row["arrived"], 0),
                number(row["evaluations"]) if arrived else "more",
                number(fewer, 1) if arrived else "",
                f"{row['seconds']:.1f} s",
                power(row["relative_objective"]),
                f"{row['spread']:.2f} ({row['smallest_spread']:.2f})",
                percent(row["same_class"], 1),
                distance(row),
            ]
        )
    head = ["solver", "gradient", "arrived", "evaluations", "times fewer", "time", "`G / G_0`"]
    return table([*head, "spread", "same class", "W2"], rows)


def distance(found: Row) -> str:
    """How far ends are apart: W2, median and 90 % quantile."""
    return f"{found['wasserstein']:.2f} ({found['wasserstein_90']:.2f})"


# Speed


def speed_table(record: Row) -> str:
    """Of ``bench digits``."""
    rows = []
    for model, name in (("paper", "paper, 32 heads"), ("shipped", "shipped, 8 heads")):
        for row in record["digits"][model].values():
            rows.append(
                [
                    name,
                    f"{row['batch']} x {row['particles']:,}",
                    f"{row['ms_per_step']:,.1f} ms",
                    f"{row['ms_per_step_naive']:,.1f} ms",
                    f"{row['ratio']:.1f}",
                    f"{row['ms_to_first_step']:.0f} ms",
                    percent(row["matmul_share"], 0),
                ]
            )
    head = ["configuration", "size", "flow", "naive", "ratio", "to the first step", "share"]
    return table(head, rows)


def growth_table(record: Row) -> str:
    """Of ``bench growth``."""
    rows = []
    for size, row in record["growth"]["sizes"].items():
        exact, sliced = row["exact"], row["sliced"]
        rows.append(
            [
                number(int(size)),
                *(f"{kind['ms_per_step']:,.0f} ms" for kind in (exact, sliced)),
                *(f"{kind['ms_discrepancy']:,.1f} ms" for kind in (exact, sliced)),
                *(f"{kind['peak_mb']:,.0f} MB" for kind in (exact, sliced)),
            ]
        )
    head = ["free particles", "exact", "sliced", "MMD exact", "MMD sliced"]
    return table([*head, "memory exact", "memory sliced"], rows)


def player_table(record: Row) -> str:
    """Of ``python -m ddeq.view.player.bench``."""
    texts = {
        "fps_2048": ("frames a second, 2,048 particles", "{:.1f}"),
        "fps_20000": ("frames a second, 20,000 particles", "{:.1f}"),
        "bytes_per_particle_step": (
            "bytes sent per particle and step (3 floats are 12)",
            "{:.2f}",
        ),
        "first_frame_ms": ("ms from solve finished to first frame, 2,048 x 100", "{:.0f}"),
        "longest_scrub_ms": ("longest scrub in ms, 2,048 particles, 200 steps", "{:.0f}"),
        "heap_growth": ("growth of the JavaScript heap over 20 solves", "{:+.1%}"),
    }
    rows = [
        [text, *(style.format(record[who][key]) for who in ("plotly", "player"))]
        for key, (text, style) in texts.items()
    ]
    return table(["", "Plotly 3-D frames", "the player"], rows)


def _without_empty(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Leaves out columns in which no row says anything."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return table([head[i] for i in kept], [[row[i] for i in kept] for row in rows])


# The README's one table


def headline(rows: Sequence[Sequence[str]]) -> str:
    """Tasks with the DDEQ, its control, and the best of the others."""
    return table(["", "measure", NAMES["ddeq"], NAMES["control"], "best other method"], rows)


def accuracy_row(task: str, methods: Mapping[str, Row]) -> list[str]:
    """A row of :func:`headline`; the others are all but ``ddeq`` and ``control``."""
    return _compared(
        task, "accuracy", methods, lambda row: accuracy(row, 1), lambda row: row["accuracy"]
    )


def emd_row(task: str, methods: Mapping[str, Row]) -> list[str]:
    """Likewise, of completions: the EMD of the whole clouds, lower is better."""
    return _compared(
        task,
        "EMD, lower is better",
        methods,
        lambda row: mean(row["whole"]["emd"], 3),
        lambda row: -row["whole"]["emd"]["mean"],
    )


def _compared(
    task: str,
    measure: str,
    methods: Mapping[str, Row],
    show: Callable[[Row], str],
    rank: Callable[[Row], float],
) -> list[str]:
    others = {name: row for name, row in methods.items() if name not in ("ddeq", "control")}
    cells = [show(methods[name]) if name in methods else "" for name in ("ddeq", "control")]
    best = max(others, key=lambda name: rank(others[name]), default=None)
    return [task, measure, *cells, f"{NAMES.get(best, best)}: {show(others[best])}" if best else ""]


# Load


def load_table(records: Sequence[Row]) -> str:
    """Many sessions at once, a row an engine; seconds are medians and what 95 % stay below."""
    head = (
        "engine", "solves", "lost", "mixed up", "first frame", "end", "solves a second", "at once"
    )  # fmt: skip
    rows = []
    for record in records:
        load = record["load"]
        times = [
            f"{number(spread['median'], 1)} s, 95 % {number(spread['percentile_95'], 1)} s"
            for spread in (load["seconds"]["first_frame"], load["seconds"]["end"])
        ]
        cells = [load["engine"], load["solves"], load["lost"], load["mixed_up"], *times]
        rows.append([*map(str, cells), number(load["solves_per_second"], 2), str(load["at_once"])])
    return table(head, rows)
