"""How much one run may take where others wait: time, and memory by leaving steps out of the record.

Every step is recorded until half of the memory is used; later ones are left out evenly, so that
short runs are recorded whole however far their limit is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_FEWEST = 8  # steps recorded of any run


@dataclass(frozen=True)
class Budget:
    """What a run may take.

    Attributes:
        numbers: recorded of all steps together, four bytes each.
        seconds: of solving; what is done with the steps does not count.
    """

    numbers: float = math.inf
    seconds: float = math.inf


@dataclass(frozen=True)
class Record:
    """Which steps of a run are recorded besides its last.

    Attributes:
        whole: so many at first, one by one.
        every: after them one in so many.
    """

    whole: float = math.inf
    every: int = 1

    def __contains__(self, step: int) -> bool:
        return step < self.whole or (step - self.whole) % self.every == self.every - 1


def affordable(steps: int, numbers: int, budget: Budget) -> Record:
    """The record of a run that has a budget.

    Args:
        steps: the most that it takes, beside step 0.
        numbers: recorded of each.
        budget: of the run.
    """
    most = max(_FEWEST, budget.numbers / max(1, numbers))
    if steps + 1 <= most:
        return Record()
    whole = int(most) // 2
    return Record(whole, math.ceil((steps + 1 - whole) / (int(most) - 1 - whole)))
