"""Page *Learn*: the method in six chapters, each with a figure that answers."""

from ddeq.view.learn import CHAPTERS
from ddeq.view.learn.frame import show
from ddeq.view.navigation import inside_app

inside_app()
show(CHAPTERS)
