"""Versions, device and the models that ship.

Nothing here imports torch unless there may be a GPU to ask it for: that takes longer than the rest.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import safe_open

from ddeq import __version__
from ddeq.cli.parser import Parser, add_common
from ddeq.shipped import ASSETS


def add_options(sub: Parser) -> None:
    """The options of :func:`run`."""
    add_common(sub)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """What there is."""
    return {
        "ddeq": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        **_device(options.device),
        "cores": os.cpu_count(),
        "models": {file.stem: _model(file) for file in sorted(ASSETS.glob("*.safetensors"))},
    }


def _device(name: str) -> dict[str, str]:
    """Where computations run; without NVIDIA's driver that is the CPU."""
    if name in ("auto", "cpu") and not _has_driver():
        return {"device": "cpu"}
    import torch  # takes a second

    from ddeq.run.device import pick_device

    device = pick_device(name)
    return {"device": str(device)} | (
        {"gpu": torch.cuda.get_device_name()} if device.type == "cuda" else {}
    )


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _model(weights: Path) -> dict[str, Any]:
    """What the card says, and the number of parameters; what a model does not have is left out."""
    card = json.loads(weights.with_suffix(".json").read_text())
    with safe_open(weights, "numpy") as file:
        sizes = [math.prod(file.get_slice(key).get_shape()) for key in file.keys()]  # noqa: SIM118
    told = {name: card[name] for name in ("labels", "settings") if name in card}
    return {"parameters": sum(sizes), "kind": card.get("kind", "classifier"), **told}
