"""The task ``evaluate modelnet``: classifiers of ModelNet shapes, alone or side by side."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from ddeq.cli.parser import Parser, add_common, save_file, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import add_run, said
from ddeq.errors import UserError
from ddeq.evaluation.modelnet import Question, drawn, judge, prepared
from ddeq.evaluation.samplings import PLAIN
from ddeq.evaluation.trainings import accuracy_svg, compare
from ddeq.model.checkpoints import load
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.solve.solvers import SOLVERS
from ddeq.training.datasets.modelnet import load_modelnet
from ddeq.training.datasets.sources import folder_of

POINTS = 1024


def add_task(tasks: argparse._SubParsersAction[Parser]) -> None:
    """The task among the others of ``evaluate``."""
    task = tasks.add_parser("modelnet", help=run.__doc__, description=run.__doc__)
    add_data(task)
    task.add_argument(
        "--runs", type=Path, help="folder of training runs NAME-SEED; default: the shipped model"
    )
    task.add_argument(
        "--points", type=whole(3), default=POINTS, help="of a shape (default: %(default)s)"
    )
    task.add_argument("--yaw", action="store_true", help="turn each shape about z, by any angle")
    task.add_argument("--limit", type=whole(1), help="only so many shapes, from the whole split")
    task.add_argument("--steps-table", action="store_true", help="also with 0, 1, 2, 4, ... steps")
    task.add_argument("--flow", choices=SOLVERS, help="also solve by this gradient flow")
    task.add_argument(
        "--flow-steps", type=whole(1), default=150, help="of that flow (default: %(default)s)"
    )
    task.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw accuracy against parameters as an SVG"
    )
    add_card(task)
    add_record(task)
    add_common(task)
    add_run(task)
    task.set_defaults(run=recorded(run), model=weights_file("objects"))


def add_data_of_model(task: Parser) -> None:
    """Where the data are that a classifier, of objects or of digits, is asked about."""
    task.add_argument(
        "--data",
        type=Path,
        metavar="DATA_FOLDER",
        help="with ModelNet40, or with MNIST's IDX files where the model is of digits",
    )


def add_data(task: Parser) -> None:
    """The options of every task on ModelNet's shapes: where they are, and which."""
    folder = "MODELNET_FOLDER"
    task.add_argument(
        "--data", type=Path, metavar=folder, help="with ModelNet40; default: DDEQ_MODELNET"
    )
    task.add_argument("--split", choices=["test", "validation"], default="test")
    task.set_defaults(folder=folder)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy and equilibrium of a classifier of ModelNet shapes, or of all training runs."""
    if options.figure and options.runs is None:
        raise UserError("A figure compares training runs, so give --runs, too.")
    device = pick_device(options.device)
    named = said(options)
    flow = None
    if options.flow is not None:
        flow = {**named, "solver": options.flow, "steps": options.flow_steps}
    question = Question(named, options.steps_table, flow, device)
    found = load_modelnet(folder_of("modelnet", options.data))
    clouds = drawn(found.part(options.split), options.limit)
    shapes = prepared(clouds, options.points, "turned" if options.yaw else PLAIN)
    about = {"split": options.split, "points": options.points, "yaw": options.yaw}
    about |= {"notes": list(found.notes), "device": str(device)}
    if options.runs is None:
        checkpoint = load(options.model, device)
        row = judge(checkpoint, shapes, question).row
        return {"model": checkpoint.card["name"], **about, **row}
    table = compare(_runs(options.runs), shapes, question)
    if options.figure:
        save_file(options.figure, accuracy_svg(table["models"]).encode())
    return about | table


def _runs(folder: Path) -> dict[str, dict[str, Path]]:
    """Weights of the runs ``NAME-SEED`` in a folder, by name; those that have none are named."""
    found: dict[str, dict[str, Path]] = {}
    for one in sorted(folder.glob("*/")):
        if not (parts := re.fullmatch(r"(.+)-\d+", one.name)):
            continue
        name = parts[1]
        if (weights := one / f"{name}.safetensors").is_file():
            found.setdefault(name, {})[one.name] = weights
        else:
            print(f"Without {one.name}: it has no {weights.name} yet.", file=sys.stderr)
    if not found:
        raise UserError(
            f"'{folder}' holds no runs such as modelnet-200k-0 with their weights, so give the "
            "folder into which models were trained."
        )
    return found
