"""How much a file may hold, and the messages that several formats share."""

from ddeq.errors import UserError

MAX_POINTS = 5_000_000


def too_many_points(name: str) -> UserError:
    return UserError(f"'{name}' has more than {MAX_POINTS:,} points, so thin it out first.")


def cut_short(name: str) -> UserError:
    return UserError(f"'{name}' ends before all the points it declares, so export it again.")
