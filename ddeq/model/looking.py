"""What particles look at: the attention that they pay the points of the input as ``F`` is applied.

It is that of the cross attention, whose keys are of points that have met each other before: what a
particle looks at is a point as it stands in its cloud. Where the input is seen as tokens, a token's
attention is shared by the points of its neighbourhood.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.model.operator import Context, Operator


@dataclass(frozen=True)
class Looking:
    """What is looked at of ``B`` encoded clouds, by ``H`` heads, layer after layer.

    Attributes:
        operator: whose attention it is.
        context: of the clouds.
        keys: of their points, or of their tokens, ``(B, H, C, d/heads)``.
        shares: how much of each token each point is, ``(B, C, M)``; None where points are seen
            alone, and ``C`` is ``M``.
    """

    operator: Operator
    context: Context
    keys: Tensor
    shares: Tensor | None

    def queries(self, z: Tensor) -> Tensor:
        """Of particles ``z (B, N, d)``, ``(B, H, N, d/heads)``; see :meth:`Operator.queries`."""
        with torch.no_grad():
            return self.operator.queries(z, self.context)

    def at(self, z: Tensor) -> Tensor:
        """The attention of particles ``z (B, N, d)``, each head's: ``(B, H, N, M)``.

        Rows sum to one; points that are masked get none.
        """
        scores = self.queries(z) @ self.keys.transpose(-1, -2)  # (B, H, N, C)
        if self.context.mask is not None:
            scores = scores.masked_fill(~self.context.mask, -torch.inf)
        paid = scores.softmax(-1)
        return paid if self.shares is None else paid @ self.shares[:, None]


def looking(operator: Operator, context: Context, x: Tensor, mask: Tensor | None = None) -> Looking:
    """What is looked at of clouds ``x (B, M, d_x)``, valid where ``mask (B, M)``.

    Args:
        operator: whose attention it is.
        context: of the clouds, from :meth:`Operator.encode`.
        x: the same clouds.
        mask: as given there.
    """
    with torch.no_grad():
        shares = None if operator.tokens is None else operator.tokens.shares(x, mask)
    return Looking(operator, context, torch.cat(context.keys, 1), shares)
