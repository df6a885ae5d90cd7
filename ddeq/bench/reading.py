"""How long a large upload takes to read, beside Open3D alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SAMPLE = 1_024  # points, drawn from the cloud as a model takes them

_RECORD = np.dtype([("numbers", "<f4", 6), ("colours", "u1", 3)])
_HEADER = (
    "ply\nformat binary_little_endian 1.0\nelement vertex {}\n"
    "property float x\nproperty float y\nproperty float z\n"
    "property float nx\nproperty float ny\nproperty float nz\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
)


def write_ply(path: Path, size: int) -> int:
    """A cloud of about ``size`` bytes with normals and colours, as scanners write it.

    Returns:
        How many points it has.
    """
    records = np.zeros(size // _RECORD.itemsize, _RECORD)
    rng = np.random.default_rng(0)
    records["numbers"] = rng.standard_normal((len(records), 6), np.float32)
    path.write_bytes(_HEADER.format(len(records)).encode() + records.tobytes())
    return len(records)


def bench(size: int = 100_000_000, repeats: int = 3) -> dict[str, float]:
    """Seconds to read a PLY file and draw 1,024 of its points, medians over ``repeats``.

    Ours includes starting the process that reads, and every check; both read the file from disk
    (that is, from the system's cache of it), and Open3D is imported before.

    Args:
        size: of the file, in bytes.
        repeats: of both measurements, which take turns.
    """
    import open3d as o3d

    from ddeq.input.clouds import read_file

    def ours() -> np.ndarray:
        points = read_file(path, path.name).cloud.points
        return points[np.random.default_rng(0).choice(len(points), SAMPLE, shuffle=False)]

    def open3d() -> np.ndarray:
        cloud = o3d.io.read_point_cloud(path)
        return np.asarray(cloud.random_down_sample(SAMPLE / len(cloud.points)).points)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.ply")
        count = write_ply(path, size)
        ours(), open3d()  # warm up
        mine, theirs = [], []
        for _ in range(repeats):
            mine.append(_seconds(ours))
            theirs.append(_seconds(open3d))
        written = path.stat().st_size
    seconds, reference = statistics.median(mine), statistics.median(theirs)
    return {
        "bytes": written,
        "points": count,
        "seconds": seconds,
        "seconds_open3d": reference,
        "ratio": seconds / reference,
    }


def _seconds(work: Callable[[], np.ndarray]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
