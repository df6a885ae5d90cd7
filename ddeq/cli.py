"""The command line: classify, complete, train, evaluate, bench, info.

Results go to stdout, with ``--json`` as exactly one JSON object; progress goes to stderr. What the
user gave wrong is one sentence on stderr and exit status 2.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch

from ddeq.bench import bench
from ddeq.checkpoints import ASSETS, Checkpoint, load, save
from ddeq.clouds import PointCloud, flatten, read_cloud
from ddeq.completion import CompleterRun, Hollow, hollow, without_truth
from ddeq.datasets.mnist import load_mnist
from ddeq.datasets.sources import SOURCES
from ddeq.errors import UserError
from ddeq.evaluation import solvers
from ddeq.evaluation.classification import Labelled, load_digits, predict, report, stability
from ddeq.evaluation.completion import compare
from ddeq.evaluation.figure import curves_svg
from ddeq.formats.writers import WRITERS, writer_for
from ddeq.images import SUFFIXES as IMAGE_SUFFIXES
from ddeq.images import image_to_cloud
from ddeq.kernels import KERNELS
from ddeq.model import parameter_count
from ddeq.partial import DIGIT_HOLE_RADIUS, outside_sphere, random_holes
from ddeq.preprocess import standardise
from ddeq.recipes import load_recipe
from ddeq.run import ClassifierRun, Limits, RunSettings, pick_device, prepare, with_defaults
from ddeq.settings import settings_of
from ddeq.solvers import SOLVERS
from ddeq.tasks import classification
from ddeq.training import TASKS as LEARNED
from ddeq.training import train

DIGITS = ASSETS / "digits.safetensors"
COMPLETION_DIGITS = ASSETS / "completion-digits.safetensors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = _parser().parse_args(arguments)
        result = options.command(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print(json.dumps(result) if options.json else _readable(result))
    return 0


def classify(options: argparse.Namespace) -> dict:
    """Classify one cloud or image of a digit."""
    device = pick_device(options.device)
    checkpoint = _load(options.model or DIGITS, "classifier", device)
    settings = _settings(checkpoint, options)
    run = ClassifierRun(checkpoint, prepare(_read(options.file), checkpoint.card), settings, device)
    for _ in run:
        pass
    return run.outcome.to_dict()


def complete(options: argparse.Namespace) -> dict:
    """Complete a cloud or image of a digit; holes are cut into it first, where some are given."""
    write = writer_for(options.out.name)
    device = pick_device(options.device)
    checkpoint = _load(options.model or COMPLETION_DIGITS, "completer", device)
    settings = _settings(checkpoint, options)
    cloud = _read(options.file)
    run = CompleterRun(
        checkpoint, _cut(cloud, options, settings.limits.seed), settings, device, free=options.free
    )
    for _ in run:
        pass
    completed = run.completed
    known = np.arange(len(completed)) < len(run.hollow.known)
    _save(options.out, write(completed, known))
    return run.outcome.to_dict()


def _cut(cloud: PointCloud, options: argparse.Namespace, seed: int) -> Hollow:
    """The cloud with the holes that were asked for; without any it is partial as it is."""
    if not options.hole and not options.holes:
        return without_truth(cloud)
    points = flatten(cloud).points
    keep = np.ones(len(points), bool)
    for x, y, radius in options.hole or ():
        keep &= outside_sphere(points, np.array([x, y]), radius)
    if options.holes:
        unit, rng = standardise(points).points, np.random.default_rng(seed)
        keep &= random_holes(unit, min(options.holes, len(points)), options.radius, rng)
    return hollow(cloud, keep)


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"'{path}' cannot be written ({error.strerror}), so give another --out."
        ) from error


def train_recipe(options: argparse.Namespace) -> dict:
    """Train by a recipe; the weights and their card land in the folder of the run."""
    recipe = load_recipe(options.recipe, options.set)
    labelled = LEARNED[recipe.kind] is classification
    clouds, held_out = SOURCES[recipe.data].load(options.data, recipe.validation, labelled)
    device = pick_device(options.device)
    model = train(
        recipe,
        clouds,
        options.out,
        held_out=held_out,
        resume=options.resume,
        until=options.until,
        device=device,
    )
    weights = options.out / f"{recipe.name}.safetensors"
    save(model, recipe.card, weights)
    return {"weights": str(weights), "parameters": parameter_count(model)}


def evaluate(options: argparse.Namespace) -> dict:
    """Digit models on MNIST: accuracy, completions, or solvers, and what equilibria add."""
    return TASKS[options.task](options)


def evaluate_digits(options: argparse.Namespace) -> dict:
    """Accuracy and equilibrium of a digit classifier."""
    device = pick_device(options.device)
    checkpoint = _load(options.model or DIGITS, "classifier", device)
    settings = _settings(checkpoint, options)
    data = _digits(options, checkpoint, options.limit)
    result = predict(checkpoint, data, settings, device)
    found = {"split": options.split, **report(checkpoint, data, result)}
    if options.stability:
        found |= stability(checkpoint, data, settings, result, device)
    return found | {"settings": settings.to_dict(), "device": str(device)}


def _digits(options: argparse.Namespace, checkpoint: Checkpoint, limit: int | None) -> Labelled:
    """The first digits of the split that was asked for."""
    split = "train" if options.split == "validation" else "test"
    data = load_digits(options.data, split, checkpoint.card)
    held_out = checkpoint.card["validation"] if options.split == "validation" else len(data.labels)
    clouds, labels = data.clouds[-held_out:], data.labels[-held_out:]
    return replace(data, clouds=clouds[:limit], labels=labels[:limit])


def evaluate_completion_digits(options: argparse.Namespace) -> dict:
    """A digit completer, its control and PCN beside it, and two methods that learn nothing."""
    device = pick_device(options.device)
    train = load_mnist(options.data, "train").images
    images = load_mnist(options.data, "test").images
    models = _completers(options.model or COMPLETION_DIGITS, device)
    if options.split == "validation":
        held_out = models["ddeq"].card["validation"] if "ddeq" in models else VALIDATION
        train, images = train[:-held_out], train[-held_out:]
    limit = 2000 if options.limit is None else options.limit
    neighbours = train[: options.neighbours]
    table = compare(images[:limit], models, neighbours, _said(options), device, options.steps_table)
    return {"split": options.split, **table, "device": str(device)}


def _completers(ddeq: Path, device: torch.device) -> dict[str, Checkpoint]:
    """A completer and what was trained beside it; what is missing is named on stderr."""
    found = {}
    for name, suffix in (("ddeq", ""), ("control", "-control"), ("pcn", "-pcn")):
        try:
            path = ddeq.with_name(f"{ddeq.stem}{suffix}.safetensors")
            found[name] = _load(path, "pcn" if name == "pcn" else "completer", device)
        except UserError as error:
            print(f"Without {name}: {error}", file=sys.stderr)
    return found


def evaluate_solvers(options: argparse.Namespace) -> dict:
    """Solvers beside the paper's flow run until it rests, on one digit classifier."""
    device = pick_device(options.device)
    checkpoint = _load(options.model or DIGITS, "classifier", device)
    data = _digits(options, checkpoint, 200 if options.limit is None else options.limit)
    chosen = _settings(checkpoint, options)
    name = str(chosen.to_dict()["solver"])
    candidates = {name: chosen} if _said(options) else solvers.CANDIDATES
    found = solvers.compare(checkpoint, data, candidates, device)
    if options.figure:
        curves = {name: row["curve"] for name, row in found["solvers"].items()}
        picture = curves_svg(curves, "network evaluations", "G / G_0, median")
        _save(options.figure, picture.encode())
    return {"split": options.split, **found, "device": str(device)}


VALIDATION = 5000  # digits held out of MNIST's train set, where no card says

TASKS = {
    "digits": evaluate_digits,
    "completion-digits": evaluate_completion_digits,
    "solvers": evaluate_solvers,
}


def run_bench(options: argparse.Namespace) -> dict:
    """Milliseconds a step, against the naive way in the same run."""
    return bench(pick_device(options.device), options.steps, options.repeats)


def info(options: argparse.Namespace) -> dict:
    """Versions, device and the models that ship."""
    device = pick_device(options.device)
    models = {}
    for weights in sorted(ASSETS.glob("*.safetensors")):
        checkpoint = load(weights)
        models[weights.stem] = {
            "parameters": parameter_count(checkpoint.model.requires_grad_(True)),
            "kind": _kind(checkpoint),
            "labels": checkpoint.card.get("labels", []),
            "settings": checkpoint.card.get("settings", {}),
        }
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": str(device),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "models": models,
    }


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are user errors like all others."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # a hole at -1,2 is no option either

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}: see {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m ddeq", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: object) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        sub.set_defaults(command=command)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        sub.add_argument("--device", default="auto", help="auto, cpu or cuda")
        return sub

    def add_run(sub: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
        sub.add_argument("--model", type=Path, help="a .safetensors file; default: the shipped one")
        sub.add_argument("--solver", help=", ".join(SOLVERS))
        sub.add_argument("--kernel", help=", ".join(KERNELS))
        for setting in (s for s in _all_settings() if s.name not in without):
            flag = "--" + setting.name.replace("_", "-")
            sub.add_argument(flag, dest=setting.name, metavar="X", help=setting.hint)

    sub = add("classify", classify)
    sub.add_argument("file", type=Path, metavar="FILE", help="a point cloud or an image")
    add_run(sub)

    sub = add("complete", complete)
    sub.add_argument("file", type=Path, metavar="FILE", help="a point cloud or an image")
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help=", ".join(WRITERS))
    sub.add_argument(
        "--hole",
        type=_hole,
        nargs="+",
        action="extend",
        metavar="X,Y,R",
        help="remove the points within R of (X, Y), in the file's own units",
    )
    sub.add_argument("--holes", type=_whole(1), help="as many holes around random points")
    sub.add_argument(
        "--radius",
        type=float,
        default=DIGIT_HOLE_RADIUS,
        help="of those, where the cloud's standard deviation is 1 (default: %(default)s)",
    )
    sub.add_argument(
        "--free", type=int, help="how many particles complete it; default: the paper's rule"
    )
    add_run(sub, without=["particles"])

    sub = add("train", train_recipe)
    sub.add_argument("recipe", type=Path, metavar="RECIPE", help="a file of recipes/")
    sub.add_argument("--data", type=Path, required=True, help="folder of the training data")
    sub.add_argument("--out", type=Path, default=Path("runs/latest"), help="folder of the run")
    sub.add_argument("--resume", action="store_true", help="go on where the folder's run ended")
    sub.add_argument("--until", type=int, metavar="N", help="stop after N batches")
    sub.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="vary the recipe: seed=1"
    )

    sub = add("evaluate", evaluate)
    sub.add_argument("task", choices=list(TASKS))
    sub.add_argument("--data", type=Path, required=True, help="folder of MNIST's IDX files")
    sub.add_argument("--split", choices=["test", "validation"], default="test")
    sub.add_argument(
        "--limit",
        type=_whole(1),
        help="only the first so many digits; default: all, 2,000 for completion-digits, "
        "200 for solvers",
    )
    sub.add_argument(
        "--stability",
        action="store_true",
        help="digits: also solve 5x longer and from another seed",
    )
    sub.add_argument(
        "--neighbours",
        type=_whole(0),
        default=5000,
        help="completion-digits: copy from the first so many training digits "
        "(default: %(default)s; 0: not at all)",
    )
    sub.add_argument(
        "--steps-table",
        action="store_true",
        help="completion-digits: also with 0, 1, 2, 4, ... steps",
    )
    sub.add_argument(
        "--figure", type=Path, metavar="FILE", help="solvers: draw their curves as an SVG"
    )
    add_run(sub)

    sub = add("bench", run_bench)
    sub.add_argument("--steps", type=int, default=200, help="of one solve")
    sub.add_argument("--repeats", type=int, default=5, help="of every measurement")

    add("info", info)
    return parser


def _all_settings() -> list:
    """Every setting of any solver, kernel or limit, once by name."""
    kinds = (*SOLVERS.values(), *KERNELS.values(), Limits)
    return list({s.name: s for kind in kinds for s in settings_of(kind)}.values())


def _said(options: argparse.Namespace) -> dict[str, object]:
    """The settings that the command line names."""
    names = ["solver", "kernel", *(s.name for s in _all_settings())]
    said = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def _settings(checkpoint: Checkpoint, options: argparse.Namespace) -> RunSettings:
    """The model card's settings, with what the command line says instead."""
    return with_defaults(checkpoint.card, _said(options))


def _kind(checkpoint: Checkpoint) -> str:
    return checkpoint.card.get("kind", "classifier")


def _load(weights: Path, kind: str, device: torch.device) -> Checkpoint:
    """A model of this kind.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    checkpoint = load(weights, device)
    if _kind(checkpoint) != kind:
        raise UserError(
            f"{weights} is a {_kind(checkpoint)} and not a {kind}: give another --model."
        )
    return checkpoint


def _hole(text: str) -> tuple[float, float, float]:
    try:
        x, y, radius = (float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text[:40]}' is not X,Y,R") from None
    return x, y, radius


def _whole(low: int) -> Callable[[str], int]:
    """Reads whole numbers from ``low``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"'{text[:40]}' is not a whole number from {low}")
        return int(text)

    return parse


def _read(file: Path) -> PointCloud:
    image = file.suffix.lower() in IMAGE_SUFFIXES
    return image_to_cloud(file, file.name) if image else read_cloud(file, file.name)


def _readable(result: dict, indent: str = "") -> str:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _readable(value, indent + "  ")]
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"{indent}{name}: {shown}")
    return "\n".join(lines)
