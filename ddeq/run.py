"""One run from settings to outcome: what the command line, the app and the tests all do.

prepare(cloud) -> start(checkpoint, input, settings) -> iterate, keeping a Recording -> Outcome
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddeq.checkpoints import Checkpoint
from ddeq.clouds import PointCloud, flatten, shorten
from ddeq.errors import UserError
from ddeq.flow import Flow, FlowStep, Stopped, StopRule, seeded
from ddeq.kernels import KERNELS, Kernel, kernel_at
from ddeq.metrics import spread
from ddeq.objective import Evaluation, VelocityTerms, velocity_terms
from ddeq.preprocess import isotropic, standardise, subsample
from ddeq.projection import Projection, principal_axes
from ddeq.settings import setting, settings_of
from ddeq.solvers import SOLVERS, Solver

LOOK_AHEAD = 8


@dataclass(frozen=True)
class Limits:
    """The settings of a run that belong to neither solver nor kernel."""

    steps: int = setting(200, 0, 5000, "Give up after this many steps.")
    tolerance: float = setting(
        1e-3, 0, 1, "Stop when the objective has fallen to this share of where it began."
    )
    particles: int = setting(10, 1, 1000, "How many particles flow; trained with 10.")
    noise: float = setting(
        0.0, 0, 10, "Shake the particles this much before each gradient, to leave bad spots."
    )
    seed: int = setting(0, 0, 2**31 - 1, "Which random start; the same seed is the same run.")


@dataclass(frozen=True)
class RunSettings:
    """Everything that, with an input and a model, determines a run.

    Attributes:
        solver, kernel: settings objects out of ``SOLVERS`` and ``KERNELS``.
        limits: steps, tolerance, particles, noise, seed.
    """

    solver: Solver
    kernel: Kernel
    limits: Limits

    def to_dict(self) -> dict[str, str | float]:
        """Flat names and numbers, for a link, a card or a file; :meth:`from_dict` inverts it."""
        return {
            "solver": _name_of(self.solver, SOLVERS),
            **asdict(self.solver),
            "kernel": _name_of(self.kernel, KERNELS),
            **asdict(self.kernel),
            **asdict(self.limits),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> RunSettings:
        """Settings from flat names and values, solver and kernel at least.

        A number that is not named takes its default.

        Raises:
            UserError: an unknown solver or kernel, or a number out of its range.
        """
        solver = _chosen("solver", plain["solver"], SOLVERS)
        kernel = _chosen("kernel", plain["kernel"], KERNELS)
        return cls(*(_parsed(kind, plain) for kind in (solver, kernel, Limits)))


def card_defaults(card: Mapping[str, Any], solver: str, kernel: str) -> dict[str, object]:
    """A model card's settings, as far as they hold for this solver and kernel.

    The card's numbers for its own solver and kernel say nothing about another, which brings its
    own defaults; nor does the number of steps that its own solver needs.
    """
    shipped = dict(card["settings"])
    if shipped["solver"] != solver:
        shipped.pop("steps", None)
    for what, name, registry in (("solver", solver, SOLVERS), ("kernel", kernel, KERNELS)):
        if shipped.get(what) != name:
            for foreign in settings_of(registry[shipped[what]]):
                shipped.pop(foreign.name, None)
            shipped[what] = name
    return shipped


def with_defaults(card: Mapping[str, Any], said: Mapping[str, object]) -> RunSettings:
    """What a person said, filled up from a model's card.

    Raises:
        UserError: as :meth:`RunSettings.from_dict`.
    """
    shipped = card["settings"]
    names = {what: str(said.get(what, shipped[what])) for what in ("solver", "kernel")}
    return RunSettings.from_dict({**card_defaults(card, **names), **said})


def _name_of(instance: object, registry: Mapping[str, type]) -> str:
    return next(name for name, kind in registry.items() if type(instance) is kind)


def _chosen(what: str, name: object, registry: Mapping[str, type]) -> type:
    if name not in registry:
        raise UserError(
            f"There is no {what} '{str(name)[:40]}': choose one of {', '.join(registry)}."
        )
    return registry[str(name)]


def _parsed(kind: type, plain: Mapping[str, object]) -> Any:
    given = {s.name: s.parse(plain[s.name]) for s in settings_of(kind) if s.name in plain}
    return kind(**given)


@dataclass(frozen=True)
class Frame:
    """One recorded step of one cloud, as plain arrays.

    Attributes:
        step: steps taken so far.
        particles, image: ``z`` and ``F(z)``, ``(N, d)`` float32.
        attraction, repulsion, through_operator: the velocity's exact parts ``(N, d)``; with noise,
            the last one also holds what the shaking changed.
        probabilities: ``(classes,)``, the read-out of these particles.
        objective, relative_objective, gradient_norm, spread, step_size: see
            :class:`ddeq.flow.FlowStep` and :func:`ddeq.metrics.spread`.
        evaluations: network evaluations so far.
        seconds: since the solve began.
    """

    step: int
    particles: np.ndarray
    image: np.ndarray
    attraction: np.ndarray
    repulsion: np.ndarray
    through_operator: np.ndarray
    probabilities: np.ndarray
    objective: float
    relative_objective: float
    gradient_norm: float
    spread: float
    step_size: float
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        label, confidence: most probable class and its probability.
        probabilities: class name to probability.
        steps, evaluations: solver steps and network evaluations used.
        objective, relative_objective, spread: at the end.
        stopped: why it ended, with advice.
        seconds: of the solve alone.
        device: where it ran.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    steps: int
    evaluations: int
    objective: float
    relative_objective: float
    spread: float
    stopped: Stopped
    seconds: float
    device: str

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return {**asdict(self), "stopped": self.stopped.value}


def prepare(cloud: PointCloud, card: Mapping[str, Any]) -> np.ndarray:
    """A cloud as a model takes it: in its dimension, thinned, standardised; ``(M, d_x)`` float32.

    Raises:
        UserError: a cloud in space for a model of the plane that is not flat, or a cloud in the
            plane for a model of objects in space.
    """
    architecture = card["architecture"]
    dim = architecture.get("operator", architecture)["input_dim"]
    points = in_dimension(cloud, dim).points
    thinned = subsample(points, card["points"], np.random.default_rng(0))
    return standardise(thinned, isotropic(card)).points


def in_dimension(cloud: PointCloud, dim: int) -> PointCloud:
    """The cloud in the dimension a model takes, 2 or 3.

    Raises:
        UserError: a cloud in space for a model of the plane that is not flat, or a cloud in the
            plane for a model of objects in space.
    """
    if dim == 2:
        return flatten(cloud)
    if cloud.points.shape[1] == 2:
        raise UserError(
            f"'{shorten(cloud.name)}' is flat, so give it to a model of digits, or give an object "
            "in space."
        )
    return cloud


class Run(ABC):
    """A solve of one cloud, ready to be iterated frame by frame and left at any time.

    Args:
        flow: of a batch of one.
        settings: of the run.
        device: where the flow is.
    """

    def __init__(self, flow: Flow, settings: RunSettings, device: torch.device) -> None:
        self.flow = flow
        self.settings = settings
        self.device = device
        self.last: Any = None

    def __iter__(self) -> Iterator[Any]:
        for step in self.flow:
            self.last = self._frame(step)
            yield self.last

    @abstractmethod
    def _frame(self, step: FlowStep) -> Any:
        """What is recorded of a step."""

    def _velocity_terms(self, step: FlowStep) -> VelocityTerms:
        here = Evaluation(step.particles, step.image, step.objective, step.velocity)
        mass = self.flow.objective.mass(step.particles)
        return velocity_terms(here, kernel_at(self.settings.kernel, step.step), mass)

    def _ending(self) -> dict[str, Any]:
        """What the outcomes of all runs tell; a run that was left early counts as cancelled."""
        if self.last is None:
            raise RuntimeError("The run has not begun: iterate over it first.")
        solution = self.flow.solution
        return {
            "steps": int(solution.steps[0]),
            "evaluations": self.last.evaluations,
            "objective": self.last.objective,
            "relative_objective": self.last.relative_objective,
            "spread": self.last.spread,
            "stopped": solution.stopped[0],
            "seconds": solution.seconds,
            "device": str(self.device),
        }


def flow_settings(settings: RunSettings) -> dict[str, Any]:
    """A run's settings as those of :class:`ddeq.flow.Flow`, for a batch of one."""
    limits = settings.limits
    return {
        "solver": settings.solver,
        "kernel": settings.kernel,
        "stop": StopRule(limits.steps, limits.tolerance),
        "noise": limits.noise,
        # A stream of its own, so that noise does not repeat the numbers of the start.
        "generators": seeded([limits.seed + 2**31]),
    }


def step_numbers(step: FlowStep) -> dict[str, Any]:
    """The numbers of :data:`CSV_COLUMNS` of a step of one cloud."""
    return {
        "step": step.step,
        "objective": float(step.objective),
        "relative_objective": float(step.relative_objective),
        "gradient_norm": float(step.gradient_norm),
        "spread": float(spread(step.particles)),
        "step_size": float(step.step_size),
        "evaluations": int(step.evaluations),
        "seconds": step.seconds,
    }


class ClassifierRun(Run):
    """One classification.

    Args:
        checkpoint: model and card, the model already on ``device``.
        points: from :func:`prepare`.
        settings: of the run.
        device: where to solve.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        points: np.ndarray,
        settings: RunSettings,
        device: torch.device | str = "cpu",
    ) -> None:
        self.model = checkpoint.model
        self.labels = tuple(checkpoint.card["labels"])
        device, limits = torch.device(device), settings.limits
        x = torch.from_numpy(points)[None].to(device)  # (1, M, d_x)
        z0 = self.model.start([limits.seed], limits.particles).to(device)
        flow = self.model.flow(x, None, z0, **flow_settings(settings))
        super().__init__(flow, settings, device)

    def _frame(self, step: FlowStep) -> Frame:
        terms = self._velocity_terms(step)
        with torch.no_grad():
            probabilities = self.model.probabilities(step.particles)
        return Frame(
            particles=as_array(step.particles),
            image=as_array(step.image),
            attraction=as_array(terms.attraction),
            repulsion=as_array(terms.repulsion),
            through_operator=as_array(terms.through_operator),
            probabilities=as_array(probabilities),
            **step_numbers(step),
        )

    def projection(self, axes: int = 3) -> Projection:
        """A fixed view of this run's latent space, known before the first step.

        Fitted to the initial particles and a short look-ahead of plain iterations ``F(z),
        F(F(z)), ...``, which end near the equilibrium; these evaluations are not part of the run.
        """
        z, seen = self.flow.z0, [self.flow.z0]
        with torch.no_grad():
            for _ in range(LOOK_AHEAD):
                z = self.flow.objective.operator(z)
                seen.append(z)
        return principal_axes(as_array(torch.cat(seen, 1)), axes)

    @property
    def outcome(self) -> Outcome:
        """The result so far; a run that was left early counts as cancelled."""
        ending = self._ending()
        probabilities = self.last.probabilities
        best = int(probabilities.argmax())
        return Outcome(
            label=self.labels[best],
            confidence=float(probabilities[best]),
            probabilities=dict(zip(self.labels, probabilities.tolist(), strict=True)),
            **ending,
        )


def as_array(t: Tensor) -> np.ndarray:
    """The only cloud of a batch ``(1, ...)``, as an array ``(...)``."""
    return t[0].detach().float().cpu().numpy()


CSV_COLUMNS = (
    "step",
    "objective",
    "relative_objective",
    "gradient_norm",
    "spread",
    "step_size",
    "evaluations",
    "seconds",
)


def metrics_csv(
    frames: Sequence[Any], labels: Sequence[str], columns: Sequence[str] = CSV_COLUMNS
) -> str:
    """One line a step: the numbers of ``columns``, then each class's probability.

    Numbers that nobody knows, None, are left empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *(f"probability_{label}" for label in labels)])
    for frame in frames:
        probabilities = frame.probabilities.tolist() if labels else []
        writer.writerow([*(getattr(frame, name) for name in columns), *probabilities])
    return out.getvalue()


def trajectory_npz(frames: Sequence[Frame], points: np.ndarray, settings: RunSettings) -> bytes:
    """The run as a compressed ``.npz``.

    Holds ``particles`` and ``image`` ``(T, N, d)``, ``probabilities`` ``(T, classes)``, the numbers
    of :data:`CSV_COLUMNS` ``(T,)``, the model's ``input`` ``(M, d_x)`` and ``settings`` as JSON.
    """
    names = ("particles", "image", "probabilities", *CSV_COLUMNS)
    return frames_npz(frames, names, settings, input=points)


def frames_npz(
    frames: Sequence[Any], names: Sequence[str], settings: RunSettings, **more: np.ndarray
) -> bytes:
    """A compressed ``.npz`` of frames' attributes ``(T, ...)``, ``settings`` as JSON, and more."""
    out = io.BytesIO()
    stacked = {name: np.stack([getattr(frame, name) for frame in frames]) for name in names}
    np.savez_compressed(out, settings=json.dumps(settings.to_dict()), **stacked, **more)
    return out.getvalue()


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is the GPU if there is one, else the CPU.

    Raises:
        UserError: ``cuda`` where there is none, or another word.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("No CUDA GPU was found: use --device cpu or --device auto.")
    if name not in ("cpu", "cuda"):
        raise UserError(f"There is no device '{name[:40]}': choose auto, cpu or cuda.")
    return torch.device(name)
