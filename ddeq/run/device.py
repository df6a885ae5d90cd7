"""Where to compute."""

from __future__ import annotations

import torch

from ddeq.errors import UserError


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is the GPU if there is one, else the CPU.

    Raises:
        UserError: ``cuda`` where there is none, or another word.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("No CUDA GPU was found: use --device cpu or --device auto.")
    if name not in ("cpu", "cuda"):
        raise UserError(f"There is no device '{name[:40]}': choose auto, cpu or cuda.")
    return torch.device(name)
