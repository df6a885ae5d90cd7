"""Outcomes in plain sentences, with the marks of :func:`ddeq.view.glossary.say`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ddeq.input.answers import Answer
from ddeq.input.answers import class_name as class_name
from ddeq.metrics.agreement import Agreement
from ddeq.run.classification import Outcome
from ddeq.run.completion import CompletionOutcome
from ddeq.run.frames import Ending
from ddeq.run.truth import COVERAGE_RADIUS
from ddeq.solve.flow import Stopped
from ddeq.view.glossary import plain

_AN = ("a", "e", "i", "o", "u", "8", "xbox")
"""How names begin that have the article *an*."""


def with_article(label: str, mark: str = "**") -> str:
    """A class in words with its article, as in a sentence."""
    name = class_name(label)
    article = "an" if name.lower().startswith(_AN) else "a"
    return f"{article} {mark}{name}{mark}"


def outcome_sentence(outcome: Outcome, answer: Answer | None = None) -> str:
    """What a run came to, as Markdown: class, confidence, cost, and why it stopped."""
    verdict = "" if answer is None else _verdict(outcome.label, answer)
    label = with_article(outcome.label)
    reads = "The model reads this as"
    if outcome.known is False:
        reads = "This is unlike anything the model has learned; its best guess is"
    return (
        f"{reads} {label} ({outcome.confidence:.1%} sure){verdict}, "
        f"after {outcome.steps} steps and {outcome.evaluations} network evaluations in "
        f"{outcome.seconds:.2f} s on the {_device(outcome.device)}. {_ending(outcome)}"
    )


def _verdict(label: str, answer: Answer) -> str:
    what = with_article(answer.name, "")
    if label in answer.right:
        return ", rightly" if label == answer.name else f", rightly for {what}"
    return f", but it is {what}" + ("" if answer.right else ", for which it has no class")


def _device(device: str) -> str:
    return "GPU" if device.startswith("cuda") else "CPU"


def _ending(outcome: Ending) -> str:
    reached = f"the [[objective]] is at {outcome.relative_objective:.2%} of where it began"
    return {
        Stopped.CONVERGED: f"It converged: {reached}.",
        Stopped.BELOW_ROUNDING: "It arrived as far as numbers tell: the [[objective]] is below "
        "rounding, where 0 and what is left of it are the same.",
        Stopped.STEP_LIMIT: f"It met the step limit: {reached}.",
        Stopped.TIME_LIMIT: f"It met the time limit: {reached}.",
        Stopped.CANCELLED: f"You stopped it: {reached}.",
        Stopped.DIVERGED: "It [[diverged|divergence]]: the objective is no longer a number.",
    }[outcome.stopped] + _asides(outcome)


def _asides(outcome: Ending) -> str:
    """What to do next, and what is not to be seen."""
    said = f" {outcome.stopped.advice}" if outcome.stopped.advice else ""
    if outcome.recorded_every:
        said += f" To save memory, one in {outcome.recorded_every} of its later steps is kept."
    return said


def ending(outcome: Ending) -> str:
    """Why a run stopped, in one plain sentence for the player's status line."""
    return plain(_ending(outcome))


@dataclass(frozen=True)
class Change:
    """What a completion has changed, from before to after.

    Attributes:
        label: a class that is right, or the one that was read before where nobody knows that.
        sure: probability of what is right; None where the classifier has no class for it.
        covered: share of the removed points with a free particle nearby; None without a truth.
    """

    label: str
    sure: tuple[float, float] | None
    covered: tuple[float, float] | None


def change_sentence(change: Change) -> str:
    """Whether a completion is worse than what it began with, and in what numbers, as Markdown."""
    found = []
    if change.sure is not None:
        before, after = change.sure
        label = with_article(change.label, "")
        found.append(f"the classifier is {after:.0%} sure of {label}, {before:.0%} before")
    if change.covered is not None:
        before, after = change.covered
        found.append(
            f"{after:.0%} of the removed points are [[covered|coverage]], {before:.0%} by the "
            "noise it began as"
        )
    pairs = [pair for pair in (change.sure, change.covered) if pair is not None]
    lead = "Worse than before" if any(map(_lower, pairs)) else "Filled in"
    return f"**{lead}**: {'; '.join(found)}." if found else f"**{lead}**."


def _lower(pair: tuple[float, float]) -> bool:
    """Whether a share has fallen by so much that it shows in whole percent, or is no number."""
    before, after = pair
    return not math.isfinite(after) or round(100 * after) < round(100 * before)


def completion_sentence(
    outcome: CompletionOutcome, before: Outcome, answer: Answer | None = None
) -> str:
    """What a completion came to, as Markdown: cost, why it stopped, how near the truth, its class.

    Args:
        outcome: of the run.
        before: what the classifier makes of the known points alone.
        answer: what it is, if known.
    """
    sentences = [
        f"**{outcome.free} free particle{'' if outcome.free == 1 else 's'}** flowed beside "
        f"**{outcome.known} known points** for {outcome.steps} step"
        f"{'' if outcome.steps == 1 else 's'}, {outcome.seconds:.2f} s on the "
        f"{_device(outcome.device)}. {_ending(outcome)}"
    ]
    if outcome.emd is not None and outcome.longest is not None and math.isfinite(outcome.emd):
        sentences.append(
            f"Against the truth: {outcome.coverage:.0%} of the removed points have a free particle "
            f"within {COVERAGE_RADIUS} standard deviations, and the completed cloud is "
            f"{outcome.emd:.3f} from the whole one ([[EMD]]; "
            f"{outcome.emd / outcome.longest:.1%} of its longest side; [[Chamfer distance]] "
            f"{outcome.chamfer:.3f}, [[squared|squared Chamfer distance]] "
            f"{outcome.chamfer_squared:.4f}, [[MMD\u00b2|MMD]] {outcome.mmd2:.4f}, "
            f"[[F-score at 1%|F-score]] of that side {outcome.f_score:.2f})."
        )
    sure = outcome.confidence
    if outcome.label is not None and sure is not None and math.isfinite(sure):
        sentences.append(
            f"The classifier reads what was left as {with_article(before.label, '')} "
            f"({before.confidence:.0%} sure), the completed cloud as {with_article(outcome.label)} "
            f"({sure:.0%} sure)"
            f"{'' if answer is None else _verdict(outcome.label, answer)}."
        )
    return "\n\n".join(sentences)


def agreement_sentence(found: Agreement) -> str:
    """Whether runs from several seeds found one completion or several, as Markdown."""
    runs = len(found.distances)
    pairs = [found.distances[i, j] for i in range(runs) for j in range(i)]
    apart = f"{pairs[0]:.2f} apart" if runs == 2 else f"{min(pairs):.2f} to {max(pairs):.2f} apart"
    scale = (
        f"[[EMD between the free particles of two seeds|EMD]], in standard deviations; "
        f"neighbouring points are {found.spacing:.2f} apart"
    )
    if found.one:
        return f"**One completion**: all {runs} seeds fill in the same shape, {apart} ({scale})."
    return f"**Several completions**: the {runs} seeds fill in different shapes, {apart} ({scale})."


def in_line(place: int | None) -> str:
    """What someone is told who waits while others solve; empty for who does not wait.

    Args:
        place: in line, from 1.
    """
    if place is None:
        return ""
    before = "next in line" if place == 1 else f"number {place} in line"
    return f"Others are solving: you are {before}. "


def verbatim(text: str) -> str:
    """Markdown that shows the text as it is: names and lines of files may hold anything.

    It stays on one line, as what stands at the beginning of one means something.
    """
    apart = _LINKS.sub("\u2060", " ".join(text.split()))
    return _MARKS.sub(r"\\\g<0>", apart)


_MARKS = re.compile(r"[\\`*_\[\]<>~$&|!#{}^:]|(?<=:material)/|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
_LINKS = re.compile(r"(?<=:)(?=/)|(?<=www)(?=\.)|(?<=@)|(?<= [-<>~])(?=[-=>])", re.IGNORECASE)
"""Between such letters an invisible one, the word joiner, keeps addresses from becoming links and
arrows from becoming single signs: nothing that is escaped does."""
