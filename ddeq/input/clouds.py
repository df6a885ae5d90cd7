"""Point clouds: what one is, how a file becomes one, and which are refused."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats import SUFFIXES, is_packed, kind_of, parse, surface, unknown_kind
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, too_many_points
from ddeq.input.formats.sandbox import parse_apart

MAX_BYTES = 200_000_000
SURFACE_POINTS = 10_000
"""Points drawn from a mesh, unless a caller asks for another number."""

_FLAT = 1e-3  # thickness of a flat cloud, as a fraction of its largest extent
_SMALLEST, _LARGEST = 1e-30, 1e30  # extents whose squares are still exact enough
_FAR = 10  # times as far from the middle as nine of ten points: then a point is far from the others
_SAMPLED = 10_000  # points that tell how far they usually are
_ROW = 256  # points reduced together
_HEAD = 1_000  # points among which three distinct ones are usually found

# Starting a process takes a quarter of a second, which nobody should wait for a drawn digit. Small
# files of these kinds are read in this one: no library but NumPy and pandas sees them, nothing in
# them is unpacked, and the time and the memory they take are bounded by their size.
_SMALL = 1_000_000  # bytes
_SAYS_UP = (".gltf", ".glb", ".las", ".laz", ".bin")  # y in glTF, z in scans of the ground
_PLAIN = (".csv", ".txt", ".xyz", ".pts", ".asc", ".npy")

Sampling = Literal["uniform", "poisson disk"]


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points in the plane or in space, with the name messages and figures call them."""

    points: np.ndarray
    """float64 (M, d), d in {2, 3}; in the plane y points up."""
    name: str


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from a file, and the cloud that is used of it."""

    cloud: PointCloud
    """The points of the file, or points drawn from the surface of the mesh; the file's axes."""
    kind: Literal["cloud", "mesh"]
    points: int
    """Points of the file, or vertices of the mesh."""
    faces: int
    """Faces of the mesh, each polygon counted once; 0 for a cloud."""
    extent: tuple[float, ...]
    """Size along each axis, in ``units``."""
    units: str | None
    """Of length, such as "m", where the file declares them."""
    up_axis: str
    """A guess: what the format says or is customary with it; one of `UP_AXES`."""
    has_colours: bool
    has_normals: bool
    notes: tuple[str, ...]
    """What a person should know about the reading: whole sentences."""
    area: float | None = None
    """Of the mesh's surface, in squared ``units``."""
    mesh: Geometry | None = None
    """To draw from again; its triangles all have some area."""
    up_said: bool = False
    """Whether the format itself says which axis points up; else `up_axis` is a custom."""


def read_cloud(data: bytes | Path, name: str, count: int = SURFACE_POINTS) -> PointCloud:
    """The cloud of `read_file`, for those who need no more."""
    return read_file(data, name, count).cloud


def read_file(
    data: bytes | Path,
    name: str,
    count: int = SURFACE_POINTS,
    sampling: Sampling = "uniform",
    seed: int = 0,
) -> Reading:
    """Read and validate a point cloud or a mesh; the suffix of its name decides the format.

    Everything but small plain text and arrays is read in a process of its own.

    Args:
        data: the content of the file, or its path.
        name: the name of the file, with suffix: one of `ddeq.input.formats.SUFFIXES`.
        count, sampling, seed: of the points on a mesh, see `draw_from`; clouds are used whole.

    Raises:
        UserError: the file cannot be read, or its points cannot be used (see `validate`).
    """
    suffix = kind_of(name)
    shown = shorten(name)
    if suffix not in SUFFIXES:
        raise unknown_kind(suffix, shown)
    size = _check_size(data, shown)
    content = read_bytes(data, shown) if suffix in _PLAIN and size < _SMALL else None
    if content is not None and not is_packed(content):
        geometry = parse(content, suffix, shown)
    else:
        geometry = parse_apart(data, suffix, shown)
    if geometry.triangles is None:
        reading = _read_points(geometry, name)
    else:
        mesh = _read_mesh(geometry, geometry.triangles, name)
        reading = draw_from(mesh, count, sampling, seed)
    return dataclasses.replace(reading, up_said=suffix in _SAYS_UP)


def draw_from(
    reading: Reading, count: int, sampling: Sampling = "uniform", seed: int = 0
) -> Reading:
    """The reading with ``count`` points drawn anew from the surface of its mesh.

    Args:
        reading: of a mesh; that of a cloud stays as it is.
        count: points to draw.
        sampling: "uniform" by area, each point by itself, or "poisson disk": evenly spread.
        seed: of the randomness.

    Raises:
        UserError: not from three up to `MAX_POINTS` points are asked for.
    """
    if reading.mesh is None or reading.mesh.triangles is None:
        return reading
    if not 3 <= count <= MAX_POINTS:
        raise UserError(
            f"{count:,} points cannot be drawn from a surface, so ask for 3 to {MAX_POINTS:,}."
        )
    vertices, triangles = reading.mesh.points, reading.mesh.triangles
    if sampling == "uniform":
        rng = np.random.default_rng(seed)
        points = surface.sample_uniform(vertices, triangles, count, rng)
    else:
        points = surface.sample_poisson_disk(vertices, triangles, count, seed)
    return dataclasses.replace(reading, cloud=PointCloud(points, reading.cloud.name))


def _read_points(geometry: Geometry, name: str) -> Reading:
    geometry = _without_missing(geometry, name)
    cloud = PointCloud(geometry.points, name)
    validate(cloud)
    flat = geometry.points.shape[1] == 2
    if far := int(_far(geometry.points).sum()):
        note = f"{far:,} of {len(geometry.points):,} points lie far from the others."
        geometry = dataclasses.replace(geometry, notes=(*geometry.notes, note))
    return _describe(geometry, cloud, "cloud", up_axis="y" if flat else geometry.up or "z")


def _without_missing(geometry: Geometry, name: str) -> Geometry:
    """A cloud without the points that have no coordinates: places where a scanner saw nothing.

    Raises:
        UserError: fewer than three different points are left.
    """
    points = geometry.points
    if np.isfinite(_bounds(points)).all() or not len(points):
        return geometry
    whole = np.isfinite(points).all(axis=1)
    missing = f"{len(whole) - int(whole.sum()):,} of {len(whole):,} points"
    if _count_distinct(points[whole]) < 3:
        raise UserError(
            f"'{shorten(name)}' has {missing} with NaN or infinite coordinates, so give at least "
            "three different ones without."
        )
    note = f"{missing} have no coordinates (NaN or infinite) and are left out."
    return dataclasses.replace(geometry, points=points[whole], notes=(note, *geometry.notes))


def _read_mesh(geometry: Geometry, triangles: np.ndarray, name: str) -> Reading:
    """Without a cloud yet: of the vertices instead.

    Raises:
        UserError: its vertices cannot be used, or no triangle has any area.
    """
    cloud = PointCloud(geometry.points, name)
    _validate_coordinates(cloud)
    kept = surface.have_area(geometry.points, triangles)
    if not kept.any():
        raise UserError(
            f"No triangle of '{shorten(name)}' has any area, so check the mesh and export it again."
        )
    flat = len(kept) - int(kept.sum())
    notes = geometry.notes + (f"{flat:,} triangles without area are ignored.",) * (flat > 0)
    mesh = dataclasses.replace(geometry, triangles=triangles[kept], notes=notes)
    area = float(surface.areas(mesh.points, triangles[kept]).sum())
    reading = _describe(mesh, cloud, "mesh", up_axis=geometry.up or "z")
    used = mesh.points[np.unique(triangles[kept])]
    return dataclasses.replace(reading, mesh=mesh, area=area, extent=_extent(used))


def _describe(
    geometry: Geometry, cloud: PointCloud, kind: Literal["cloud", "mesh"], up_axis: str
) -> Reading:
    extras = ("colours",) * geometry.has_colours + ("normals",) * geometry.has_normals
    ignored = (f"Its {' and '.join(extras)} are ignored.",) if extras else ()
    return Reading(
        cloud,
        kind,
        points=len(geometry.points),
        faces=geometry.faces,
        extent=_extent(geometry.points),
        units=geometry.units,
        up_axis=up_axis,
        has_colours=geometry.has_colours,
        has_normals=geometry.has_normals,
        notes=geometry.notes + ignored + _rounded(geometry.points),
    )


def _rounded(points: np.ndarray) -> tuple[str, ...]:
    """A note where single precision, far from the origin, has cost the points their decimals."""
    low, high = _bounds(points)
    step = float(np.spacing(np.float32(np.abs([low, high]).max())))
    if step <= _FLAT * (high - low).max() or (points.astype(np.float32) != points).any():
        return ()
    return (
        f"Its coordinates are in single precision and far from the origin, so steps of {step:.2g} "
        "are all that is left of their decimals.",
    )


def _extent(points: np.ndarray) -> tuple[float, ...]:
    low, high = _bounds(points)
    return tuple((high - low).tolist())


def _bounds(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest coordinates of points (M, d): (d,) each; NaN where one of them is NaN.

    In rows of many points first, as NumPy takes ten times as long for rows of two or three numbers.
    """
    width = points.shape[1]
    cut = len(points) - len(points) % _ROW
    wide, rest = points[:cut].reshape(-1, _ROW * width), points[cut:]
    low = np.concatenate([wide.min(axis=0, initial=np.inf).reshape(-1, width), rest])
    high = np.concatenate([wide.max(axis=0, initial=-np.inf).reshape(-1, width), rest])
    return low.min(axis=0), high.max(axis=0)


def read_bytes(data: bytes | Path, shown: str) -> bytes:
    """The content of an uploaded file or of a path, unless it is empty or too large.

    Raises:
        UserError: it is, or the path cannot be read.
    """
    _check_size(data, shown)
    try:
        content = data if isinstance(data, bytes) else data.read_bytes()
    except OSError as error:
        raise _cannot_open(shown, error) from error
    if not content.strip():
        raise UserError(f"'{shown}' is empty, so export or save it again.")
    return content


def _check_size(data: bytes | Path, shown: str) -> int:
    """In bytes, if that is allowed."""
    try:
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
    except OSError as error:
        raise _cannot_open(shown, error) from error
    if size >= MAX_BYTES:
        raise UserError(
            f"'{shown}' is {size / 1e6:,.0f} MB large and the limit is "
            f"{MAX_BYTES / 1e6:,.0f} MB, so thin the cloud out first."
        )
    return size


def _cannot_open(shown: str, error: OSError) -> UserError:
    return UserError(f"'{shown}' cannot be opened ({error.strerror}), so check its path.")


def validate(cloud: PointCloud) -> None:
    """Refuse a cloud that no model could use.

    Raises:
        UserError: too many points, NaN or infinite coordinates, fewer than three distinct points,
            or an extent too large or too small for floating-point arithmetic.
    """
    if len(cloud.points) > MAX_POINTS:
        raise too_many_points(shorten(cloud.name))
    _validate_coordinates(cloud)


def _validate_coordinates(cloud: PointCloud) -> None:
    points, shown = cloud.points, shorten(cloud.name)
    low, high = _bounds(points)
    if len(points) and not np.isfinite([low, high]).all():
        broken = int((~np.isfinite(points)).any(axis=1).sum())
        raise UserError(
            f"'{shown}' has {broken:,} of {len(points):,} points with NaN or infinite "
            "coordinates, so remove them."
        )
    distinct = _count_distinct(points[:_HEAD])
    if distinct < 3:
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
        extent = float((high - low).max())
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
        UserError: the cloud, or all of it but few points that are far from the others, is not
            flat: its smallest principal standard deviation is more than
            1/1000 of its largest; or the flat cloud fails `validate`.
    """
    points = cloud.points
    if points.shape[1] == 2:
        return cloud
    near = ~_far(points)
    if not near.all():  # a few far points would make anything flat
        flatten(PointCloud(points[near], cloud.name))
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


def _far(points: np.ndarray) -> np.ndarray:
    """Which of the points (M, d) are far from all others: bool (M,)."""
    few = points[:: max(1, len(points) // _SAMPLED)]
    middle = np.median(few, axis=0)
    usual = np.quantile(np.linalg.norm(few - middle, axis=1), 0.9)
    return (
        np.linalg.norm(points - middle, axis=1) > _FAR * usual
        if usual > 0
        else (np.zeros(len(points), bool))
    )


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
