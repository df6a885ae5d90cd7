"""The bytes of a point cloud file to an array of coordinates; nothing in the bytes is trusted.

Every size a file declares is checked against the bytes that are there before anything is allocated
for it. One module a family of formats: `text`, `arrays` (NumPy), `records` (PLY and PCD).
"""

from collections.abc import Callable

import numpy as np

from ddeq.formats import arrays, records, text

_PARSERS: dict[str, Callable[[bytes, str], np.ndarray]] = {
    ".ply": records.parse_ply,
    ".pcd": records.parse_pcd,
    ".xyz": text.parse_xyz,
    ".pts": text.parse_pts,
    ".csv": text.parse_columns,
    ".txt": text.parse_columns,
    ".npy": arrays.parse_npy,
    ".npz": arrays.parse_npz,
}

SUFFIXES = tuple(_PARSERS)
"""The file name endings that can be read, in lower case."""


def parse(data: bytes, suffix: str, name: str) -> np.ndarray:
    """Decode a point cloud file.

    Args:
        data: the whole file.
        suffix: one of `SUFFIXES`; it decides the format.
        name: what messages call the file.

    Returns:
        float64 (M, 2) or (M, 3), not yet checked for NaN or for repeated points.

    Raises:
        UserError: the bytes are not a whole file of that format, or hold too many points.
    """
    return _PARSERS[suffix](data, name)
