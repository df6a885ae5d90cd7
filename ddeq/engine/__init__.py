"""Many solves at once: who may work now, what they have come to, and who asks for one.

``submit(request)`` gives a job, which is iterated for chunks of the player's format.
"""

from ddeq.engine.job import Job
from ddeq.engine.request import Request
from ddeq.engine.submitting import submit

__all__ = ["Job", "Request", "submit"]
