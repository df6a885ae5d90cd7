"""What experiments came to, in plain sentences with the marks of ``view.glossary.say``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ddeq.input.families import Family
from ddeq.lab.early_exit import Anytime, Score
from ddeq.lab.equilibria import Ends
from ddeq.lab.phase import Grid, Map
from ddeq.lab.race import Result, Standing
from ddeq.view.words import class_name, with_article

_W2 = "[[W2|Wasserstein distance]]"
EXACTLY = 0.05  # of the spread: no further apart than this is the same, not merely near


def race_sentence(result: Result) -> str:
    """Who won, if anybody did, and who is not ranked for which reason; Markdown."""
    said = [_winner(result)]
    first = next((s for s in result.standings if s.equilibrium == 0), None)
    for s in result.standings:
        if s.equilibrium < 0:
            said.append(
                f"**{s.name}** never reached the target; it ended at {_percent(s.common)}."
                if np.isfinite(s.common)
                else f"**{s.name}** diverged."
            )
        elif s.collapsed:
            said.append(
                f"**{s.name}** found a different equilibrium: all its particles are at one point "
                f"(spread {s.spread:.2g}, {_percent(s.spread_kept)} of the start). A small "
                "objective says nothing there, so it is not ranked."
            )
        elif s.equilibrium > 0 and first is not None:
            said.append(
                f"**{s.name}** found a different equilibrium, {s.distance:.1f} away from that of "
                f"{first.name} ({_W2}; the spreads are {s.spread:.1f} and "
                f"{first.spread:.1f}), so it is not ranked."
            )
    labels = {s.label for s in result.standings}
    if len(labels) > 1:
        read = ", ".join(f"{s.name} reads {with_article(s.label, '')}" for s in result.standings)
        said.append(f"They do not agree on the class: {read}.")
    return " ".join(said)


def _winner(result: Result) -> str:
    goal = f"{_percent(result.target)} of the objective at the start"
    if len(result.standings) == 1:
        return "One lane alone is no race: add another."
    if result.fewest is None or result.fastest is None:
        return f"No winner: fewer than two lanes reached {goal} at the same equilibrium."
    by_name = {s.name: s for s in result.standings}
    fewest, fastest = by_name[result.fewest], by_name[result.fastest]
    few = f"{fewest.to_target} network evaluation{'' if fewest.to_target == 1 else 's'}"
    fast = f"{1000 * (fastest.seconds_to_target or 0.0):.0f} ms"
    apart = max(
        (s.distance for s in result.comparable if s.name != result.comparable[0].name), default=0.0
    )
    spread = result.comparable[0].spread
    same = (
        f"Those ranked end {'at' if apart <= EXACTLY * spread else 'near'} the same equilibrium, "
        f"at most {apart:.2g} apart ({_W2}) with a spread of {spread:.1f}."
    )
    if fewest is fastest:
        return f"**{fewest.name}** is first to {goal}: {few}, {fast}. {same}"
    return (
        f"To {goal}, **{fewest.name}** needs the fewest evaluations ({few}), and "
        f"**{fastest.name}** the least time ({fast}). {same}"
    )


def equilibria_sentence(found: Ends, same: float) -> str:
    """Whether there is one equilibrium, and what speaks for or against it; Markdown."""
    groups = found.groups(same)
    spreads = np.array([end.spread for end in found.ends])
    whole = ~groups.collapsed & (groups.labels >= 0)
    pairs = _apart(found, [int(k) for k in np.flatnonzero(whole)])
    typical = float(np.median(spreads[whole])) if whole.any() else 0.0
    said = [_verdict(found, groups.count, whole, pairs, typical, same)]
    fallen = int(groups.collapsed.sum())
    if fallen:
        said.append(
            f"**{fallen} of {len(found.ends)} runs [[collapsed|collapse]]**: all their particles "
            "are at one point, which is another equilibrium, however small its objective."
        )
    lost = int((groups.labels < 0).sum())
    if lost:
        said.append(f"{lost} diverged.")
    waiting = sum(not end.arrived for end in found.ends)
    if waiting:
        said.append(
            f"{waiting} of {len(found.ends)} had not reached the tolerance, so they may still be "
            "on their way: allow more steps."
        )
    labels = sorted({end.label for end in found.ends})
    said.append(
        f"All predict {with_article(labels[0])}."
        if len(labels) == 1
        else f"They do not agree on the class: {', '.join(map(class_name, labels))}."
    )
    worst = max(found.control_distances().values(), default=0.0)
    said.append(
        "Shuffling and padding the input changes nothing."
        if worst <= EXACTLY * max(typical, 1e-9)
        else f"Shuffling or padding the input moves the equilibrium by {worst:.2g}: it should not."
    )
    return " ".join(said)


def _apart(found: Ends, runs: Sequence[int]) -> list[float]:
    """W2 between runs of as many particles each: those of different numbers never quite agree."""
    return [
        float(found.apart[i, j])
        for i, j in combinations(runs, 2)
        if found.ends[i].particles == found.ends[j].particles
        and found.ends[i].seed != found.ends[j].seed
    ]


def _verdict(
    found: Ends, count: int, whole: np.ndarray, pairs: list[float], typical: float, same: float
) -> str:
    runs = int(whole.sum())
    if not runs:
        return "**No equilibrium with particles apart was found.**"
    furthest = float(found.apart[np.ix_(whole, whole)].max())
    scale = f"their particles spread over {typical:.1f}"
    if count > 1:
        return (
            f"**Several equilibria**: {len(found.ends)} runs end at {count} different ones, up to "
            f"{furthest:.1f} apart ({_W2}), and {scale}."
        )
    if max(pairs, default=0.0) <= EXACTLY * typical:
        return f"**One equilibrium**: {runs} runs end within {furthest:.2g} ({_W2}), and {scale}."
    if furthest > same * typical:
        return (
            f"**Equilibria in a chain**: {runs} runs end at different places, up to "
            f"{furthest:.1f} apart ({_W2}), with others between them, and {scale}."
        )
    return (
        f"**One only roughly**: {runs} runs end close together but not at the same place. Two "
        f"seeds with as many particles are {min(pairs):.2g} to {max(pairs):.2g} apart ({_W2}), and "
        f"{scale}."
    )


def phase_sentence(grid: Grid, found: Map) -> str:
    """The best cell whose particles did not collapse, and how many did; Markdown."""
    finite = np.isfinite(found.common)
    fallen, lost = int((found.collapsed & finite).sum()), int((found.steps >= 0).sum())
    lost -= int(finite.sum())
    usable = np.where(found.collapsed | ~finite, np.inf, found.common)
    said = []
    if np.isfinite(usable).any():
        row, column = np.unravel_index(usable.argmin(), usable.shape)
        said.append(
            f"Lowest [[objective]] with its particles apart: **{_percent(usable.min())}** of the "
            f"start at {grid.x.name.replace('_', ' ')} {grid.x.values[column]:g} and "
            f"{grid.y.name.replace('_', ' ')} {grid.y.values[row]:g}, spread "
            f"{_percent(found.spread_kept[row, column])} of the start."
        )
    if fallen:
        said.append(f"{fallen} cells [[collapsed|collapse]] to one point (\u2022).")
    if lost:
        said.append(f"{lost} [[diverged|divergence]] (\u00d7).")
    return " ".join(said)


def anytime_sentence(found: Anytime, family: Family) -> str:
    """What the flow adds for the gallery of a family, by the intervals; Markdown."""
    last, steps = found.scores[-1], len(found.scores) - 1
    said = [
        f"After {steps} steps {_score(last)} are read rightly, after 0 steps "
        f"{_score(found.scores[0])}, and after 1 step {_score(found.scores[min(1, steps)])}."
    ]
    if found.control is not None:
        said.append(_beside(found.control, last, family))
    said.append(
        f"**{found.enough()} step{' is' if found.enough() == 1 else 's are'}** as good as "
        f"{steps}, within the interval."
    )
    return " ".join(said)


def _beside(control: Score, last: Score, family: Family) -> str:
    """How the end of the flow compares to the control."""
    (low, high), (c_low, c_high) = last.interval, control.interval
    if low <= c_high and c_low <= high:
        verdict = f"the intervals overlap, so these {family.noun}s cannot tell them apart."
    else:
        verdict = f"the flow is {'better' if last.accuracy > control.accuracy else 'worse'}."
    return f"The [[same network trained without a flow|control]] reads {_score(control)}: {verdict}"


def _score(score: Score) -> str:
    low, high = score.interval
    return f"{score.correct} of {score.total} ({low:.1%} to {high:.1%})"


def standing_row(s: Standing) -> dict[str, object]:
    """A lane's line in the table."""
    return {
        "lane": s.name,
        "evaluations": s.evaluations,
        "seconds": s.seconds,
        "to target": s.to_target,
        "s to target": s.seconds_to_target,
        "objective": s.common,
        "spread": s.spread,
        "spread kept": s.spread_kept,
        "distinct": s.distinct,
        "class": class_name(s.label),
        "sure": s.confidence,
        "W2": s.distance,
    }


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 1 else f"{share:.0%}"
