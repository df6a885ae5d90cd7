"""Training: a recipe in, a checkpoint, a model card and a log out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ddeq.errors import UserError
from ddeq.model.base import Model
from ddeq.model.kinds import KINDS
from ddeq.threads import enough_for
from ddeq.training.datasets.sources import Clouds
from ddeq.training.recipes import Recipe, Stage
from ddeq.training.tasks import TASKS, Losses


@dataclass
class TrainingState:
    """What changes while training: everything a resumed run needs.

    ``averaged.module`` is what is validated and kept, ``model`` what is trained; ``best`` is the
    least validation error so far.
    """

    model: nn.Module
    averaged: AveragedModel
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    batch: int = 0
    seconds: float = 0.0
    best: float = math.inf

    def save(self, path: Path) -> None:
        """Write to ``path`` so that an interruption leaves the old file or the new one."""
        plain = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "global_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all(),
            "batch": self.batch,
            "seconds": self.seconds,
            "best": self.best,
        }
        part = path.with_suffix(".part")
        torch.save(plain, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Continue from a file written by :meth:`save`, on whichever device that was.

        Dropout goes on with the same random numbers where the same devices are at hand.
        """
        plain = torch.load(path, weights_only=True, map_location="cpu")
        self.model.load_state_dict(plain["model"])
        self.averaged.load_state_dict(plain["averaged"])
        self.optimiser.load_state_dict(plain["optimiser"])
        self.generator.set_state(plain["generator"])
        torch.set_rng_state(plain["global_rng"])
        if len(plain["cuda_rng"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(plain["cuda_rng"])
        self.batch, self.seconds, self.best = plain["batch"], plain["seconds"], plain["best"]


def effort(out: Path) -> dict[str, int]:
    """What the training in the folder ``out`` has taken so far: ``batches`` and ``seconds``.

    Seconds are of the clock, validation included; nothing is said of a run without a batch.
    """
    lines = (out / "log.jsonl").read_text().splitlines()
    if not lines:
        return {}
    last = json.loads(lines[-1])
    return {"batches": last["batch"], "seconds": last["seconds"]}


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


def train(
    recipe: Recipe,
    clouds: Clouds,
    out: Path,
    *,
    held_out: Clouds | None = None,
    initial: Model | None = None,
    resume: bool = False,
    until: int | None = None,
    device: torch.device | str = "cpu",
) -> Model:
    """Train by a recipe; checkpoints and the log go to the folder ``out``.

    Args:
        recipe: what to do.
        clouds: the training clouds.
        out: receives ``state.pt`` (resumable, every 500 batches) and ``log.jsonl``.
        held_out: clouds for the log's validation figures; with ``recipe.keep = "best"`` they also
            choose the weights.
        initial: whose weights to begin with, in the place of random ones.
        resume: continue from ``out/state.pt`` if it is there. Within a stage, a resumed run draws
            a new order of the clouds.
        until: stop after this many batches in all, to be resumed another time; None goes to the
            end.
        device: where to train.

    Returns:
        The trained model, on ``device``: its last weights, or its best.

    Raises:
        UserError: ``initial`` is not of the recipe's architecture.
    """
    out.mkdir(parents=True, exist_ok=True)
    state = _fresh_state(recipe, device, initial)
    if resume and (out / "state.pt").is_file():
        state.restore(out / "state.pt")
    else:
        (out / "best.pt").unlink(missing_ok=True)
    task, began = TASKS[recipe.kind], time.perf_counter() - state.seconds
    total = sum(stage.batches for stage in recipe.stages)
    bar = tqdm(total=total, initial=state.batch, unit="batch")
    with bar, (out / "log.jsonl").open("a" if resume else "w") as log:
        at = None
        for number, stage, within in remaining(recipe, state.batch):
            if number != at:
                indices = endless_batches(len(clouds), stage.batch_size, state.generator)
                at = number
            if state.batch == until:
                state.save(out / "state.pt")
                break
            for group in state.optimiser.param_groups:
                group["lr"] = stage.learning_rate_at(within)
            loss = _train_batch(state, recipe, stage, clouds, next(indices), device)
            state.batch += 1
            state.seconds = time.perf_counter() - began
            bar.update()
            last = within == stage.batches - 1
            if state.batch % 50 == 0 or last:
                line = {k: round(float(v.detach()), 5) for k, v in vars(loss).items()}
                bar.set_postfix(line)
                if held_out is not None and (state.batch % recipe.validate_every == 0 or last):
                    line |= task.validate(state.averaged.module, held_out, recipe, device)
                    _keep_if_best(state, line[task.criterion], out / "best.pt")
                at_work = {"stage": number, "batch": state.batch, "seconds": round(state.seconds)}
                log.write(json.dumps(at_work | line) + "\n")
                log.flush()
            if state.batch % 500 == 0 or last:
                state.save(out / "state.pt")
    if recipe.keep == "best" and (out / "best.pt").is_file():
        best = torch.load(out / "best.pt", weights_only=True, map_location=device)
        state.averaged.module.load_state_dict(best)
    return cast(Model, state.averaged.module.eval())


def _fresh_state(
    recipe: Recipe, device: torch.device | str, initial: Model | None = None
) -> TrainingState:
    """Before the first batch; see :func:`train`."""
    torch.manual_seed(recipe.seed)
    model = KINDS[recipe.kind](recipe.model).train().to(device)
    if initial is not None:
        if initial.config != recipe.model:
            raise UserError(
                f"The recipe {recipe.name} is of another architecture than the weights to begin "
                "with: give those of a model with the same settings."
            )
        model.load_state_dict(initial.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    average = get_ema_multi_avg_fn(recipe.average)
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True)
    return TrainingState(model, averaged, optimiser, torch.Generator().manual_seed(recipe.seed))


def _keep_if_best(state: TrainingState, error: float, path: Path) -> None:
    """Write the weights to ``path`` if their validation error is the least; nan never is."""
    if error < state.best:
        state.best = error
        torch.save(state.averaged.module.state_dict(), path)


def _train_batch(
    state: TrainingState,
    recipe: Recipe,
    stage: Stage,
    clouds: Clouds,
    index: Tensor,
    device: torch.device | str,
) -> Losses:
    """One optimiser step on the clouds ``index (B,)``; returns the losses there."""
    with enough_for(len(index) * stage.points):
        batch = clouds.batch(index, stage.points, state.generator, recipe.augmentation)
        loss = TASKS[recipe.kind].losses(state.model, batch, recipe, stage, state.generator, device)
        state.optimiser.zero_grad(set_to_none=True)
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
        state.optimiser.step()
        state.averaged.update_parameters(state.model)
    return loss
