"""How good completions are, beside those of other methods, and whether the flow helps.

Every method sees the same known points and adds the same number. All lengths are in units of the
standardised whole cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.evaluation.cases import Case
from ddeq.evaluation.steps import step_counts
from ddeq.input.preprocess import collate
from ddeq.metrics.distances import (
    chamfer,
    chamfer_squared,
    energy_distance,
    f_score,
    unevenness,
)
from ddeq.metrics.intervals import mean_interval
from ddeq.metrics.particles import spread
from ddeq.metrics.transport import emd
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.seeds import seed_of

DDEQ = "ddeq"
"""The method that is compared to all others."""

METRICS = {
    "mmd2": energy_distance,
    "chamfer": chamfer,
    "chamfer_squared": chamfer_squared,
    "emd": emd,
}
SHARES = {"f_score": 0.01, "f_score_2": 0.02}
"""F-scores by the share of the cloud's size that is near enough."""

Unlearned = Callable[[Case], np.ndarray]
"""A method that completes a case without a network, by points ``(N, d)``."""

Scores = dict[str, dict[str, np.ndarray]]
"""Region (whole, missing) to metric to one number a case."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A DDEQ's completions of ``K`` cases.

    Attributes:
        free: ``K`` arrays of free points ``(N_k, d)``.
        steps: solver steps used, ``(K,)``.
        relative_objective, spread: where the solves ended, ``(K,)``.
    """

    free: list[np.ndarray]
    steps: np.ndarray
    relative_objective: np.ndarray
    spread: np.ndarray


def _batches(cases: Sequence[Case], size: int) -> list[np.ndarray]:
    """Indices of cases, those of one size together: less padding to compute."""
    order = np.argsort([len(case.known) for case in cases], kind="stable")
    return np.array_split(order, -(-len(order) // size))


def _given(cases: Sequence[Case]) -> tuple[Tensor, Tensor, list[int]]:
    """Known points ``(B, K, d)``, their mask, and how many points each case is to get."""
    known, mask = collate([case.standard.points for case in cases])
    return known, mask, [case.free for case in cases]


def _undone(cases: Sequence[Case], points: Tensor, counts: Sequence[int]) -> list[np.ndarray]:
    """The first points of each row of ``(B, N, d)``, in units of the whole clouds."""
    arrays = points.detach().cpu().double().numpy()
    return [case.standard.undo(p[:n]) for case, p, n in zip(cases, arrays, counts, strict=True)]


@torch.no_grad()
def solve(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> Solved:
    """Complete every case by a DDEQ.

    Each case starts from a seed of its own, see :func:`ddeq.seeds.seed_of`.
    """
    model, limits = checkpoint.model, settings.limits
    free: list[np.ndarray] = [np.empty(0)] * len(cases)
    numbers = np.empty((3, len(cases)))
    for index in tqdm(_batches(cases, batch_size), unit="batch", desc=f"{limits.steps} steps"):
        batch = [cases[k] for k in index]
        known, known_mask, counts = _given(batch)
        seeds = [seed_of(limits.seed, case.number) for case in batch]
        encoded = model.encode(known.to(device), known_mask.to(device), counts)
        z0 = model.start(seeds, counts)
        end = flow_of(encoded, z0, settings, seeds, velocity=False).run()
        spreads = spread(end.particles, encoded.mask)
        for row, values in zip(numbers, (end.steps, end.relative_objective, spreads), strict=True):
            row[index] = values.cpu()
        for k, points in zip(
            index, _undone(batch, model.points(end.particles), counts), strict=True
        ):
            free[k] = points
    return Solved(free, *numbers)


@torch.no_grad()
def decode(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    device: torch.device | str = "cpu",
    batch_size: int = 64,
) -> list[np.ndarray]:
    """Complete every case by a network that predicts missing points at once."""
    model = checkpoint.model
    free: list[np.ndarray] = [np.empty(0)] * len(cases)
    for index in _batches(cases, batch_size):
        batch = [cases[k] for k in index]
        known, mask, counts = _given(batch)
        points = model.complete(known.to(device), mask.to(device), max(counts))
        for k, found in zip(index, _undone(batch, points, counts), strict=True):
            free[k] = found
    return free


def score(cases: Sequence[Case], free: Sequence[np.ndarray] | None) -> Scores:
    """Every metric of every case.

    ``whole`` compares the known and free points to the cloud, ``missing`` the free points to what
    was removed. Without free points, None, the known points are compared to the cloud.
    """
    whole = [case.whole for case in cases]
    if free is None:
        return {"whole": _compared(cases, [case.known for case in cases], whole)}
    completed = [np.concatenate([c.known, f]) for c, f in zip(cases, free, strict=True)]
    removed = [case.removed for case in cases]
    missing = _compared(cases, free, removed)
    if cases[0].known.shape[1] == 3:  # pixels lie as evenly as can be
        missing["unevenness"] = np.array(list(map(unevenness, free, removed)))
    return {"whole": _compared(cases, completed, whole), "missing": missing}


def _compared(
    cases: Sequence[Case], found: Sequence[np.ndarray], truth: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """Each metric between clouds, ``(K,)``."""
    with ThreadPoolExecutor() as pool:  # the EMD, by far the slowest, lets others work meanwhile
        table = {
            name: np.array(list(pool.map(metric, found, truth))) for name, metric in METRICS.items()
        }
        for name, share in SHARES.items():
            radii = [case.radius(share) for case in cases]
            table[name] = np.array(list(pool.map(f_score, found, truth, radii)))
    return table


def summary(values: np.ndarray, cases: Sequence[Case]) -> dict:
    """Mean of ``(K,)`` values with its 95 % interval; cases of one group are drawn together.

    Values that are not numbers are left out.
    """
    known = np.isfinite(values)
    groups, values = np.array([case.group for case in cases])[known], values[known]
    if not len(values):
        return {"mean": None, "interval": None}
    return {"mean": float(values.mean()), "interval": list(mean_interval(values, groups))}


def _table(scores: Scores, cases: Sequence[Case], cut: str | None = None) -> dict:
    """Summaries of the scores, of one kind of cut or of all."""
    chosen = np.array([cut in (None, case.cut) for case in cases])
    some = [case for case, taken in zip(cases, chosen, strict=True) if taken]
    return {
        region: {name: summary(values[chosen], some) for name, values in metrics.items()}
        for region, metrics in scores.items()
    }


def difference(a: Scores, b: Scores, cases: Sequence[Case]) -> dict:
    """Of two methods, case by case: mean of ``a - b`` with its interval.

    Below 0, ``a`` wins; of the F-score, above 0.
    """
    return {
        region: {name: summary(a[region][name] - b[region][name], cases) for name in a[region]}
        for region in ("whole", "missing")
        if region in a and region in b
    }


def compare(
    cases: Sequence[Case],
    models: Mapping[str, Mapping[str, Checkpoint]],
    unlearned: Mapping[str, Unlearned] | None = None,
    said: dict[str, object] | None = None,
    device: torch.device | str = "cpu",
    steps_table: bool = False,
    batch_size: int = 64,
) -> dict:
    """The table of all methods.

    Args:
        cases: to complete.
        models: by method, then by training; :data:`DDEQ` is compared to all others. Those that are
            missing are left out. A method's scores are the means over its trainings, case by case.
        unlearned: methods that complete a case without a network, such as by a nearest neighbour.
        said: settings of the DDEQ's solver instead of its card's.
        device: where to solve.
        steps_table: also solve by the DDEQ with fewer steps. That, and how far another seed of the
            particles goes elsewhere, is of its first training.
        batch_size: cases solved together.

    Returns:
        Plain values, for JSON.

    Raises:
        UserError: there are no cases.
    """
    if not cases:
        raise UserError("None of the clouds can be cut, so take more of them.")
    methods: list[_Method] = []
    report: dict[str, Any] = {}
    for name, trainings in models.items():
        found: dict[str, Scores] = {}
        solves: list[Solved] = []
        for training, checkpoint in trainings.items():
            if not checkpoint.model.solves:
                found[training] = score(cases, decode(checkpoint, cases, device, batch_size))
                continue
            settings = with_defaults(checkpoint.card, (said or {}) if name == DDEQ else {})
            solved = solve(checkpoint, cases, settings, device, batch_size)
            found[training] = score(cases, solved.free)
            solves.append(solved)
            if name == DDEQ and not report:
                how = (checkpoint, cases, settings, device, batch_size)
                report["settings"] = settings.to_dict()
                report["other_seed"] = _other_seed(*how, solved)
                if steps_table:
                    report["steps_table"] = _steps_table(*how)
        if found:
            parameters = next(iter(trainings.values())).parameters
            methods.append(_Method(name, parameters, found, solves))
    methods.append(_Method("copy", 0, {"copy": score(cases, None)}, []))
    for name, method in (unlearned or {}).items():
        copied = [method(case) for case in tqdm(cases, unit="case", desc=name)]
        methods.append(_Method(name, 0, {name: score(cases, copied)}, []))
    return {"cases": len(cases), **_side_by_side(methods, cases), **report}


@dataclass(frozen=True)
class _Method:
    """What a method came to: scores by training, and its solves if it is a DDEQ or a control."""

    name: str
    parameters: int
    found: Mapping[str, Scores]
    solves: Sequence[Solved]


def _side_by_side(methods: Sequence[_Method], cases: Sequence[Case]) -> dict[str, Any]:
    """A row for each method, the DDEQ's paired differences to the others, and a table a cut."""
    scores = {method.name: _mean(list(method.found.values())) for method in methods}
    rows: dict[str, dict[str, Any]] = {}
    for method in methods:
        row = {"parameters": method.parameters, **_table(scores[method.name], cases)}
        row |= _equilibrium(*method.solves) if method.solves else {}
        if len(method.found) > 1:
            row["trainings"] = _trainings(method.found)
        rows[method.name] = row
    others = [name for name in scores if name != DDEQ] if DDEQ in scores else []
    sides: dict[str, Any] = {
        "methods": rows,
        "ddeq_minus": {name: difference(scores[DDEQ], scores[name], cases) for name in others},
    }
    cuts = list(dict.fromkeys(case.cut for case in cases))
    if len(cuts) > 1:
        sides["cuts"] = {
            cut: {name: _table(found, cases, cut) for name, found in scores.items()} for cut in cuts
        }
    return sides


def _mean(found: Sequence[Scores]) -> Scores:
    """Of several trainings, case by case."""
    return {
        region: {name: np.mean([one[region][name] for one in found], axis=0) for name in metrics}
        for region, metrics in found[0].items()
    }


def _trainings(found: Mapping[str, Scores]) -> dict:
    """The mean score of each training, and their standard deviation."""
    first = next(iter(found.values()))
    table: dict = {}
    for region, metrics in first.items():
        table[region] = {}
        for name in metrics:
            means = {
                training: float(np.nanmean(one[region][name])) for training, one in found.items()
            }
            deviation = float(np.std(list(means.values()), ddof=1))
            table[region][name] = {"means": means, "deviation": deviation}
    return table


def _equilibrium(*solved: Solved) -> dict:
    """Where solves ended; those of several trainings together."""
    steps, relative, spreads = (
        np.concatenate([getattr(one, name) for one in solved])
        for name in ("steps", "relative_objective", "spread")
    )
    return {
        "mean_steps": float(steps.mean()),
        "median_relative_objective": float(np.median(relative)),
        "median_spread": float(np.median(spreads)),
        "smallest_spread": float(spreads.min()),
    }


def _other_seed(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    device: torch.device | str,
    batch_size: int,
    solved: Solved,
) -> dict:
    """Is there one completion or several? EMD between those from two seeds, free points alone."""
    limits = replace(settings.limits, seed=settings.limits.seed + 1)
    again = solve(checkpoint, cases, replace(settings, limits=limits), device, batch_size)
    return {"emd": summary(np.array(list(map(emd, solved.free, again.free))), cases)}


def _steps_table(
    checkpoint: Checkpoint,
    cases: Sequence[Case],
    settings: RunSettings,
    device: torch.device | str,
    batch_size: int,
) -> dict:
    """Does the flow help? The same weights with 0, 1, 2, 4, ... steps, up to the settings' own."""
    table = {}
    for steps in step_counts(settings.limits.steps):
        fewer = settings.taking(steps)
        solved = solve(checkpoint, cases, fewer, device, batch_size)
        found = score(cases, solved.free)
        table[str(steps)] = {**_table(found, cases), **_equilibrium(solved)}
    return table
