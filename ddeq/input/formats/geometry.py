"""What a file holds, before anything is drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Geometry:
    """A point cloud, or a mesh where there are triangles; coordinates not yet checked for NaN."""

    points: np.ndarray
    """float64 (M, 2) or (M, 3): the cloud, or the vertices of the mesh, always (M, 3)."""
    triangles: np.ndarray | None = None
    """int64 (F, 3): indices into ``points``; polygons are cut into triangles."""
    faces: int = 0
    """Faces of the file, each polygon counted once."""
    units: str | None = None
    """Of length, where the file declares them."""
    up: str | None = None
    """The axis that points up where the format or its custom says so: "y" or "z"."""
    has_colours: bool = False
    has_normals: bool = False
    notes: tuple[str, ...] = ()
    """What a person should know about the reading: whole sentences."""

    @property
    def corners(self) -> np.ndarray:
        """The triangles of what is known to be a mesh.

        Raises:
            ValueError: it is a cloud.
        """
        if self.triangles is None:
            raise ValueError("a cloud has no triangles")
        return self.triangles
