"""What stands out from the paper: ink, as far as it differs from the paper around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BOX = 20  # pixels of a digit's largest side in MNIST
_WIDEST_STROKE = 1 / 3  # of the picture's largest side; wider is paper
_THUMBNAIL = 48  # pixels that tell which is ink and which is paper
_LEAST_CONTRAST = 12  # grey levels of 255 between ink and paper
_BLUR = 0.3  # of the contrast: fainter borders of a large digit are blur, not ink


@dataclass(frozen=True, eq=False)
class Ink:
    """Ink on paper."""

    amount: np.ndarray
    """float64 (H, W), 0 on the paper and 1 on full ink."""
    core: np.ndarray
    """bool (H, W), what surely is ink."""


def raised_strokes(grey: np.ndarray) -> np.ndarray:
    """How far each pixel (H, W) stands out from the paper around it, brighter or darker."""
    from scipy import ndimage  # slow to import, and only pictures need it

    bright_on_dark = grey if _is_bright_on_dark(grey) else grey.max() - grey
    element = max(3, round(_WIDEST_STROKE * max(grey.shape)))
    # Opening erases what is narrower than its element and keeps shadows and slopes of light.
    around = np.pad(bright_on_dark, element, mode="edge")
    paper = ndimage.grey_opening(around, size=element)[element:-element, element:-element]
    return bright_on_dark - paper


def stands_out(raised: np.ndarray) -> Ink | None:
    """The ink among what stands out (H, W); None where that is no more than the paper's noise."""
    from skimage.filters import threshold_isodata

    if np.ptp(raised) < _LEAST_CONTRAST:
        return None
    core = raised > threshold_isodata(raised)
    paper, noise = _paper_level(raised[~core])
    if not core.any() or raised[core].mean() - paper < max(_LEAST_CONTRAST, 6 * noise):
        return None
    full = raised[core].mean()
    faintest = paper + 3 * noise + _blur(core) * (full - paper)
    return Ink(((raised - faintest) / (full - faintest)).clip(0, 1), core)


def _blur(core: np.ndarray) -> float:
    """The fraction of the contrast below which a border is blur, for a digit with this core (H, W).

    None in a picture as small as MNIST's, whose grey borders are pixels covered in part.
    """
    extent = max(np.ptp(np.flatnonzero(core.any(axis=axis))) + 1 for axis in (0, 1))
    return _BLUR * max(0.0, 1 - _BOX / extent)


def _paper_level(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the paper's noise, supposed normal.

    From the lower quarter of the values, because the soft borders of strokes are in the upper ones.
    """
    low, quarter = np.percentile(values, (5, 25))
    deviation = (quarter - low) / (1.645 - 0.674)  # the normal distribution's quantiles
    return quarter + 0.674 * deviation, deviation


def _is_bright_on_dark(grey: np.ndarray) -> bool:
    """Whether the strokes are brighter than the paper: ink is the smaller part of a picture."""
    from scipy import ndimage  # slow to import, and only pictures need it
    from skimage.transform import resize_local_mean

    scale = min(1.0, _THUMBNAIL / max(grey.shape))
    small = resize_local_mean(grey, [max(1, round(scale * side)) for side in grey.shape])
    window = round(_WIDEST_STROKE * max(small.shape)) | 1
    paper = ndimage.median_filter(small, window, mode="nearest")
    return float(((small - paper) ** 3).sum()) > 0
