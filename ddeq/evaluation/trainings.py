"""Several models side by side, each trained several times, all asked about the same shapes.

Another training of a network is another draw, and so is another shape: intervals count both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ddeq.evaluation.figure import shares_svg
from ddeq.evaluation.modelnet import Judged, Question, Shapes, judge
from ddeq.metrics.intervals import crossed_interval
from ddeq.model.checkpoints import load

CONTROL = "-control"
"""What the name of a DDEQ's control adds to the DDEQ's."""


@dataclass(frozen=True, eq=False)
class Model:
    """What the trainings of one model say.

    Attributes:
        kind: ``ddeq``, ``control``, or the kind of a network that solves nothing.
        trainings: by name.
    """

    kind: str
    trainings: Mapping[str, Judged]

    @property
    def right(self) -> np.ndarray:
        """Which of ``K`` shapes each of ``T`` trainings has right, ``(T, K)``."""
        return np.stack([one.right for one in self.trainings.values()]).astype(float)

    def row(self) -> dict:
        """Means over the trainings, counts together, and each training for itself."""
        rows = {name: one.row for name, one in self.trainings.items()}
        found = {"kind": self.kind, **_mean([*rows.values()])}
        for count in ("correct", "total"):
            found[count] = sum(row[count] for row in rows.values())
        if len(rows) > 1:
            found["interval"] = list(crossed_interval(self.right))
        return found | {"trainings": rows}


def compare(models: Mapping[str, Mapping[str, Path]], shapes: Shapes, question: Question) -> dict:
    """The table of all models.

    Args:
        models: weights by name, then by training. A DDEQ whose name ends in :data:`CONTROL` is the
            control of the one without.
        shapes: to classify.
        question: to ask of each; a control is asked neither for a flow nor for other settings.

    Returns:
        Plain values, for JSON: ``models`` by name, and ``differences`` of each DDEQ to its control
        and to the networks that solve nothing.

    Raises:
        UserError: weights cannot be read, or know other classes.
    """
    found = {}
    with tqdm(total=sum(map(len, models.values())), unit="model") as bar:
        for name, trainings in models.items():
            each = {}
            for training, path in trainings.items():
                bar.set_postfix_str(training)
                kind, each[training] = _asked(path, name, shapes, question)
                bar.update()
            found[name] = Model(kind, each)
    return {
        "models": {name: model.row() for name, model in found.items()},
        "differences": {
            name: _differences(name, found) for name, model in found.items() if model.kind == "ddeq"
        },
    }


def _asked(path: Path, name: str, shapes: Shapes, question: Question) -> tuple[str, Judged]:
    """The kind of a model, and what it says. It is loaded for that alone: runs may be many."""
    checkpoint = load(path, question.device)
    if not checkpoint.model.solves:
        kind = checkpoint.card["kind"]
    elif name.endswith(CONTROL):
        kind, question = "control", replace(question, said={}, flow=None)
    else:
        kind = "ddeq"
    return kind, judge(checkpoint, shapes, question)


def _mean(rows: Sequence[dict]) -> dict:
    """Of the numbers that all rows have, those in tables within them, too."""
    found = {}
    for name, first in rows[0].items():
        values = [row[name] for row in rows if name in row]
        if len(values) < len(rows):
            continue
        if all(value == first for value in values):
            found[name] = first
        elif isinstance(first, dict):
            found[name] = _mean(values)
        else:
            found[name] = np.mean(values, axis=0).tolist()
    return found


def _differences(name: str, models: Mapping[str, Model]) -> dict:
    """Shape by shape, of a DDEQ to others: above 0, the DDEQ has more right."""
    right = models[name].right  # (T, K)
    table = {}
    for other, model in models.items():
        if model.kind not in ("ddeq", "control") or other == name + CONTROL:
            theirs = model.right
            table[other] = {
                "mean": float(right.mean() - theirs.mean()),
                "interval": list(crossed_interval(right, theirs)),
            }
    return table


def accuracy_svg(models: Mapping[str, Mapping]) -> str:
    """A picture of accuracy against parameters, from the ``models`` of :func:`compare`.

    DDEQs of all sizes are one curve, their controls another, and every other network has its own
    point; bars are the intervals.
    """
    curves = defaultdict(list)
    for name, row in sorted(models.items(), key=lambda named: named[1]["parameters"]):
        point = (row["parameters"], row["accuracy"], *row["interval"])
        curves[_SERIES.get(row["kind"], name)].append(point)
    return shares_svg(curves, "parameters", "accuracy")


_SERIES = {"ddeq": "DDEQ", "control": "control: F once"}
