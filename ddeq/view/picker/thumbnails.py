"""Small pictures of clouds in space."""

from __future__ import annotations

import math

import numpy as np

AZIMUTH, ELEVATION = math.radians(-55), math.radians(22)  # from the front, a little to the right
_DOT = 2  # a point covers so many pixels each way
_FILL = 0.9  # share of the picture that the cloud takes
_FARTHEST = 90  # ink of the farthest point; the nearest has 255


def thumbnail(points: np.ndarray, side: int) -> np.ndarray:
    """A cloud ``(M, 3)``, z up, as ink, uint8 ``(side, side)``: near points cover far ones."""
    right = np.array([-math.sin(AZIMUTH), math.cos(AZIMUTH), 0])
    ahead = np.array([math.cos(AZIMUTH), math.sin(AZIMUTH), 0])  # towards the camera, level
    up = math.cos(ELEVATION) * np.array([0, 0, 1]) - math.sin(ELEVATION) * ahead
    near = np.cross(right, up)
    flat = points @ np.stack([right, -up], axis=1)  # (M, 2), to the right and down
    low, high = flat.min(axis=0), flat.max(axis=0)
    flat = (flat - (low + high) / 2) * _FILL * side / max(float((high - low).max()), 1e-30)
    x, y = np.rint(flat + side / 2).astype(int).T  # (M,) each
    depth = points @ near
    depth = (depth - depth.min()) / max(float(np.ptp(depth)), 1e-30)
    ink = (_FARTHEST + (255 - _FARTHEST) * depth).astype(np.uint8)
    picture = np.zeros((side, side), np.uint8)
    for dx in range(_DOT):
        for dy in range(_DOT):
            at = np.clip(y + dy, 0, side - 1), np.clip(x + dx, 0, side - 1)
            np.maximum.at(picture, at, ink)
    return picture
