"""Chapter 6: what the shipped digit classifier gains by flowing, on the gallery's digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ddeq.input.gallery import PER_CLASS, load_gallery
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.flows import after, flow_of_clouds
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.kernels import Riesz
from ddeq.solve.solvers import Picard

DEPTHS = (0, 1, 2, 3, 5, 8, 12, 20)


@dataclass(frozen=True)
class Score:
    """How many digits a model has read rightly.

    Attributes:
        seen: digits so far.
        right: of them, after each of :data:`DEPTHS` steps.
    """

    seen: int
    right: tuple[int, ...]


def score(checkpoint: Checkpoint) -> Iterator[Score]:
    """Classify the gallery's digits class by class, reading out after several numbers of steps."""
    gallery, model = load_gallery(), checkpoint.model
    right = np.zeros(len(DEPTHS), int)
    settings = RunSettings(Picard(), Riesz(), Limits()).taking(max(DEPTHS))
    for start in range(0, len(gallery.labels), PER_CLASS):
        digits = range(start, min(start + PER_CLASS, len(gallery.labels)))
        clouds = [prepare(gallery.cloud(i), checkpoint.card) for i in digits]
        flow = flow_of_clouds(model, clouds, settings, [0] * len(digits))
        truth = torch.tensor(gallery.labels[start : digits.stop])
        for k, (_, step) in enumerate(after(flow, DEPTHS)):
            with torch.no_grad():
                right[k] += int((model.logits(step.particles).argmax(-1) == truth).sum())
        yield Score(digits.stop, tuple(right.tolist()))
