"""Batches of clouds with a part missing, to learn completion from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ddeq.input.partial import Orbit, beyond_plane, outside_sphere, seen_from
from ddeq.model.completer import free_count
from ddeq.training.datasets.packed import Batch, standardised_by
from ddeq.training.datasets.wear import Wear


class Cut(Protocol):
    """A way to remove a part of every cloud of a batch.

    Attributes:
        isotropic: whether what is left is standardised with its proportions.
    """

    isotropic: bool

    def known(self, x: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
        """Which points of standardised clouds ``(B, M, d)`` with ``mask (B, M)`` remain."""

    def sensed(
        self, x: Tensor, mask: Tensor, kept: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The clouds as a sensor has them that sees what is ``kept (B, M)``: ``x`` and ``mask``."""

    def free(self, batch: Partial, total: float) -> Tensor:
        """How many points complete each cloud, ``(B,)``; ``total`` is the model's rule."""


@dataclass(frozen=True)
class Holes:
    """How clouds are cut: around points of their own, drawn at random.

    The paper's rule, for digits, is two holes of radius 0.6 (paper, section 4.2).

    Attributes:
        count: fewest and most holes of a cloud.
        radius: smallest and largest, in units of the standardised whole cloud.
    """

    count: tuple[int, int] = (2, 2)
    radius: tuple[float, float] = (0.6, 0.6)
    isotropic = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", tuple(self.count))
        object.__setattr__(self, "radius", tuple(self.radius))

    def known(self, x: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
        """Which points remain, ``(B, M)`` bool.

        Args:
            x: standardised clouds ``(B, M, d)``.
            mask: ``(B, M)`` bool, True where valid.
            generator: for centres, counts and radii.
        """
        most = self.count[1]
        if most == 0:
            return mask
        centres = torch.multinomial(mask.float(), most, generator=generator)  # (B, most)
        centres = x.gather(1, centres[..., None].expand(-1, -1, x.shape[-1]))  # (B, most, d)
        low, high = self.radius
        radius = low + (high - low) * torch.rand(len(x), 1, most, generator=generator)
        holes = torch.randint(self.count[0], most + 1, (len(x), 1, 1), generator=generator)
        open_hole = torch.arange(most) < holes  # (B, 1, most)
        exact = "donot_use_mm_for_euclid_dist"
        inside = (torch.cdist(x, centres, compute_mode=exact) <= radius) & open_hole  # (B, M, most)
        return mask & ~inside.any(2)

    def sensed(
        self, x: Tensor, mask: Tensor, kept: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """As they are: digits are not scanned."""
        return x, mask

    def free(self, batch: Partial, total: float) -> Tensor:
        """By the paper's rule."""
        return free_count(batch.known_mask.sum(1), total)


@dataclass(frozen=True)
class Views:
    """How objects in space are cut: a scan from one side, or a sphere or half-space removed.

    Attributes:
        scan, sphere, plane: how often, relative to each other.
        sphere_share, plane_share: smallest and largest share of the points that these remove.
        wear: what a sensor does to what is left.
    """

    scan: float = 2.0
    sphere: float = 1.0
    plane: float = 1.0
    sphere_share: tuple[float, float] = (0.15, 0.4)
    plane_share: tuple[float, float] = (0.2, 0.5)
    wear: Wear = field(default_factory=Wear)
    isotropic = True

    def __post_init__(self) -> None:
        if isinstance(self.wear, dict):  # out of a recipe
            object.__setattr__(self, "wear", Wear(**self.wear))

    def known(self, x: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
        """Which points remain, ``(B, M)`` bool; arguments as of :meth:`Holes.known`."""
        shares = torch.tensor([float(n) for n in (self.scan, self.sphere, self.plane)])
        ways = torch.multinomial(shares, len(x), replacement=True, generator=generator)
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        kept = torch.zeros_like(mask)
        for k, way in enumerate(ways.tolist()):
            points = x[k, mask[k]].numpy()
            keep = (self._scan, self._sphere, self._plane)[way](points, rng)
            keep &= self.wear.unstriped(points, rng)
            kept[k, mask[k]] = torch.from_numpy(keep)
        return kept

    def sensed(
        self, x: Tensor, mask: Tensor, kept: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """With the sensor's noise, and without the points that it misses."""
        return self.wear.sensed(x, mask, kept, generator)

    def free(self, batch: Partial, total: float) -> Tensor:
        """As many as were removed."""
        return (batch.full_mask.sum(1) - batch.known_mask.sum(1)).clamp_min(1)

    def _scan(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return seen_from(points, Orbit.random(rng).position(points))

    def _sphere(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        centre = points[rng.integers(len(points))]
        away = np.linalg.norm(points - centre, axis=1)
        radius = float(np.quantile(away, rng.uniform(*self.sphere_share)))
        return outside_sphere(points, centre, radius)

    def _plane(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        offset = float(np.quantile(points @ normal, rng.uniform(*self.plane_share)))
        return beyond_plane(points, normal, offset)


@dataclass(frozen=True)
class Partial:
    """Clouds with holes, in units in which the *known* points are standardised.

    Whoever completes a cloud has only its known points to standardise by; to standardise by the
    whole cloud would give away where it continues.

    Attributes:
        known: ``(B, K, d)``, with ``known_mask (B, K)``.
        full: the whole clouds ``(B, M, d)``, with ``full_mask (B, M)``.
        kept: which of their points are known, ``(B, M)`` bool.
    """

    known: Tensor
    known_mask: Tensor
    full: Tensor
    full_mask: Tensor
    kept: Tensor

    def to(self, device: torch.device | str) -> Partial:
        """The same batch on another device."""
        return Partial(*(t.to(device) for t in vars(self).values()))


def cut(batch: Batch, holes: Cut, generator: torch.Generator, least: int = 3) -> Partial:
    """Cut standardised clouds; one that would keep fewer than ``least`` is spared."""
    kept = holes.known(batch.x, batch.mask, generator)  # (B, M)
    kept = torch.where((kept.sum(1) >= least)[:, None], kept, batch.mask)
    x, mask = holes.sensed(batch.x, batch.mask, kept, generator)
    enough = ((kept & mask).sum(1) >= least)[:, None]
    mask = torch.where(enough, mask, batch.mask)  # (B, M)
    kept = kept & mask
    counts = kept.sum(1)  # (B,)
    order = kept.int().argsort(dim=1, descending=True, stable=True)[:, : int(counts.max())]
    known_mask = torch.arange(order.shape[1]) < counts[:, None]  # (B, K)
    full = standardised_by(x, mask, kept, holes.isotropic)
    known = full.gather(1, order[..., None].expand(-1, -1, full.shape[-1]))  # (B, K, d)
    known = known.masked_fill(~known_mask[..., None], 0.0)
    return Partial(known, known_mask, full, mask, kept)
