"""How much a file may hold, and the messages that several formats share."""

from __future__ import annotations

from ddeq.errors import UserError

MAX_POINTS = 5_000_000  # of a cloud, and vertices of a mesh
MAX_FACES = 5_000_000
MAX_UNPACKED = (
    200_000_000  # bytes of a file that is packed whole, as large as one may be that is not
)


def too_many_points(name: str) -> UserError:
    return UserError(f"'{name}' has more than {MAX_POINTS:,} points, so thin it out first.")


def too_many_faces(name: str) -> UserError:
    return UserError(f"'{name}' has more than {MAX_FACES:,} faces, so simplify the mesh first.")


def cut_short(name: str, what: str = "points") -> UserError:
    return UserError(f"'{name}' ends before all the {what} it declares, so export it again.")


def no_points(name: str) -> UserError:
    return UserError(f"'{name}' holds no points, so export a cloud that has some.")


def no_faces(name: str) -> UserError:
    return UserError(
        f"'{name}' is a mesh without faces, so export its surface too, or its points as .ply."
    )


def broken_mesh(name: str, kind: str) -> UserError:
    return UserError(f"'{name}' is not a whole {kind} file, so export the model again.")
