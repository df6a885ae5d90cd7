"""What models learn, by the names of their kinds."""

from ddeq.training.tasks import classification, completion
from ddeq.training.tasks.task import Losses, Task

TASKS: dict[str, Task] = {
    "classifier": classification.BySolving(),
    "pointmlp": classification.AtOnce(),
    "pointnet": classification.AtOnce(),
    "completer": completion.BySolving(),
    "pcn": completion.AtOnce(),
}

__all__ = ["TASKS", "Losses", "Task"]
