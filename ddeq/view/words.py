"""Outcomes in plain sentences."""

from __future__ import annotations

from ddeq.flow import Stopped
from ddeq.run import Outcome


def outcome_sentence(outcome: Outcome, true_label: str | None = None) -> str:
    """What a run came to, as Markdown: class, confidence, cost, and why it stopped."""
    verdict = "" if true_label is None else _verdict(outcome.label, true_label)
    return (
        f"The model reads this as a **{outcome.label}** ({outcome.confidence:.1%} sure){verdict}, "
        f"after {outcome.steps} steps and {outcome.evaluations} network evaluations in "
        f"{outcome.seconds:.2f} s on the {_device(outcome.device)}. {_ending(outcome)}"
    )


def _verdict(label: str, true_label: str) -> str:
    return ", rightly" if label == true_label else f", but it is a {true_label}"


def _device(device: str) -> str:
    return "GPU" if device.startswith("cuda") else "CPU"


def _ending(outcome: Outcome) -> str:
    reached = f"the objective is at {outcome.relative_objective:.2%} of where it began"
    return {
        Stopped.CONVERGED: f"It converged: {reached}.",
        Stopped.STEP_LIMIT: f"It met the step limit: {reached}.",
        Stopped.CANCELLED: f"You stopped it: {reached}.",
        Stopped.DIVERGED: "It diverged: the objective is no longer a number.",
    }[outcome.stopped] + (f" {outcome.stopped.advice}" if outcome.stopped.advice else "")


def ending(outcome: Outcome) -> str:
    """Why a run stopped, in one plain sentence for the player's status line."""
    return _ending(outcome)
