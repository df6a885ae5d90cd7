"""Train by a recipe; the weights and their card land in the folder of the run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ddeq.cli.parser import Parser, add_common
from ddeq.model.checkpoints import load, parameter_count, save
from ddeq.run.device import pick_device
from ddeq.shipped import recipe_file, weights_file
from ddeq.training.datasets.objects import ObjectClouds
from ddeq.training.datasets.sources import SOURCES, folder_of
from ddeq.training.loop import effort, train
from ddeq.training.recipes import load_recipe
from ddeq.training.tasks import TASKS


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    sub.add_argument(
        "recipe",
        type=recipe_file,
        metavar="RECIPE",
        help="a name such as objects-control, of those in recipes/, or a .toml file",
    )
    sub.add_argument(
        "--data",
        type=Path,
        help="folder of the training data; default, for ModelNet: what DDEQ_MODELNET says",
    )
    sub.add_argument(
        "--out", type=Path, default=Path("runs/latest"), help="folder (default: %(default)s)"
    )
    sub.add_argument(
        "--from",
        dest="initial",
        type=weights_file,
        metavar="MODEL",
        help="begin with these weights: a .safetensors file, or the name of a model that ships",
    )
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
    add_common(sub)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, and tell where the weights are."""
    recipe = load_recipe(options.recipe, options.set)
    if options.control:
        recipe = recipe.control()
    labelled = TASKS[recipe.kind].labelled
    folder = folder_of(recipe.data, options.data)
    clouds, held_out = SOURCES[recipe.data].load(folder, recipe.validation, labelled)
    if labelled and isinstance(clouds, ObjectClouds) and isinstance(held_out, ObjectClouds):
        names = recipe.card["labels"]
        clouds, held_out = clouds.labelled_as(names), held_out.labelled_as(names)
    model = train(
        recipe,
        clouds,
        options.out,
        held_out=held_out,
        initial=None if options.initial is None else load(options.initial).model,
        resume=options.resume,
        until=options.until,
        device=pick_device(options.device),
    )
    weights = options.out / f"{recipe.name}.safetensors"
    save(model, {**recipe.card, "training": effort(options.out)}, weights)
    return {"weights": str(weights), "parameters": parameter_count(model)}
