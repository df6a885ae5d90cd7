"""Page *Learn*: six chapters, each a text beside a figure that answers."""

from ddeq.view.learn import (
    clouds,
    descent,
    fixed_points,
    forward,
    learning,
    real,
)
from ddeq.view.learn.frame import Chapter

CHAPTERS: tuple[Chapter, ...] = tuple(
    module.CHAPTER for module in (fixed_points, clouds, descent, forward, learning, real)
)
