"""Batch normalisation of points, whose padding must not enter the statistics."""

from __future__ import annotations

from torch import Tensor, nn


class PointNorm(nn.BatchNorm1d):
    """Batch normalisation of every feature over all valid points of all clouds."""

    def forward(self, t: Tensor, mask: Tensor | None = None) -> Tensor:
        """Of ``t (B, n, w)``, valid where ``mask (B, n)``, all if None; what is not valid is 0."""
        if mask is None:
            return super().forward(t.flatten(0, 1)).view_as(t)
        normal = t.new_zeros(t.shape)
        normal[mask] = super().forward(t[mask])
        return normal
