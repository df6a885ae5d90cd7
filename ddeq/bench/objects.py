"""Objects in space: how fast a solve is with the sizes that ship."""

from __future__ import annotations

import torch

from ddeq.bench.digits import Size, measure, measure_completion
from ddeq.model.completer import CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.model.tokens import TokenConfig

POINTS = 1024
KNOWN, FREE = 512, 512
CLASSIFIER = OperatorConfig(  # of recipes/objects.toml
    input_dim=3,
    latent_dim=96,
    hidden_dim=24,
    heads=4,
    tokens=TokenConfig((192, 96, 48), (16, 12, 12), (48, 64, 96)),
)
COMPLETER = CompleterConfig(  # of recipes/completion-objects.toml
    OperatorConfig(
        input_dim=3,
        particle_dim=3,
        latent_dim=96,
        hidden_dim=24,
        heads=4,
        cross_layers=2,
        dropout=0.0,
        tokens=TokenConfig((128, 64), (16, 12), (64, 128)),
    ),
    lift="none",
    total=2.0,
)


def bench(device: torch.device | str = "cpu", steps: int = 200, repeats: int = 5) -> dict:
    """Classify 1,024 points; complete 512 by as many, in fewer steps, as each takes longer."""
    return {
        "points": POINTS,
        "classification": measure(CLASSIFIER, Size(1, steps, POINTS), device, repeats),
        "completion": measure_completion(
            COMPLETER, max(1, steps // 10), device, repeats, KNOWN, FREE
        ),
    }
