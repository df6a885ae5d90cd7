"""State dicts of the authors' code, as models of ours.

Nothing here unpickles: ``torch.load`` runs with ``weights_only=True``.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ddeq.errors import UserError
from ddeq.model.checkpoints import filled
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig


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
        make: Callable[[], Classifier | Completer] = (
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
    return filled(make, state, path.name)


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
