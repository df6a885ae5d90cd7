"""The tour of page *Classify*: one minute."""

from ddeq.view.tour import Stop

AT_REST = (
    ".st-key-classify",
    "[data-testid=player-root][data-step]:not([data-live]):not([data-playing=true])",
)
"""The flow has come to its end, and has been seen to."""

STOPS = (
    Stop(
        "Pick what the network reads",
        "A real handwritten digit, an object in space, a file of yours, or a drawing. Pick another "
        "one at any time: it is solved at once.",
        (".st-key-choose-input",),
    ),
    Stop(
        "Watch the particles flow",
        "Dots are particles, rings show where the network sends them. At the equilibrium both are "
        "the same cloud. Play, step or drag along the timeline.",
        (".st-key-classify", "[data-testid=player-stage]"),
    ),
    Stop(
        "See it make up its mind",
        "How sure the network is of each class, at the step that the timeline shows. The curves "
        "below the timeline tell how far it is from the equilibrium.",
        (".st-key-classify", "[data-testid=player-bars]"),
    ),
    Stop(
        "Change how it is solved",
        "Another solver, longer steps, more particles: whatever you change is run again. Dotted "
        "words and question marks explain what you meet.",
        (".st-key-solver-settings",),
    ),
    Stop(
        "Share it, and go on",
        "The address of this page holds what you picked and set. Take the run home here, fill "
        "holes on page Complete, or have it all explained from zero on page Learn.",
        (".st-key-take-home",),
    ),
)
