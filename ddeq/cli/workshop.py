"""Commands about models: train, bench, info."""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import torch

from ddeq.bench import BENCHES, USUAL, bench
from ddeq.cli.options import add_command, kind_of
from ddeq.model.checkpoints import ASSETS, load, parameter_count, save
from ddeq.run.device import pick_device
from ddeq.threads import most
from ddeq.training.datasets.sources import SOURCES
from ddeq.training.loop import TASKS as LEARNED
from ddeq.training.loop import train
from ddeq.training.recipes import load_recipe
from ddeq.training.tasks import classification


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Their options."""
    sub = add_command(commands, "train", train_recipe)
    sub.add_argument("recipe", type=Path, metavar="RECIPE", help="a file of recipes/")
    sub.add_argument("--data", type=Path, required=True, help="folder of the training data")
    sub.add_argument("--out", type=Path, default=Path("runs/latest"), help="folder of the run")
    sub.add_argument("--resume", action="store_true", help="go on where the folder's run ended")
    sub.add_argument("--until", type=int, metavar="N", help="stop after N batches")
    sub.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="vary the recipe: seed=1"
    )
    sub.add_argument(
        "--control",
        action="store_true",
        help="the recipe's control: one application of F where the recipe solves",
    )

    sub = add_command(commands, "bench", run_bench)
    sub.add_argument(
        "what", nargs="?", choices=BENCHES, help=f"only this; default: {' and '.join(USUAL)}"
    )
    sub.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="compare with other code: see ddeq/bench/against.py",
    )
    sub.add_argument("--steps", type=int, default=200, help="of one solve")
    sub.add_argument("--repeats", type=int, default=5, help="of every measurement")

    add_command(commands, "info", info)


def train_recipe(options: argparse.Namespace) -> dict:
    """Train by a recipe; the weights and their card land in the folder of the run."""
    recipe = load_recipe(options.recipe, options.set)
    if options.control:
        recipe = recipe.control()
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


def run_bench(options: argparse.Namespace) -> dict:
    """How fast things are, against what they are to be compared with in the same run."""
    names = (options.what,) if options.what else USUAL
    device = pick_device(options.device)
    return bench(names, device, options.steps, options.repeats, options.against)


def info(options: argparse.Namespace) -> dict:
    """Versions, device and the models that ship."""
    device = pick_device(options.device)
    models = {}
    for weights in sorted(ASSETS.glob("*.safetensors")):
        checkpoint = load(weights)
        models[weights.stem] = {
            "parameters": checkpoint.parameters,
            "kind": kind_of(checkpoint),
            "labels": checkpoint.card.get("labels", []),
            "settings": checkpoint.card.get("settings", {}),
        }
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": str(device),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "threads": most(),
        "models": models,
    }
