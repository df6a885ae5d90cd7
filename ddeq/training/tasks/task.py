"""What a kind of model learns."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import torch

from ddeq.training.datasets.packed import Batch
from ddeq.training.datasets.sources import Clouds
from ddeq.training.recipes import Recipe, Stage


class Losses(Protocol):
    """The terms of a loss on one batch, scalars; ``total`` is what is minimised."""

    @property
    def total(self) -> torch.Tensor: ...


class Task(Protocol):
    """A loss on a batch, and how well it has been learned.

    Attributes:
        criterion: the validation figure by which weights are chosen; less is better.
        labelled: whether clouds need a class.
    """

    criterion: ClassVar[str]
    labelled: ClassVar[bool]

    def losses(
        self,
        model: Any,
        batch: Batch,
        recipe: Recipe,
        stage: Stage,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> Losses:
        """The losses on a batch of clouds, with a graph; ``generator`` draws what is random."""
        ...

    def validate(
        self, model: Any, clouds: Clouds, recipe: Recipe, device: torch.device | str
    ) -> dict[str, float]:
        """Figures of a model on clouds that were held out, :attr:`criterion` among them."""
        ...
