"""How a model's solves are: does F contract, do particles part, do seeds agree, what is left."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ddeq.cli.parser import Parser, add_common, whole
from ddeq.cli.solving import MODEL
from ddeq.errors import UserError
from ddeq.evaluation.diagnosis import Starts, advice, diagnose
from ddeq.input.clouds import PointCloud
from ddeq.input.gallery import load_gallery, load_objects
from ddeq.input.hollow import hollow
from ddeq.input.partial import beyond_plane
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate, isotropic, standardise, subsample
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.model.encoded import Encoded
from ddeq.run.device import pick_device
from ddeq.shipped import weights_file

FREE = 100  # particles of a completion


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    sub.add_argument("model", type=weights_file, metavar="MODEL", help=MODEL)
    sub.add_argument(
        "--limit", type=whole(1), default=8, help="samples asked about (default: %(default)s)"
    )
    sub.add_argument(
        "--steps", type=whole(1), default=100, help="of every solve (default: %(default)s)"
    )
    add_common(sub)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Ask a model about the samples that ship, and say what is to be done."""
    device = pick_device(options.device)
    checkpoint = load(options.model, device)
    if not checkpoint.model.solves:
        kind = checkpoint.card.get("kind")
        raise UserError(f"A {kind} solves nothing, so there is nothing to diagnose: give a DDEQ.")
    clouds = _samples(checkpoint.model.config.operator.input_dim == 2, options.limit)
    known = checkpoint.card.get("kind", "classifier") == "completer"
    encoded, starts = (_completions if known else _classes)(checkpoint, clouds, device)
    found = diagnose(encoded, starts, options.steps)
    return {"samples": len(clouds), **asdict(found), "advice": advice(found)}


def _samples(flat: bool, limit: int) -> list[PointCloud]:
    """So many of the digits or objects that ship, from all over the gallery."""
    digits, objects = load_gallery(), load_objects()
    count = len(digits.labels) if flat else len(objects)
    which = np.linspace(0, count - 1, min(limit, count)).astype(int)
    return [(digits if flat else objects).cloud(int(k)) for k in which]


@torch.no_grad()
def _classes(
    checkpoint: Checkpoint[Any], clouds: Sequence[PointCloud], device: torch.device
) -> tuple[Encoded, Starts]:
    """Clouds to be classified."""
    model = checkpoint.model
    x, mask = collate([prepare(cloud, checkpoint.card) for cloud in clouds])
    encoded = model.encode(x.to(device), mask.to(device))
    return encoded, lambda seed: model.start(range(seed, seed + len(clouds)))


@torch.no_grad()
def _completions(
    checkpoint: Checkpoint[Any], clouds: Sequence[PointCloud], device: torch.device
) -> tuple[Encoded, Starts]:
    """Clouds of which a half is to be completed."""
    model, rng = checkpoint.model, np.random.default_rng(0)
    parts = []
    for cloud in clouds:
        aside = np.eye(cloud.points.shape[1])[0]
        middle = float(np.median(cloud.points @ aside))
        part = hollow(cloud, beyond_plane(cloud.points, aside, middle))
        own = standardise(part.known, isotropic(checkpoint.card)).points
        parts.append(subsample(own, checkpoint.card["points"], rng))
    x, mask = collate(parts)
    counts = [FREE] * len(clouds)
    encoded = model.encode(x.to(device), mask.to(device), counts)
    return encoded, lambda seed: model.start(range(seed, seed + len(clouds)), counts)
