"""Recipes: everything that determines a training run, in one TOML file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ddeq.errors import UserError
from ddeq.model.kinds import KINDS
from ddeq.solve.gradients import GRADIENTS
from ddeq.solve.solvers import SOLVERS, Solver
from ddeq.training.datasets.holes import Cut
from ddeq.training.datasets.sources import SOURCES


@dataclass(frozen=True)
class Solve:
    """How equilibria are found in a share of a stage's batches.

    Attributes:
        solver: the step rule.
        steps: solver steps a batch, drawn uniformly from this range; (0, 0) is no flow at all.
        share: relative to those of the stage's other entries.
    """

    solver: Solver
    steps: tuple[int, int]
    share: float = 1.0

    @classmethod
    def from_dict(cls, plain: dict) -> Solve:
        """From ``{solver = "picard", steps = [1, 8], share = 1}`` and the solver's settings."""
        own = {k: plain[k] for k in ("share",) if k in plain}
        settings = {k: v for k, v in plain.items() if k not in ("solver", "steps", "share")}
        return cls(SOLVERS[plain["solver"]](**settings), tuple(plain["steps"]), **own)


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one set of settings.

    Attributes:
        batches, batch_size: length of the stage, and clouds a batch.
        points: each training cloud is thinned to at most this many points.
        learning_rate: of AdamW after ``warmup`` batches of linear rise; falls along a cosine.
        final_learning_rate: where the cosine ends, after ``decay`` batches (default: the stage's
            last).
        solves: how equilibria are found; each batch draws one entry by its share. Networks that
            solve nothing have none.
        gradient: a mode out of ``ddeq.solve.gradients.GRADIENTS``. The steps of ``reversible`` are
            its own, of two applications of ``F`` each, in the place of the solvers'.
        gradient_steps: damped applications of ``F`` of the mode ``phantom-k``.
        damping: of these, and of the steps of ``reversible``.
        unroll: applications of ``F`` with a graph after the solve.
        supervise: which of these images have a loss, ``all`` or the ``last``.
        label_smoothing: classification only: the share of a label's probability that is spread
            over all classes (https://arxiv.org/abs/1512.00567, section 7).
        lengths: completion only: the loss measures them by the spread of the ``known`` points, or
            of the ``whole`` cloud, so that clouds of which little is known do not outweigh others.
        precision: completion only: the network is applied in ``float32``, or its products are taken
            in ``bfloat16`` (losses never are), which is faster where the processor knows them.
        residual_weight, spread_weight, spread_target, separation_weight, separation_target,
            entropy_weight, missing_weight, chamfer_weight: see the losses in
            ``ddeq.training.tasks``.
    """

    batches: int
    solves: tuple[Solve, ...] = ()
    batch_size: int = 64
    points: int = 128
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.0
    warmup: int = 0
    decay: int | None = None
    gradient: str = "phantom"
    gradient_steps: int = 5
    damping: float = 0.5
    unroll: int = 1
    supervise: str = "all"
    label_smoothing: float = 0.0
    lengths: str = "known"
    precision: str = "float32"
    residual_weight: float = 0.0
    spread_weight: float = 0.0
    spread_target: float = 1.0
    separation_weight: float = 0.0
    separation_target: float = 1.0
    entropy_weight: float = 0.0
    missing_weight: float = 0.0
    chamfer_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.gradient not in GRADIENTS:
            raise ValueError(f"there is no gradient mode {self.gradient}")
        if self.supervise not in ("all", "last"):
            raise ValueError(f"supervise is 'all' or 'last', not '{self.supervise}'")
        if self.lengths not in ("known", "whole"):
            raise ValueError(f"lengths are of the 'known' or the 'whole', not '{self.lengths}'")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is 'float32' or 'bfloat16', not '{self.precision}'")

    def draw(self, generator: torch.Generator) -> tuple[Solver, int]:
        """A solver and a number of steps for one batch."""
        shares = torch.tensor([solve.share for solve in self.solves])
        solve = self.solves[int(torch.multinomial(shares, 1, generator=generator))]
        low, high = solve.steps
        return solve.solver, int(torch.randint(low, high + 1, (), generator=generator))

    def learning_rate_at(self, batch: int) -> float:
        """Learning rate for batch number ``batch`` of this stage."""
        if batch < self.warmup:
            return self.learning_rate * (batch + 1) / self.warmup
        along = (batch - self.warmup) / max(1, (self.decay or self.batches) - self.warmup)
        fall = 0.5 * (1 + math.cos(math.pi * along))
        return self.final_learning_rate + (self.learning_rate - self.final_learning_rate) * fall


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a training run.

    Attributes:
        name: names the files written.
        kind: of model, a name out of ``ddeq.model.kinds.KINDS``.
        data: what to train on, a name out of ``ddeq.training.datasets.sources.SOURCES``.
        seed: of weights, batches, augmentation and particles.
        model: the architecture.
        augmentation: of training clouds, of the dataclass that belongs to the data.
        holes: cut into them, where completion is learned.
        validation: digits split off the end of the train set, never trained on; data in space
            have a validation part of their own.
        stages: in order.
        card: what the model card says from the start: labels, points, settings of the solver.
        validate_every: batches from one validation to the next.
        validate_points: of each cloud that is validated; None takes as many as the card says.
        weight_decay: of the optimiser, AdamW.
        average: what is validated and kept are not the weights themselves but their exponential
            moving average over the batches, with this decay (https://arxiv.org/abs/1703.01780,
            section 2); 0 averages nothing.
        keep: the ``last`` weights, or the ``best`` on the validation part (early stopping).
    """

    name: str
    kind: str
    data: str
    seed: int
    model: Any
    augmentation: Any
    holes: Cut
    validation: int
    stages: tuple[Stage, ...]
    card: dict
    validate_every: int = 500
    validate_points: int | None = None
    weight_decay: float = 0.0
    average: float = 0.0
    keep: str = "last"

    def control(self) -> Recipe:
        """The same training with one application of ``F``, to particles as they start.

        Nothing else differs: network, data, batches, losses and schedule are this recipe's.

        Raises:
            UserError: the network solves nothing.
        """
        if "settings" not in self.card:
            raise UserError(f"A {self.kind} solves nothing, so leave out --control.")
        once = tuple(
            replace(
                stage,
                solves=tuple(replace(solve, steps=(0, 0)) for solve in stage.solves),
                unroll=1,
            )
            for stage in self.stages
        )
        settings = {**self.card["settings"], "steps": 1, "tolerance": 0.0}
        name = f"{self.name}-control"
        return replace(
            self, name=name, stages=once, card={**self.card, "name": name, "settings": settings}
        )

    @property
    def validated_points(self) -> int:
        """Of each cloud that is validated."""
        return self.validate_points or self.card["points"]

    def __post_init__(self) -> None:
        if self.keep not in ("last", "best"):
            raise ValueError(f"there are no '{self.keep}' weights to keep")
        if not 0 <= self.average < 1:
            raise ValueError(f"an average cannot have a decay of {self.average}")


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe file (TOML).

    It may name a ``base``, another recipe beside it: what it does not say is said there, and each
    of its tables stands for the whole of the base's.

    Args:
        path: of the file.
        changes: ``name=value`` each, to vary a recipe: ``seed=1``, ``model.lift=linear``,
            ``stages.0.batches=100``.

    Raises:
        UserError: missing, not TOML, or with a setting that does not exist.
    """
    try:
        plain = _read(Path(path))
        for change in changes:
            _set(plain, change)
        return _recipe_of(plain)
    except FileNotFoundError as error:
        raise UserError(f"There is no recipe {path}: look in the folder recipes/.") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"The recipe {path} cannot be used ({error}): compare it to recipes/."
        ) from error


def _recipe_of(plain: dict[str, Any]) -> Recipe:
    """The recipe that the tables of a file describe."""
    stages = [
        Stage(**{**stage, "solves": tuple(Solve.from_dict(s) for s in stage.get("solves", ()))})
        for stage in plain["stages"]
    ]
    kind, data = plain.get("kind", "classifier"), plain.get("data", "digits")
    if not KINDS[kind].solves:
        plain["card"].pop("settings", None)  # of a solver
    elif not all(stage.solves for stage in stages):
        raise ValueError(f"every stage of a {kind} needs solves")
    return Recipe(
        name=plain["name"],
        kind=kind,
        data=data,
        seed=plain["seed"],
        model=KINDS[kind].Config.from_dict(plain["model"]),
        augmentation=SOURCES[data].augmentation(**plain.get("augmentation", {})),
        holes=SOURCES[data].holes(**plain.get("holes", {})),
        validation=plain.get("validation", 0),
        stages=tuple(stages),
        card={
            "name": plain["name"],
            "kind": kind,
            "data": data,
            "validation": plain.get("validation", 0),
            **plain["card"],
        },
        validate_every=plain.get("validate_every", 500),
        validate_points=plain.get("validate_points"),
        weight_decay=plain.get("weight_decay", 0.0),
        average=plain.get("average", 0.0),
        keep=plain.get("keep", "last"),
    )


def _read(path: Path) -> dict:
    """A recipe as it is written, on top of its base's."""
    plain = tomllib.loads(path.read_text())
    if base := plain.pop("base", None):
        return {**_read(path.with_name(f"{base}.toml")), **plain}
    return plain


def _set(plain: dict, change: str) -> None:
    """Change one setting of a recipe; what is not a TOML value is a text."""
    name, equals, value = change.partition("=")
    *tables, key = name.split(".")
    if not equals:
        raise ValueError(f"'{change}' is not of the form name=value")
    for table in tables:
        plain = plain[int(table) if isinstance(plain, list) else table]
    try:
        plain[key] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        plain[key] = value
