"""The completer: free particles flow to equilibrium beside known ones, in latent space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

import torch
from torch import Tensor, nn

from ddeq.model.base import Model, ModelConfig
from ddeq.model.encoded import Applied, Encoded
from ddeq.model.lift import LIFTS
from ddeq.model.operator import Operator, OperatorConfig
from ddeq.seeds import seeded


@dataclass(frozen=True)
class CompleterConfig(ModelConfig):
    """Architecture of a completer.

    Attributes:
        operator: sizes of ``F_theta``.
        lift: how points become particles, a name out of ``ddeq.model.lift.LIFTS``.
        total: particles in all for each known point, unless asked otherwise; the paper's rule.
    """

    operator: OperatorConfig
    lift: str = "coupling"
    total: float = 1.275

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        return cls(**{**plain, "operator": OperatorConfig(**plain["operator"])})


class Completer(Model):
    """A DDEQ that completes clouds (paper, section 4.2).

    Known points are the input and stand beside the free particles, which alone flow. Where the
    operator sees its input as tokens, free particles see the known ones as these alone.
    """

    Config = CompleterConfig
    config: CompleterConfig
    solves = True

    def __init__(self, config: CompleterConfig) -> None:
        super().__init__()
        self.config = config
        self.operator = Operator(config.operator)
        self.lift = LIFTS[config.lift](config.operator.input_dim, config.operator.particle_width)

    def encode(
        self,
        known: Tensor,
        known_mask: Tensor | None,
        counts: Sequence[int] | Tensor,
        twice: bool = False,
    ) -> Encoded:
        """``F(., x)`` of free particles beside standardised known points; call once per solve.

        Args:
            known: known points ``(B, K, d_x)``.
            known_mask: ``(B, K)`` bool, True where valid; None if all are.
            counts: how many particles of each cloud are free, ``B`` of them, on the CPU.
            twice: as of :meth:`ddeq.model.operator.Operator.forward`.
        """
        context = self.operator.encode(known, known_mask)
        if self.operator.tokens is None:  # tokens say where known points are, and how many is known
            context = self.operator.beside(self.lift(known), context, known_mask)
        free, mask = torch.as_tensor(counts), None  # (B,) on the CPU, asked without waiting
        if (free < free.max()).any():
            mask = (torch.arange(int(free.max())) < free[:, None]).to(known.device)  # (B, N)
        operator = Applied(self.operator, context, mask, twice)
        free = free.to(known.device)
        given = known.shape[1] if known_mask is None else known_mask.sum(1)
        return Encoded(operator, mask, free / (given + free))

    def start(self, seeds: Sequence[int], counts: Sequence[int]) -> Tensor:
        """Initial particles of one cloud a seed, ``(B, N, d)``, on the model's device."""
        points = scatter(seeds, counts, self.config.operator.input_dim)
        return self.lift(points.to(self.operator.skip_norm.weight.device))

    def points(self, z: Tensor) -> Tensor:
        """Particles ``(B, N, d)`` in data space, ``(B, N, d_x)``, at any step of a flow."""
        return self.lift.inverse(z)


@overload
def free_count(known: Tensor, total: float = 1.275) -> Tensor: ...
@overload
def free_count(known: int, total: float = 1.275) -> int: ...
def free_count(known: Tensor | int, total: float = 1.275) -> Tensor | int:
    """Free particles beside so many known ones: ``floor(total * known) - known``, from 1."""
    if isinstance(known, Tensor):
        return ((total * known.double()).floor().long() - known).clamp_min(1)
    return max(1, math.floor(total * known) - known)


_BLOCK = 16  # torch draws normal numbers in blocks, and an incomplete one differently


def scatter(seeds: Sequence[int], counts: Sequence[int], dim: int) -> Tensor:
    """Points at which free particles start, ``(B, N, dim)`` on the CPU, padded with zeros.

    Drawn from ``N(0, I)``, which has the mean and standard deviation of *standardised* known
    points, the paper's start. Each cloud has its own seed, and the same seed gives more particles
    the same beginning.
    """
    clouds = []
    for count, generator in zip(counts, seeded(seeds), strict=True):
        numbers = torch.randn(-(-count * dim // _BLOCK) * _BLOCK, generator=generator)
        clouds.append(numbers[: count * dim].view(count, dim))
    return nn.utils.rnn.pad_sequence(clouds, batch_first=True)
