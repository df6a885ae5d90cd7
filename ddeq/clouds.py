"""Point clouds: what one is, how a file becomes one, and which are refused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.formats import SUFFIXES, parse
from ddeq.formats.limits import MAX_POINTS, too_many_points

MAX_BYTES = 200_000_000

_FLAT = 1e-3  # thickness of a flat cloud, as a fraction of its largest extent
_SMALLEST, _LARGEST = 1e-30, 1e30  # extents whose squares are still exact enough


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points in the plane or in space, with the name messages and figures call them."""

    points: np.ndarray
    """float64 (M, d), d in {2, 3}; in the plane y points up."""
    name: str


def read_cloud(data: bytes | Path, name: str) -> PointCloud:
    """Read and validate a point cloud file; its suffix decides the format.

    Args:
        data: the content of the file, or its path.
        name: the name of the file, with suffix: one of `ddeq.formats.SUFFIXES`.

    Raises:
        UserError: the file cannot be read, or its points cannot be used (see `validate`).
    """
    suffix = Path(name).suffix.lower()
    shown = shorten(name)
    if suffix not in SUFFIXES:
        raise UserError(
            f"'{shown}' is not a kind of file that can be read, so give one of "
            f"{', '.join(SUFFIXES)}."
        )
    content = read_bytes(data, shown)
    cloud = PointCloud(parse(content, suffix, shown), name)
    validate(cloud)
    return cloud


def read_bytes(data: bytes | Path, shown: str) -> bytes:
    """The content of an uploaded file or of a path, unless it is empty or too large.

    Raises:
        UserError: it is, or the path cannot be read.
    """
    try:
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        if size >= MAX_BYTES:
            raise UserError(
                f"'{shown}' is {size / 1e6:,.0f} MB large and the limit is "
                f"{MAX_BYTES / 1e6:,.0f} MB, so thin the cloud out first."
            )
        content = data if isinstance(data, bytes) else data.read_bytes()
    except OSError as error:
        raise UserError(
            f"'{shown}' cannot be opened ({error.strerror}), so check its path."
        ) from error
    if not content.strip():
        raise UserError(f"'{shown}' is empty, so export or save it again.")
    return content


def validate(cloud: PointCloud) -> None:
    """Refuse a cloud that no model could use.

    Raises:
        UserError: too many points, NaN or infinite coordinates, fewer than three distinct points,
            or an extent too large or too small for floating-point arithmetic.
    """
    points, shown = cloud.points, shorten(cloud.name)
    if len(points) > MAX_POINTS:
        raise too_many_points(shown)
    broken = int((~np.isfinite(points)).any(axis=1).sum())
    if broken:
        raise UserError(
            f"'{shown}' has {broken:,} of {len(points):,} points with NaN or infinite "
            "coordinates, so remove them."
        )
    distinct = _count_distinct(points)
    if distinct == 1 and len(points) > 1:
        raise UserError(
            f"All {len(points):,} points of '{shown}' are equal, so give at least three "
            "different ones."
        )
    if distinct < 3:
        raise UserError(
            f"'{shown}' has only {distinct} different points, so give at least three of them."
        )
    with np.errstate(over="ignore"):
        extent = float(np.ptp(points, axis=0).max())
    if not _SMALLEST < extent < _LARGEST:
        raise UserError(
            f"The points of '{shown}' are too far apart or too close together to compute with, "
            "so rescale them to an extent of about one."
        )


def flatten(cloud: PointCloud) -> PointCloud:
    """The same cloud in two dimensions, if it lies in a plane.

    A coordinate that hardly varies is dropped and the others stay as they are: (x, y), (x, z) or
    (y, z). In an oblique plane, found by principal component analysis, the axes are the ones a
    coordinate plane has before it is tilted the shorter way into this one, so that a digit stays
    upright.

    Raises:
        UserError: the cloud is not flat: its smallest principal standard deviation is more than
            1/1000 of its largest; or the flat cloud fails `validate`.
    """
    points = cloud.points
    if points.shape[1] == 2:
        return cloud
    centred = points - points.mean(axis=0)  # (M,3)
    spread = centred.std(axis=0)  # (3,)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))  # (3,), (3,3) ascending
    thickness = np.sqrt(max(variances[0], 0.0) / variances[2])
    if spread[-1] <= _FLAT * spread.max():
        plane = points[:, :2]
    elif spread.min() <= _FLAT * spread.max():
        plane = np.delete(points, spread.argmin(), axis=1)
    elif thickness <= _FLAT:
        plane = points @ _axes_in_plane(normal=axes[:, 0])
    else:
        raise UserError(
            f"'{shorten(cloud.name)}' is not flat (its thickness is {thickness:.1%} of its "
            "extent), so give a cloud that lies in a plane."
        )
    flat = PointCloud(np.ascontiguousarray(plane), cloud.name)
    validate(flat)
    return flat


def _axes_in_plane(normal: np.ndarray) -> np.ndarray:
    """Two orthonormal axes, the columns of (3, 2), of the plane with this unit normal (3,).

    They are the plane's counterparts of the two coordinate axes that lean least out of it.
    """
    # Ties go to dropping z, then y: rounded, so that they do not depend on the last bit.
    dropped = 2 - int(np.argmax(np.abs(normal[::-1]).round(6)))
    first, second = (axis for axis in range(3) if axis != dropped)
    right = np.eye(3)[first] - normal[first] * normal
    right /= np.linalg.norm(right)
    up = np.cross(normal, right)
    return np.stack([right, up * np.sign(up[second])], axis=1)


def _count_distinct(points: np.ndarray) -> int:
    """0, 1, 2, or 3 for three and more; linear in the number of points, as sorting is not."""
    for distinct in range(3):
        if len(points) == 0:
            return distinct
        points = points[(points != points[0]).any(axis=1)]
    return 3


def shorten(name: str) -> str:
    """A name for messages: on one line, and not longer than 80 characters."""
    return " ".join(name.split())[:80]
