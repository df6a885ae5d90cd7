"""The completer: free particles flow to equilibrium beside known ones, in latent space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ddeq.model.lift import LIFTS
from ddeq.model.operator import Context, Operator, OperatorConfig
from ddeq.solve.flow import Flow, seeded


@dataclass(frozen=True)
class CompleterConfig:
    """Architecture of a completer.

    Attributes:
        operator: sizes of ``F_theta``.
        lift: how points become particles, a name out of ``ddeq.model.lift.LIFTS``.
        total: particles in all for each known point, unless asked otherwise; the paper's rule.
    """

    operator: OperatorConfig
    lift: str = "coupling"
    total: float = 1.275

    def to_dict(self) -> dict:
        """Plain values, for a model card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict) -> CompleterConfig:
        """The inverse of :meth:`to_dict`; raises TypeError or KeyError if it is not one."""
        return cls(**{**plain, "operator": OperatorConfig(**plain["operator"])})


class Completer(nn.Module):
    """A DDEQ that completes clouds (paper, section 4.2).

    Known points are the input and stand beside the free particles, which alone flow.
    """

    Config = CompleterConfig

    def __init__(self, config: CompleterConfig) -> None:
        super().__init__()
        self.config = config
        self.operator = Operator(config.operator)
        self.lift = LIFTS[config.lift](config.operator.input_dim, config.operator.latent_dim)

    def encode(self, known: Tensor, known_mask: Tensor | None = None) -> Context:
        """Everything the flow needs of the known points ``(B, K, d_x)``; call once per solve."""
        context = self.operator.encode(known, known_mask)
        return self.operator.beside(self.lift(known), context, known_mask)

    def flow(
        self,
        known: Tensor,
        known_mask: Tensor | None,
        free: Tensor,
        free_mask: Tensor | None = None,
        **settings: object,
    ) -> Flow:
        """The forward pass of the free particles, ready to be iterated.

        Args:
            known: standardised known points ``(B, K, d_x)``.
            known_mask: ``(B, K)`` bool, True where valid; None if all are.
            free: where free particles start, in data space ``(B, N, d_x)``, see :func:`scatter`.
            free_mask: ``(B, N)`` bool, True where valid; None if all are.
            **settings: of :class:`ddeq.solve.flow.Flow`.
        """
        operator = partial(
            self.operator,
            context=self.encode(known, known_mask),
            mask=free_mask,
            twice=bool(settings.get("differentiable")),
        )
        return Flow(
            operator,
            self.lift(free),
            mask=free_mask,
            share=share_of_free(known, known_mask, free, free_mask),
            **settings,
        )

    def points(self, z: Tensor) -> Tensor:
        """Particles ``(B, N, d)`` in data space, ``(B, N, d_x)``, at any step of a flow."""
        return self.lift.inverse(z)


def free_count(known: Tensor | int, total: float = 1.275) -> Tensor | int:
    """Free particles beside so many known ones: ``floor(total * known) - known``, from 1."""
    if isinstance(known, Tensor):
        return ((total * known.double()).floor().long() - known).clamp_min(1)
    return max(1, math.floor(total * known) - known)


_BLOCK = 16  # torch draws normal numbers in blocks, and an incomplete one differently


def scatter(seeds: Sequence[int], counts: Sequence[int], dim: int) -> tuple[Tensor, Tensor]:
    """Starting points of free particles and their mask, ``(B, N, dim)`` and ``(B, N)``.

    Drawn from ``N(0, I)``, which has the mean and standard deviation of *standardised* known
    points, the paper's start. Each cloud has its own seed, and the same seed gives more particles
    the same beginning.
    """
    clouds = []
    for count, generator in zip(counts, seeded(seeds), strict=True):
        numbers = torch.randn(-(-count * dim // _BLOCK) * _BLOCK, generator=generator)
        clouds.append(numbers[: count * dim].view(count, dim))
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]  # (B, N)
    return nn.utils.rnn.pad_sequence(clouds, batch_first=True), mask


def share_of_free(
    known: Tensor, known_mask: Tensor | None, free: Tensor, free_mask: Tensor | None
) -> Tensor:
    """The part of a completed cloud's mass that is on its free particles, ``(B,)``."""
    counts = [
        points.new_full((len(points),), points.shape[1]) if mask is None else mask.sum(1)
        for points, mask in ((known, known_mask), (free, free_mask))
    ]
    return counts[1] / (counts[0] + counts[1])
