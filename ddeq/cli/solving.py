"""What commands have in common that solve: a model, and the settings of the solve."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from ddeq.cli.parser import Parser, Section
from ddeq.errors import UserError
from ddeq.model.base import Model
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.settings import Limits, RunSettings, with_defaults
from ddeq.settings import Setting, flag, settings_of
from ddeq.shipped import weights_file
from ddeq.solve.kernels import KERNELS
from ddeq.solve.registry import Registry
from ddeq.solve.solvers import SOLVERS

MODEL = "a name such as objects, of those that ddeq info tells, or a .safetensors file"


def add_run(sub: Parser, without: Collection[str] = ()) -> None:
    """A model and the settings of a solve.

    Args:
        sub: of the command.
        without: settings that mean nothing to it.
    """
    sub.add_argument("--model", type=weights_file, metavar="MODEL", help=f"{MODEL}; default: ours")
    group = sub.add_argument_group("the solve; what is not said is the model's")
    group.add_argument("--solver", metavar="NAME", help=", ".join(SOLVERS))
    group.add_argument("--kernel", metavar="NAME", help=", ".join(KERNELS))
    for field in (field for field in settings_of(Limits) if field.name not in without):
        group.add_argument(flag(field.name), dest=field.name, metavar="X", help=_help(field))
    owned = {
        s.name: s for kind in (*SOLVERS.values(), *KERNELS.values()) for s in settings_of(kind)
    }
    for field in owned.values():
        sub.add_argument(flag(field.name), dest=field.name, help=argparse.SUPPRESS)
    sub.sections += [*_sections("solver", SOLVERS), *_sections("kernel", KERNELS)]


def _sections(what: str, registry: Registry[Any]) -> list[Section]:
    """Of each solver or kernel what it is and its own options."""
    return [
        Section(
            f"{what} {name}",
            registry.hints[name],
            tuple((flag(field.name), _help(field)) for field in settings_of(kind)),
        )
        for name, kind in registry.items()
    ]


def _help(field: Setting) -> str:
    """A hint with the range and the default."""
    hint = field.hint.rstrip(".").replace("%", "%%")
    low, high, default = (f"{number:.10g}" for number in (field.low, field.high, field.default))
    return f"{hint} ({low} to {high}; default: {default})"


def said(options: argparse.Namespace) -> dict[str, object]:
    """The settings that the command line names."""
    kinds = (*SOLVERS.values(), *KERNELS.values(), Limits)
    names = ["solver", "kernel", *(field.name for kind in kinds for field in settings_of(kind))]
    named = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in named.items() if value is not None}


def settings(checkpoint: Checkpoint[Model], options: argparse.Namespace) -> RunSettings:
    """The model card's settings, with what the command line says instead."""
    return with_defaults(checkpoint.card, said(options))


def load_kind(weights: Path | str, kind: str, device: torch.device) -> Checkpoint[Any]:
    """A model of this kind, by its file or the name it ships under.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    checkpoint = load(weights, device)
    found = checkpoint.card.get("kind", "classifier")
    if found != kind:
        raise UserError(f"{weights} is a {found} and not a {kind}: give another --model.")
    return checkpoint
