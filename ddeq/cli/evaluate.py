"""How good models are on many clouds, and how much of that is their equilibrium's."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ddeq.cli import completion_objects, gradients, known, modelnet, robustness, upright
from ddeq.cli.compared import COMPLETERS, add_steps_table, compared
from ddeq.cli.parser import Parser, add_common, save_file, whole
from ddeq.cli.recording import add_card, add_record, recorded
from ddeq.cli.solving import add_run, load_kind, said, settings
from ddeq.evaluation import completion, objects, solvers
from ddeq.evaluation.classification import load_digits, predict, report, stability
from ddeq.evaluation.digit_cases import copy_neighbour, cut_digits
from ddeq.evaluation.figure import curves_svg
from ddeq.evaluation.neighbours import Neighbours
from ddeq.input.labelled import Labelled
from ddeq.input.partial import DIGIT_HOLE_RADIUS, DIGIT_HOLES
from ddeq.model.base import Model
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file
from ddeq.training.datasets.mnist import load_mnist
from ddeq.training.datasets.objects import ObjectClouds, load_furniture
from ddeq.training.datasets.sources import CACHE

VALIDATION = 5000  # digits held out of MNIST's train set, where no card says


Task = Callable[[argparse.Namespace], dict[str, Any]]


MNIST = ("MNIST_FOLDER", "with MNIST's IDX files")
FURNITURE = ("FURNITURE_FOLDER", "with the unpacked package sweethome3d-furniture")


def add_options(parser: Parser) -> None:
    """The options of all tasks."""
    tasks = parser.add_subparsers(required=True, metavar="TASK")

    def add(name: str, run: Task, data: tuple[str, str], model: str) -> Parser:
        task = tasks.add_parser(name, help=run.__doc__, description=run.__doc__)
        folder, what = data
        task.add_argument("--data", type=Path, required=True, metavar=folder, help=what)
        task.add_argument("--split", choices=["test", "validation"], default="test")
        add_record(task)
        add_common(task)
        add_run(task)
        task.set_defaults(run=recorded(run), folder=folder, model=weights_file(model))
        return task

    _add_digits(add("digits", evaluate_digits, MNIST, "digits"))
    name = "completion-digits"
    _add_completion_digits(add(name, evaluate_completion_digits, MNIST, name))
    _add_solvers(add("solvers", evaluate_solvers, MNIST, "digits"))
    _add_objects(add("objects", evaluate_objects, FURNITURE, "objects"))

    completion_objects.add_task(tasks)
    modelnet.add_task(tasks)
    gradients.add_task(tasks)
    known.add_task(tasks)
    robustness.add_task(tasks)
    upright.add_task(tasks)


def _add_digits(task: Parser) -> None:
    add_card(task)
    task.add_argument("--limit", type=whole(1), help="only the first so many digits")
    task.add_argument(
        "--stability", action="store_true", help="also solve 5x longer and from another seed"
    )


def _add_completion_digits(task: Parser) -> None:
    add_card(task)
    _add_limit(task, 2000)
    add_steps_table(task)
    task.add_argument(
        "--neighbours",
        type=whole(0),
        default=5000,
        help="copy from the first so many training digits (default: %(default)s; 0: not at all)",
    )


def _add_solvers(task: Parser) -> None:
    _add_limit(task, 200)
    task.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw the solvers' curves as an SVG"
    )


def _add_objects(task: Parser) -> None:
    add_card(task, "furniture")
    task.add_argument(
        "--samplings", type=whole(1), default=5, help="of each object (default: %(default)s)"
    )
    task.add_argument("--points", type=whole(3), help="of each sampling; default: the card's")


def _add_limit(task: Parser, usual: int) -> None:
    task.add_argument(
        "--limit",
        type=whole(1),
        default=usual,
        help="only the first so many digits (default: %(default)s)",
    )


def evaluate_digits(options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy and equilibrium of a digit classifier."""
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    chosen = settings(checkpoint, options)
    data = _digits(options, checkpoint)
    result = predict(checkpoint, data, chosen, device)
    found = {"split": options.split, **report(checkpoint, data, result)}
    if options.stability:
        found |= stability(checkpoint, data, chosen, result, device)
    return found | {"settings": chosen.to_dict(), "device": str(device)}


def _digits(options: argparse.Namespace, checkpoint: Checkpoint[Model]) -> Labelled:
    """The first digits of the split that was asked for."""
    split: Literal["train", "test"] = "train" if options.split == "validation" else "test"
    data = load_digits(options.data, split, checkpoint.card)
    held_out = checkpoint.card["validation"] if options.split == "validation" else len(data.labels)
    clouds, labels = data.clouds[-held_out:], data.labels[-held_out:]
    return replace(data, clouds=clouds[: options.limit], labels=labels[: options.limit])


def evaluate_completion_digits(options: argparse.Namespace) -> dict[str, Any]:
    """A digit completer, its control and PCN beside it, and two methods that learn nothing."""
    device = pick_device(options.device)
    train = load_mnist(options.data, "train").images
    images = load_mnist(options.data, "test").images
    models = compared(COMPLETERS, options, device)
    ddeq = next(iter(models.get("ddeq", {}).values()), None)
    if options.split == "validation":
        held_out = ddeq.card["validation"] if ddeq else VALIDATION
        train, images = train[:-held_out], train[-held_out:]
    total = ddeq.model.config.total if ddeq else 1.275
    cases, skipped = cut_digits(images[: options.limit], total)
    unlearned = {}
    if options.neighbours:
        neighbours = Neighbours(train[: options.neighbours])
        unlearned["neighbour"] = partial(copy_neighbour, neighbours=neighbours)
    table = completion.compare(cases, models, unlearned, said(options), device, options.steps_table)
    about = {
        "skipped": skipped,
        "holes": DIGIT_HOLES,
        "radius": DIGIT_HOLE_RADIUS,
        "neighbours": options.neighbours,
    }
    return {"split": options.split, **about, **table, "device": str(device)}


def evaluate_objects(options: argparse.Namespace) -> dict[str, Any]:
    """Accuracy of the classifier of objects on furniture, another source than it learned from."""
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    furniture = _furniture(options.data).part(options.split)
    answers = objects.answers_of(furniture)
    draws = objects.Draws(options.points or checkpoint.card["points"], options.samplings)
    chosen = settings(checkpoint, options)
    found = objects.judge(checkpoint, furniture, answers, chosen, draws, device)
    return {"split": options.split, **found, "device": str(device)}


def evaluate_solvers(options: argparse.Namespace) -> dict[str, Any]:
    """Solvers beside the paper's flow run until it rests, on the digit classifier."""
    device = pick_device(options.device)
    checkpoint = load_kind(options.model, "classifier", device)
    data = _digits(options, checkpoint)
    chosen = settings(checkpoint, options)
    name = str(chosen.to_dict()["solver"])
    candidates = {name: chosen} if said(options) else solvers.CANDIDATES
    found = solvers.compare(checkpoint, data, candidates, device)
    if options.figure:
        curves = {name: row["curve"] for name, row in found["solvers"].items()}
        picture = curves_svg(curves, "network evaluations", "G / G_0, median")
        save_file(options.figure, picture.encode())
    return {"split": options.split, **found, "device": str(device)}


def _furniture(folder: Path) -> ObjectClouds:
    return load_furniture(folder, folder / CACHE)
