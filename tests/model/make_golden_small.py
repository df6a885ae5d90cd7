"""Makes ``golden_small/``: what a DDEQ must compute, by a second implementation.

The method is written here once more, as plainly as its formulas: one cloud at a time, no
encoding ahead, no masks, attention by ``torch.nn.functional``, the MMD from its definition, the
velocity by automatic differentiation of ``G``; all in double precision. Nothing is shared with
the library, so a test that compares the two compares two implementations. The state dicts have
the names that the authors' code gives them.

Run it from the root of the repository: ``python tests/model/make_golden_small.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

FOLDER = Path(__file__).parent / "golden_small"
D, H, HEADS, LIFT_HIDDEN = 16, 4, 4, 64
STEPS = (1, 2, 3, 4, 5, 20)
Weights = dict[str, Tensor]


def linear(w: Weights, name: str, t: Tensor) -> Tensor:
    return t @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(w: Weights, name: str, t: Tensor) -> Tensor:
    centred = t - t.mean(-1, keepdim=True)
    scale = (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return centred / scale * w[f"{name}.weight"] + w[f"{name}.bias"]


def two_layers(w: Weights, name: str, t: Tensor, names: tuple[str, str]) -> Tensor:
    return linear(w, f"{name}.{names[1]}", linear(w, f"{name}.{names[0]}", t).clamp_min(0))


def mlp(w: Weights, name: str, t: Tensor) -> Tensor:
    return two_layers(w, name, t, ("linear1", "linear2"))


def ffn(w: Weights, name: str, t: Tensor) -> Tensor:
    return layer_norm(w, f"{name}.norm", t + mlp(w, name, t))


def encoder_layer(w: Weights, name: str, t: Tensor, s: Tensor, heads: int) -> Tensor:
    """``t (n, d)`` attends to ``s (m, d)``."""
    attended, _ = F.multi_head_attention_forward(
        t,
        s,
        s,
        t.shape[-1],
        heads,
        w[f"{name}.multihead_attn.in_proj_weight"],
        w[f"{name}.multihead_attn.in_proj_bias"],
        None,
        None,
        False,
        0.0,
        w[f"{name}.multihead_attn.out_proj.weight"],
        w[f"{name}.multihead_attn.out_proj.bias"],
        need_weights=False,
    )
    return ffn(w, f"{name}.ffn", layer_norm(w, f"{name}.norm", t + attended))


def operator(w: Weights, z: Tensor, x: Tensor, known: int, heads: int) -> Tensor:
    """``F(z, x)`` of particles ``z (N, d)``, the first ``known`` of them fixed; ``x (M, d_x)``."""
    w = {k.removeprefix("deq_model."): v for k, v in w.items()}
    z1 = layer_norm(w, "ln1", mlp(w, "equivariant_z", z))
    x1 = layer_norm(w, "ln2", mlp(w, "equivariant_x", x))
    bilinear = torch.einsum("ni,ios,s->no", z1, w["bilinear.alpha"], x1.sum(0))
    b = layer_norm(w, "bilinear.layer_norm", bilinear + w["bilinear.bias"]).clamp_min(0)
    z2 = layer_norm(w, "ln3", z1 + b)
    z3 = layer_norm(w, "ln4", mlp(w, "equivariant_z2", z2))
    x2 = layer_norm(w, "ln5", mlp(w, "equivariant_x2", x1))
    t = layer_norm(w, "ln6", z3 + z)
    x3 = encoder_layer(w, "x_self_encoder.layers.0", x2, x2, heads)
    t = torch.cat([t[:known], encoder_layer(w, "self_encoder.layers.0", t, t, heads)[known:]])
    layers = {k.split(".")[2] for k in w if k.startswith("cross_encoder")}
    for layer in sorted(layers, key=int):
        crossed = encoder_layer(w, f"cross_encoder.layers.{layer}", t, x3, heads)
        t = torch.cat([t[:known], crossed[known:]])
    return torch.cat([z[:known], ffn(w, "ffn", t)[known:]])


def mmd2(a: Tensor, b: Tensor) -> Tensor:
    """``MMD^2`` under ``k(u, v) = -|u - v|``, pair by pair."""

    def mean(us: Tensor, vs: Tensor) -> Tensor:
        d2 = (us[:, None] - vs[None]).square().sum(-1)
        apart = d2 > 0
        return -torch.where(apart, torch.where(apart, d2, 1.0).sqrt(), 0.0).mean()

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)


def euler_step(w: Weights, z: Tensor, x: Tensor, known: int, heads: int, gamma: float) -> Tensor:
    """``z - gamma N dG/dz`` with ``G = 1/2 MMD^2(z, F(z))``; known particles stay."""
    z = z.clone().requires_grad_()
    objective = 0.5 * mmd2(z, operator(w, z, x, known, heads))
    (gradient,) = torch.autograd.grad(objective, z)
    gradient[:known] = 0
    return (z - gamma * len(z) * gradient).detach()


def readout(w: Weights, z: Tensor) -> Tensor:
    return linear(w, "classifier.linear", z.amax(0))


def lift(w: Weights, points: Tensor) -> Tensor:
    """Zero padding to ``d`` and one affine coupling layer, ``(N, d_x) -> (N, d)``."""
    padded = torch.zeros(len(points), D, dtype=points.dtype)
    padded[:, : points.shape[1]] = points
    first, second = padded[:, : D // 2], padded[:, D // 2 :]
    nets = "embedding_model.layers.0"
    scale = two_layers(w, f"{nets}.scale_net", first, ("0", "2"))
    shift = two_layers(w, f"{nets}.shift_net", first, ("0", "2"))
    return torch.cat([first, second * scale.exp() + shift], dim=1)


def shapes(input_dim: int, cross_layers: int, classes: int | None) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the state dict: a classifier's, or a completer's if no classes."""

    def of_linear(name: str, a: int, b: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.weight": (b, a), f"{name}.bias": (b,)}

    def of_mlp(name: str, a: int, h: int, b: int) -> dict[str, tuple[int, ...]]:
        return of_linear(f"{name}.linear1", a, h) | of_linear(f"{name}.linear2", h, b)

    def of_norm(name: str, a: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.weight": (a,), f"{name}.bias": (a,)}

    def of_ffn(name: str) -> dict[str, tuple[int, ...]]:
        return of_mlp(name, D, 4 * D, D) | of_norm(f"{name}.norm", D)

    m, found = "deq_model", {}
    found |= of_mlp(f"{m}.equivariant_z", D, H, H) | of_norm(f"{m}.ln1", H)
    found |= of_mlp(f"{m}.equivariant_x", input_dim, H, H) | of_norm(f"{m}.ln2", H)
    found |= {f"{m}.bilinear.alpha": (H, H, H), f"{m}.bilinear.bias": (H,)}
    found |= of_norm(f"{m}.bilinear.layer_norm", H) | of_norm(f"{m}.ln3", H)
    found |= of_mlp(f"{m}.equivariant_z2", H, D, D) | of_norm(f"{m}.ln4", D)
    found |= of_mlp(f"{m}.equivariant_x2", H, D, D) | of_norm(f"{m}.ln5", D)
    found |= of_norm(f"{m}.ln6", D) | of_ffn(f"{m}.ffn")
    layers = ["x_self_encoder.layers.0", "self_encoder.layers.0"]
    for layer in [*layers, *(f"cross_encoder.layers.{i}" for i in range(cross_layers))]:
        attention = f"{m}.{layer}.multihead_attn"
        found |= {f"{attention}.in_proj_weight": (3 * D, D), f"{attention}.in_proj_bias": (3 * D,)}
        found |= of_linear(f"{attention}.out_proj", D, D)
        found |= of_ffn(f"{m}.{layer}.ffn") | of_norm(f"{m}.{layer}.norm", D)
    if classes is not None:
        return found | of_linear("classifier.linear", D, classes)
    for net in ("scale_net", "shift_net"):
        name = f"embedding_model.layers.0.{net}"
        found |= of_linear(f"{name}.0", D // 2, LIFT_HIDDEN)
        found |= of_linear(f"{name}.2", LIFT_HIDDEN, D // 2)
    return found


def random_weights(g: torch.Generator, sizes: dict[str, tuple[int, ...]]) -> Weights:
    """Every tensor random, biases and norms too, so that each one counts."""
    weights = {}
    for name, shape in sizes.items():
        noise = torch.randn(shape, generator=g)
        is_norm = len(shape) == 1 and name.endswith("weight")
        scale = 1.0 if "bilinear.alpha" in name else shape[-1] ** -0.5 if len(shape) > 1 else 0.2
        weights[name] = (1 + 0.2 * noise) if is_norm else scale * noise
    return weights


def record(w: Weights, z0: Tensor, x: Tensor, known: int, gamma: float) -> dict[str, np.ndarray]:
    """What the official files record, cloud by cloud: ``z0 (B, N, d)``, ``x (B, M, d_x)``."""
    found: dict[str, list[Tensor]] = {}

    def keep(name: str, value: Tensor) -> None:
        found.setdefault(name, []).append(value)

    for z, cloud in zip(z0, x, strict=True):
        image = operator(w, z, cloud, known, HEADS)
        keep("F_z0", image)
        keep("mmd2_z0", mmd2(z, image))
        if "classifier.linear.weight" in w:
            keep("logits_z0", readout(w, z))
            keep("logits_F_z0", readout(w, image))
        for k in range(1, max(STEPS) + 1):
            z = euler_step(w, z, cloud, known, HEADS, gamma)
            if k in STEPS:
                keep(f"z_{k}", z)
    return {name: torch.stack(values).numpy() for name, values in found.items()}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    g = torch.Generator().manual_seed(0)
    for name, input_dim, cross_layers, classes in [
        ("cls_plane", 2, 1, 5),
        ("cls_space", 3, 3, 4),
        ("comp_plane", 2, 3, None),
    ]:
        weights = random_weights(g, shapes(input_dim, cross_layers, classes))
        double = {k: v.double() for k, v in weights.items()}
        x = torch.randn(2, 12, input_dim, generator=g).double()
        arrays = {"x": x.numpy(), "heads": np.array(HEADS)}
        known, gamma = 0, 1.0
        if classes is None:
            known, gamma = x.shape[1], 0.5
            free = torch.randn(2, 4, input_dim, generator=g).double()
            data = torch.cat([x, free], dim=1)  # (B, N, d_x)
            z0 = torch.stack([lift(double, points) for points in data])
            fixed = np.tile(np.arange(data.shape[1]) < known, (2, 1))
            arrays |= {"z_data": data.numpy(), "z_back": data.numpy(), "fix_mask": fixed}
        else:
            z0 = torch.randn(2, 5, D, generator=g).double()
        arrays |= {"z0": z0.numpy(), "gamma": np.array(gamma)}
        arrays |= record(double, z0, x, known, gamma)
        torch.save(weights, FOLDER / f"{name}.pth")
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
