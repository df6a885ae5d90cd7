"""Weights on disk: safetensors beside a JSON model card; state dicts of the authors' code too.

Nothing here unpickles: safetensors holds plain arrays, and ``torch.load`` runs with
``weights_only=True``.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddeq.errors import UserError
from ddeq.kinds import KINDS
from ddeq.model import Classifier, ClassifierConfig, Completer, CompleterConfig
from ddeq.operator import OperatorConfig

ASSETS = Path(__file__).resolve().parent.parent / "assets"


@dataclass(frozen=True)
class Checkpoint:
    """A model with what its card says of it.

    Attributes:
        model: in evaluation mode, without gradients.
        card: the JSON model card: architecture, labels, preprocessing, solver, results.
    """

    model: nn.Module
    card: dict

    @property
    def parameters(self) -> int:
        """Number of weights; those of a loaded model count although none is trained."""
        return sum(p.numel() for p in self.model.parameters())


def save(model: nn.Module, card: dict, weights: Path) -> None:
    """Write ``weights`` (.safetensors, float32) and the card beside it (.json)."""
    save_file({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, weights)
    card = {**card, "architecture": model.config.to_dict()}
    weights.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")


def load(weights: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a model saved by :func:`save`.

    Raises:
        UserError: files missing, unreadable, or of another architecture.
    """
    weights = Path(weights)
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
    model = _filled(partial(kind, config), state, weights.name)
    return Checkpoint(model.to(device), card)


def load_official(path: Path, heads: int = 32) -> Classifier | Completer:
    """Read a state dict saved by the authors' code, as the model it belongs to.

    Args:
        path: a ``.pth`` file.
        heads: attention heads, which a state dict does not tell; the paper uses 32.

    Raises:
        UserError: not such a file, or shapes that fit no model here.
    """
    path = Path(path)
    try:
        official = torch.load(path, map_location="cpu", weights_only=True)
        if not all(isinstance(v, Tensor) for v in official.values()):
            raise TypeError("not only tensors")
        state = {ours: v for k, v in official.items() for ours, v in _translated(k, v)}
        h, input_dim = state["operator.input_in.0.weight"].shape
        config = OperatorConfig(
            input_dim=input_dim,
            latent_dim=state["operator.input_up.2.weight"].shape[0],
            hidden_dim=h,
            heads=heads,
            cross_layers=1 + max(int(k.split(".")[2]) for k in state if "cross_encoder." in k),
        )
        readout = state.get("readout.linear.weight")
        make = (
            partial(Completer, CompleterConfig(config))
            if readout is None
            else partial(Classifier, ClassifierConfig(config, classes=readout.shape[0]))
        )
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}: check the path.") from error
    except (
        pickle.UnpicklingError,
        OSError,
        TypeError,
        RuntimeError,
        EOFError,
        AttributeError,
        KeyError,
        ValueError,
        IndexError,
    ) as error:
        raise UserError(
            f"{path.name} is not a state dict of a DDEQ: save it with "
            "torch.save(model.state_dict())."
        ) from error
    return _filled(make, state, path.name)


def _filled(make: Callable[[], nn.Module], state: dict[str, Tensor], name: str) -> nn.Module:
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


# The authors' names, longest match first, and ours.
_NAMES = {
    "embedding_model.layers.0.scale_net": "lift.scale",
    "embedding_model.layers.0.shift_net": "lift.shift",
    "deq_model.equivariant_z2": "operator.particle_up",
    "deq_model.equivariant_x2": "operator.input_up",
    "deq_model.equivariant_z": "operator.particle_in",
    "deq_model.equivariant_x": "operator.input_in",
    "deq_model.bilinear.alpha": "operator.bilinear.weight",
    "deq_model.bilinear.layer_norm": "operator.bilinear.norm",
    "deq_model.bilinear": "operator.bilinear",
    "deq_model.x_self_encoder.layers.0": "operator.input_encoder",
    "deq_model.self_encoder.layers.0": "operator.self_encoder",
    "deq_model.cross_encoder.layers": "operator.cross_encoder",
    "deq_model.ln1": "operator.particle_in_norm",
    "deq_model.ln2": "operator.input_in_norm",
    "deq_model.ln3": "operator.bilinear_norm",
    "deq_model.ln4": "operator.particle_up_norm",
    "deq_model.ln5": "operator.input_up_norm",
    "deq_model.ln6": "operator.skip_norm",
    "deq_model.ffn": "operator.feed_forward",
    "classifier": "readout",
}
_PARTS = {
    ".multihead_attn.out_proj": ".attention.out",
    ".ffn.": ".feed_forward.",
    "feed_forward.linear1": "feed_forward.rise",
    "feed_forward.linear2": "feed_forward.fall",
    ".linear1": ".0",
    ".linear2": ".2",
}


def _translated(key: str, value: Tensor) -> list[tuple[str, Tensor]]:
    """Our name for a tensor of the authors' state dict; a joint projection becomes two tensors."""
    theirs = next((name for name in _NAMES if key.startswith(name)), None)
    if theirs is None:
        raise KeyError(key)
    ours = _NAMES[theirs] + key.removeprefix(theirs)
    for part, replacement in _PARTS.items():
        ours = ours.replace(part, replacement)
    if ".multihead_attn.in_proj_" in ours:
        stem, kind = ours.split(".multihead_attn.in_proj_")
        width = len(value) // 3
        return [
            (f"{stem}.attention.query.{kind}", value[:width]),
            (f"{stem}.attention.key_value.{kind}", value[width:]),
        ]
    return [(ours, value)]
