"""Draw the contact sheet of completions: sixteen test shapes chosen by a seed, not by anybody.

python tools/draw_completions.py MODELNET_FOLDER [--split test] [--seed 0] [--model NAME]

Each shape stands three times: what is known of it, what the completer makes of that, and the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddeq.evaluation.cases import Case
from ddeq.evaluation.completion import solve
from ddeq.evaluation.object_cases import CUTS, cut_objects
from ddeq.model.checkpoints import load
from ddeq.run.settings import with_defaults
from ddeq.shipped import weights_file
from ddeq.training.datasets.modelnet import load_modelnet

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
GREY, BLUE, GREEN = "#9aa0a6", "#1f6feb", "#2da44e"
ROWS, COLUMNS = 4, 4  # of shapes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=weights_file, default=weights_file("completion-objects"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "completions.png")
    options = parser.parse_args()
    cases, names = chosen(options.folder, options.split, options.seed)
    checkpoint = load(options.model)
    found = solve(checkpoint, cases, with_defaults(checkpoint.card, {})).free
    draw(cases, found, names, options.out)


def chosen(folder: Path, split: str, seed: int) -> tuple[list[Case], list[str]]:
    """Sixteen shapes of a split, the three cuts in turn, and the names of their classes."""
    shapes = load_modelnet(folder).part(split)
    rng = np.random.default_rng(seed)
    picked = sorted(rng.choice(len(shapes), ROWS * COLUMNS, replace=False).tolist())
    cases, _ = cut_objects(shapes.at(picked))
    by_group: dict[int, list[Case]] = {}
    for case in cases:
        by_group.setdefault(case.group, []).append(case)
    taken = [own[k % len(CUTS) % len(own)] for k, own in enumerate(by_group.values())]
    return taken, [shapes.classes[case.label] for case in taken]


def draw(
    cases: Sequence[Case], found: Sequence[np.ndarray], names: Sequence[str], out: Path
) -> None:
    """The sheet: of every case three pictures side by side."""
    figure = plt.figure(figsize=(3 * COLUMNS * 1.25, ROWS * 1.55))
    for k, (case, free, name) in enumerate(zip(cases, found, names, strict=True)):
        views = (
            ((case.known, GREY),),
            ((case.known, GREY), (free, BLUE)),
            ((case.known, GREY), (case.removed, GREEN)),
        )
        for j, clouds in enumerate(views):
            axes = figure.add_subplot(ROWS, 3 * COLUMNS, 3 * k + j + 1, projection="3d")
            picture(axes, case.whole, clouds)
            if j == 1:
                axes.set_title(f"{name.replace('_', ' ')}, {case.cut}", fontsize=8, y=0.94)
    figure.subplots_adjust(0, 0, 1, 0.97, 0, 0.05)
    figure.savefig(out, dpi=110)


def picture(axes: Any, whole: np.ndarray, clouds: Sequence[tuple[np.ndarray, str]]) -> None:
    """Some clouds in the box of the whole one."""
    for points, colour in clouds:
        axes.scatter(*points.T, s=1.2, c=colour, linewidths=0, alpha=0.9)
    middle, half = (whole.max(0) + whole.min(0)) / 2, np.ptp(whole, 0).max() / 2
    for axis, centre in zip("xyz", middle, strict=True):
        getattr(axes, f"set_{axis}lim")(centre - half, centre + half)
    axes.set_box_aspect((1, 1, 1), zoom=1.55)
    axes.view_init(elev=18, azim=-60)
    axes.set_axis_off()


if __name__ == "__main__":
    main()
