"""Weights on disk: safetensors beside a JSON model card.

Nothing here unpickles: safetensors holds plain arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddeq.errors import UserError
from ddeq.model.base import Model
from ddeq.model.kinds import KINDS
from ddeq.records import as_text
from ddeq.shipped import ASSETS as ASSETS
from ddeq.shipped import weights_file

M = TypeVar("M", bound=Model, covariant=True)


@dataclass(frozen=True)
class Checkpoint(Generic[M]):
    """A model with what its card says of it.

    Attributes:
        model: in evaluation mode, without gradients.
        card: the JSON model card: architecture, labels, preprocessing, solver, results.
    """

    model: M
    card: dict[str, Any]

    @property
    def parameters(self) -> int:
        """Number of weights; those of a loaded model count although none is trained."""
        return sum(p.numel() for p in self.model.parameters())


def save(model: Model, card: dict[str, Any], weights: Path) -> None:
    """Write ``weights`` (.safetensors, float32) and the card beside it (.json)."""
    save_file({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, weights)
    card = {**card, "architecture": model.config.to_dict()}
    weights.with_suffix(".json").write_text(as_text(card))


def load(weights: Path | str, device: torch.device | str = "cpu") -> Checkpoint[Any]:
    """Read a model saved by :func:`save`.

    Args:
        weights: the .safetensors file, or the name of a model that ships, such as "digits".
        device: where the model shall be.

    Raises:
        UserError: files missing, unreadable, or of another architecture.
    """
    weights = weights_file(weights)
    card_file = weights.with_suffix(".json")
    if not weights.is_file() or not card_file.is_file():
        raise UserError(
            f"No model was found at {weights}: give a .safetensors file with its .json card "
            "beside it."
        )
    try:
        card = json.loads(card_file.read_text())
        kind = KINDS[card.get("kind", "classifier")]
        config = kind.Config.from_dict(card["architecture"])
        state = load_file(weights)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"The checkpoint {weights.name} or its card cannot be read: save it again with this "
            "version of ddeq."
        ) from error
    model = filled(partial(kind, config), state, weights.name)
    model.heed(card)
    return Checkpoint(model.to(device), card)


def filled(make: Callable[[], M], state: dict[str, Tensor], name: str) -> M:
    """``state`` in a new model, ready for inference, or a UserError that names the first misfit."""
    with torch.device("meta"):  # shapes alone: a file may claim sizes that fit no memory
        model = make()
    expected = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    found = {k: tuple(v.shape) for k, v in state.items()}
    if expected != found:
        key = next(k for k in sorted({*expected, *found}) if expected.get(k) != found.get(k))
        raise UserError(
            f"The checkpoint {name} has the wrong shape (at {key}, expected "
            f"{expected.get(key, 'nothing')}, found {found.get(key, 'nothing')}): use weights "
            "that belong to this architecture."
        )
    model = make()
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
