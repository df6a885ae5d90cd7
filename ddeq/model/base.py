"""What all networks here have in common: each is made from a config that a model card can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, nn


@dataclass(frozen=True)
class ModelConfig:
    """An architecture, in plain values."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a model card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; raises TypeError or KeyError if it is not one."""
        return cls(**plain)


class Model(nn.Module):
    """A network of a kind that recipes and model cards name, see :mod:`ddeq.model.kinds`.

    Attributes:
        Config: what the kind is made from, its only argument.
        config: what this one was made from.
        solves: whether its answer is read from an equilibrium that a solver has to find.
    """

    Config: ClassVar[type[ModelConfig]]
    config: ModelConfig
    solves: ClassVar[bool] = False

    def heed(self, card: Mapping[str, Any]) -> None:
        """Take from a model card what is not in the weights; nothing unless overridden."""


class AtOnceClassifier(Model):
    """A network that maps points ``(B, M, d)`` and their mask to class scores ``(B, classes)``."""

    def scores_and_skew(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores, and what else is to be kept small in training; 0 unless overridden."""
        return self(x, mask), x.new_zeros(())
