"""The command line: classify, train, evaluate, bench, info.

Results go to stdout, with ``--json`` as exactly one JSON object; progress goes to stderr. What the
user gave wrong is one sentence on stderr and exit status 2.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import torch

from ddeq.bench import bench
from ddeq.checkpoints import ASSETS, Checkpoint, load, save
from ddeq.clouds import PointCloud, read_cloud
from ddeq.datasets.sources import SOURCES
from ddeq.errors import UserError
from ddeq.evaluation import load_digits, predict, report, stability
from ddeq.images import SUFFIXES as IMAGE_SUFFIXES
from ddeq.images import image_to_cloud
from ddeq.kernels import KERNELS
from ddeq.model import parameter_count
from ddeq.recipes import load_recipe
from ddeq.run import ClassifierRun, Limits, RunSettings, pick_device, prepare, with_defaults
from ddeq.settings import settings_of
from ddeq.solvers import SOLVERS
from ddeq.tasks import classification
from ddeq.training import TASKS, train

DIGITS = ASSETS / "digits.safetensors"


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
    checkpoint = load(options.model, device)
    settings = _settings(checkpoint, options)
    run = ClassifierRun(checkpoint, prepare(_read(options.file), checkpoint.card), settings, device)
    for _ in run:
        pass
    return run.outcome.to_dict()


def train_recipe(options: argparse.Namespace) -> dict:
    """Train by a recipe; the weights and their card land in the folder of the run."""
    recipe = load_recipe(options.recipe)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    labelled = TASKS[recipe.kind] is classification
    source = SOURCES[recipe.data]
    clouds, held_out = source.load(options.data, recipe.validation, labelled)
    device = pick_device(options.device)
    model = train(
        recipe, clouds, options.out, held_out=held_out, resume=options.resume, device=device
    )
    weights = options.out / f"{recipe.name}.safetensors"
    save(model, recipe.card, weights)
    return {"weights": str(weights), "parameters": parameter_count(model)}


def evaluate(options: argparse.Namespace) -> dict:
    """Accuracy and equilibrium of a digit classifier on MNIST."""
    device = pick_device(options.device)
    checkpoint = load(options.model, device)
    settings = _settings(checkpoint, options)
    split = "train" if options.split == "validation" else "test"
    data = load_digits(options.data, split, checkpoint.card)
    held_out = checkpoint.card["validation"] if options.split == "validation" else len(data.labels)
    clouds, labels = data.clouds[-held_out:], data.labels[-held_out:]
    data = replace(data, clouds=clouds[: options.limit], labels=labels[: options.limit])
    result = predict(checkpoint, data, settings, device)
    found = {"split": options.split, **report(checkpoint, data, result)}
    if options.stability:
        found |= stability(checkpoint, data, settings, result, device)
    return found | {"settings": settings.to_dict(), "device": str(device)}


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
            "labels": checkpoint.card["labels"],
            "settings": checkpoint.card["settings"],
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

    def add_run(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--model", type=Path, default=DIGITS, help="a .safetensors file")
        sub.add_argument("--solver", help=", ".join(SOLVERS))
        sub.add_argument("--kernel", help=", ".join(KERNELS))
        for setting in _all_settings():
            flag = "--" + setting.name.replace("_", "-")
            sub.add_argument(flag, dest=setting.name, metavar="X", help=setting.hint)

    sub = add("classify", classify)
    sub.add_argument("file", type=Path, metavar="FILE", help="a point cloud or an image")
    add_run(sub)

    sub = add("train", train_recipe)
    sub.add_argument("recipe", type=Path, metavar="RECIPE", help="a file of recipes/")
    sub.add_argument("--data", type=Path, required=True, help="folder of the training data")
    sub.add_argument("--seed", type=int, help="instead of the recipe's")
    sub.add_argument("--out", type=Path, default=Path("runs/latest"), help="folder of the run")
    sub.add_argument("--resume", action="store_true", help="go on where the folder's run ended")

    sub = add("evaluate", evaluate)
    sub.add_argument("task", choices=["digits"])
    sub.add_argument("--data", type=Path, required=True, help="folder of MNIST's IDX files")
    sub.add_argument("--split", choices=["test", "validation"], default="test")
    sub.add_argument("--limit", type=int, help="only the first so many digits")
    sub.add_argument(
        "--stability", action="store_true", help="also solve 5x longer and from another seed"
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


def _settings(checkpoint: Checkpoint, options: argparse.Namespace) -> RunSettings:
    """The model card's settings, with what the command line says instead."""
    names = ["solver", "kernel", *(s.name for s in _all_settings())]
    said = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return with_defaults(checkpoint.card, said)


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
