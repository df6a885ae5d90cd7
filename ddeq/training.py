"""Training: a recipe in, a checkpoint, a model card and a log out.

Every batch is solved without a graph to its equilibrium, ``F`` is applied once more with one
(or an exact implicit gradient is taken), and three terms are minimised::

    cross-entropy of the read-out
    + residual_weight * MMD^2(z*, F(z*))           so that solvers arrive
    + spread_weight * relu(log(target / spread))   so that particles do not collapse
"""

from __future__ import annotations

import json
import math
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ddeq.datasets.mnist import load_mnist, pixel_cloud
from ddeq.datasets.packed import Augmentation, Batch, PackedClouds
from ddeq.errors import UserError
from ddeq.flow import Flow, StopRule
from ddeq.implicit import GRADIENTS
from ddeq.kernels import Riesz, mmd2
from ddeq.metrics import spread
from ddeq.model import Classifier, ClassifierConfig
from ddeq.run import RunSettings
from ddeq.solvers import SOLVERS, Solver


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
        learning_rate: of Adam after ``warmup`` batches of linear rise; falls along a cosine.
        final_learning_rate: where the cosine ends, after ``decay`` batches (default: the stage's
            last).
        solves: how equilibria are found; each batch draws one entry by its share.
        gradient: ``phantom`` or ``implicit``.
        residual_weight, spread_weight, spread_target: see the module's loss.
    """

    batches: int
    solves: tuple[Solve, ...]
    batch_size: int = 64
    points: int = 128
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.0
    warmup: int = 0
    decay: int | None = None
    gradient: str = "phantom"
    residual_weight: float = 0.0
    spread_weight: float = 0.0
    spread_target: float = 1.0

    def __post_init__(self) -> None:
        if self.gradient not in GRADIENTS:
            raise ValueError(f"there is no gradient mode {self.gradient}")

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
        seed: of weights, batches, augmentation and particles.
        model: the architecture.
        augmentation: of training clouds.
        validation: digits split off the end of the train set, never trained on.
        stages: in order.
        card: what the model card says from the start: labels, points, settings of the solver.
    """

    name: str
    seed: int
    model: ClassifierConfig
    augmentation: Augmentation
    validation: int
    stages: tuple[Stage, ...]
    card: dict


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file (TOML).

    Raises:
        UserError: missing, not TOML, or with a setting that does not exist.
    """
    try:
        plain = tomllib.loads(Path(path).read_text())
        stages = [
            Stage(**{**stage, "solves": tuple(Solve.from_dict(s) for s in stage["solves"])})
            for stage in plain["stages"]
        ]
        return Recipe(
            name=plain["name"],
            seed=plain["seed"],
            model=ClassifierConfig.from_dict(plain["model"]),
            augmentation=Augmentation(**plain.get("augmentation", {})),
            validation=plain["validation"],
            stages=tuple(stages),
            card={"name": plain["name"], "validation": plain["validation"], **plain["card"]},
        )
    except FileNotFoundError as error:
        raise UserError(f"There is no recipe {path}: look in the folder recipes/.") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"The recipe {path} cannot be used ({error}): compare it to recipes/."
        ) from error


@dataclass
class TrainingState:
    """What changes while training: everything a resumed run needs."""

    model: Classifier
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    batch: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write to ``path`` so that an interruption leaves the old file or the new one."""
        plain = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "global_rng": torch.get_rng_state(),
            "batch": self.batch,
            "seconds": self.seconds,
        }
        part = path.with_suffix(".part")
        torch.save(plain, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Continue from a file written by :meth:`save`."""
        plain = torch.load(path, weights_only=True)
        self.model.load_state_dict(plain["model"])
        self.optimiser.load_state_dict(plain["optimiser"])
        self.generator.set_state(plain["generator"])
        torch.set_rng_state(plain["global_rng"])
        self.batch, self.seconds = plain["batch"], plain["seconds"]


@dataclass(frozen=True)
class Losses:
    """The terms of the loss on one batch, scalars; ``spread`` is the mean spread itself."""

    cross_entropy: Tensor
    residual: Tensor
    spread: Tensor
    total: Tensor
    correct: Tensor


def losses(
    model: Classifier, batch: Batch, stage: Stage, z0: Tensor, solver: Solver, steps: int
) -> Losses:
    """Solve a batch to its equilibrium and evaluate the loss there, with a graph."""
    context = model.operator.encode(batch.x, batch.mask)
    operator = partial(model.operator, context=context)
    z_star = z0
    if steps:
        stop = StopRule(steps, tolerance=0.0)
        flow = Flow(operator, z0, solver=solver, stop=stop, velocity=False)
        with torch.no_grad():
            z_star = flow.run().particles  # (B, N, d)
    image = GRADIENTS[stage.gradient](operator, z_star)  # (B, N, d)
    logits = model.logits(image)  # (B, classes)
    cross_entropy = F.cross_entropy(logits, batch.labels)
    residual = mmd2(z_star.detach(), image, Riesz()).mean()
    width = spread(image)  # (B,)
    collapse = F.relu(math.log(stage.spread_target) - (width + 1e-6).log()).mean()
    total = cross_entropy + stage.residual_weight * residual + stage.spread_weight * collapse
    correct = (logits.argmax(1) == batch.labels).float().mean()
    return Losses(cross_entropy, residual, width.mean(), total, correct)


def digit_clouds(folder: Path, validation: int) -> tuple[PackedClouds, PackedClouds]:
    """The MNIST train set as clouds: all but the last ``validation`` digits, and those."""
    train = load_mnist(folder, "train")
    clouds = [pixel_cloud(image) for image in train.images]
    cut = len(clouds) - validation
    return (
        PackedClouds.of(clouds[:cut], train.labels[:cut]),
        PackedClouds.of(clouds[cut:], train.labels[cut:]),
    )


def endless_batches(size: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Index batches ``(batch_size,)``, epoch after epoch, each in a new order."""
    batch_size = min(batch_size, size)
    while True:
        order = torch.randperm(size, generator=generator)
        yield from order[: size - size % batch_size].split(batch_size)


def remaining(recipe: Recipe, batch: int) -> Iterator[tuple[int, Stage, int]]:
    """From batch number ``batch`` on: the stage's number, the stage, and the batch within it."""
    done = 0
    for number, stage in enumerate(recipe.stages):
        for within in range(max(0, batch - done), stage.batches):
            yield number, stage, within
        done += stage.batches


@torch.no_grad()
def validate(
    model: Classifier, clouds: PackedClouds, recipe: Recipe, device: torch.device | str
) -> dict[str, float]:
    """Accuracy, residual and spread on the first 1,000 clouds, solved as the card says."""
    model.eval()
    settings = RunSettings.from_dict(recipe.card["settings"])
    correct, residual, width = [], [], []
    for index in torch.arange(min(1000, len(clouds))).split(64):
        batch = clouds.batch(index, recipe.card["points"], torch.Generator()).to(device)
        z0 = model.start(index.tolist()).to(device)
        stop = StopRule(settings.limits.steps, settings.limits.tolerance)
        flow = model.flow(
            batch.x, batch.mask, z0, solver=settings.solver, stop=stop, velocity=False
        )
        end = flow.run()
        correct.append(model.logits(end.particles).argmax(1) == batch.labels)
        residual.append(end.relative_objective)
        width.append(spread(end.particles))
    model.train()
    return {
        "validation_accuracy": float(torch.cat(correct).float().mean()),
        "validation_relative_objective": float(torch.cat(residual).median()),
        "validation_spread": float(torch.cat(width).median()),
    }


def train(
    recipe: Recipe,
    clouds: PackedClouds,
    out: Path,
    *,
    held_out: PackedClouds | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Train by a recipe; checkpoints and the log go to the folder ``out``.

    Args:
        recipe: what to do.
        clouds: the training clouds.
        out: receives ``state.pt`` (resumable, every 500 batches) and ``log.jsonl``.
        held_out: clouds for the log's validation figures; nothing is chosen by them here.
        resume: continue from ``out/state.pt`` if it is there. Within a stage, a resumed run draws
            a new order of the clouds.
        device: where to train.

    Returns:
        The trained model, on ``device``.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    model = Classifier(recipe.model).train().to(device)
    optimiser = torch.optim.Adam(model.parameters())
    state = TrainingState(model, optimiser, torch.Generator().manual_seed(recipe.seed))
    if resume and (out / "state.pt").is_file():
        state.restore(out / "state.pt")
    began = time.perf_counter() - state.seconds
    total = sum(stage.batches for stage in recipe.stages)
    bar = tqdm(total=total, initial=state.batch, unit="batch")
    with bar, (out / "log.jsonl").open("a" if resume else "w") as log:
        at = None
        for number, stage, within in remaining(recipe, state.batch):
            if number != at:
                at, indices = (
                    number,
                    endless_batches(len(clouds), stage.batch_size, state.generator),
                )
            loss = _train_batch(state, recipe, stage, within, clouds, next(indices), device)
            state.batch += 1
            state.seconds = time.perf_counter() - began
            bar.update()
            last = within == stage.batches - 1
            if state.batch % 50 == 0 or last:
                line = {k: round(float(v.detach()), 5) for k, v in vars(loss).items()}
                bar.set_postfix(line)
                if held_out is not None and (state.batch % 500 == 0 or last):
                    line |= validate(model, held_out, recipe, device)
                log.write(json.dumps({"stage": number, "batch": state.batch, **line}) + "\n")
                log.flush()
            if state.batch % 500 == 0 or last:
                state.save(out / "state.pt")
    return model.eval()


def _train_batch(
    state: TrainingState,
    recipe: Recipe,
    stage: Stage,
    within: int,
    clouds: PackedClouds,
    index: Tensor,
    device: torch.device | str,
) -> Losses:
    """One optimiser step on the clouds ``index (B,)``."""
    for group in state.optimiser.param_groups:
        group["lr"] = stage.learning_rate_at(within)
    batch = clouds.batch(index, stage.points, state.generator, recipe.augmentation)
    shape = (len(index), recipe.model.particles, recipe.model.operator.latent_dim)
    z0 = torch.randn(shape, generator=state.generator)
    solver, steps = stage.draw(state.generator)
    loss = losses(state.model, batch.to(device), stage, z0.to(device), solver, steps)
    state.optimiser.zero_grad(set_to_none=True)
    loss.total.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimiser.step()
    return loss
