"""Page *Solver lab*: sections, each with ``forms`` for the left side and ``show`` for the right."""

from ddeq.view.lab import early_exit, equilibria, fork, phase, race, witness

SECTIONS = {
    "Race": race,
    "Fork": fork,
    "Is there one equilibrium?": equilibria,
    "Phase diagram": phase,
    "Does the flow matter?": early_exit,
    "Witness": witness,
}
