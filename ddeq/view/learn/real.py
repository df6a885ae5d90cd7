"""Chapter 6: the shipped models, and what the flow adds to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from ddeq.input.gallery import load_gallery
from ddeq.input.hollow import hollow
from ddeq.input.partial import DIGIT_HOLE_RADIUS, DIGIT_HOLES, random_holes
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import standardise
from ddeq.learn.real import DEPTHS, Score, score
from ddeq.metrics.intervals import wilson_interval
from ddeq.model.checkpoints import ASSETS, Checkpoint
from ddeq.run.classification import ClassifierRun
from ddeq.run.completion import CompleterRun
from ddeq.run.filling import of_completer
from ddeq.run.settings import with_defaults
from ddeq.run.trajectory import of_classifier
from ddeq.view.glossary import say
from ddeq.view.learn.frame import Chapter, Question, controls, number_of, offer_lab
from ddeq.view.learn.on_demand import offer_work
from ddeq.view.learn.symbols import TONES
from ddeq.view.page import load_model
from ddeq.view.picker import digit_picker
from ddeq.view.player import encode
from ddeq.view.player.component import player
from ddeq.view.session import Name
from ddeq.view.words import ending, outcome_sentence

TEXT = r"""
The real digit classifier is the same thing, larger. Ten particles $\term{mu}{\mu}$ live in 128
dimensions. The input $\term{rho}{\rho}$ are the pixels of a digit, as a cloud. The [[operator]]
$\term{image}{F}$ is a transformer with {parameters} weights. It encodes $\term{rho}{\rho}$ once,
then is applied until

$$
\frac{\term{objective}{G}(\term{mu}{\mu})}{\term{objective}{G}(\term{mu}{\mu_0})} \le 10^{-3}.
$$

Each coordinate's maximum over the particles, times one more matrix, gives ten scores, one a class.
As they can be read at every step, you see the network make up its mind.

The completer works likewise: known points stay, *free particles* flow into the gap.

**How much does flowing add?** To be honest, one needs a [[control]]: the same network, trained as
long, read out after a single application of $\term{image}{F}$. On all {total} MNIST test digits:

| | accuracy | 95 % interval |
|---|---|---|
| DDEQ | {ddeq} | {ddeq_interval} |
| control | {control} | {control_interval} |

A small gain, and the intervals {overlap}. What an equilibrium buys besides: solving five times as
long changes the class of {changed} of the digits, so the answer hardly depends on when one stops.
"""

SNIPPET = """\
from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import load
from ddeq.run.classification import ClassifierRun
from ddeq.run.settings import with_defaults

checkpoint = load("digits")
settings = with_defaults(checkpoint.card, {{}})
points = prepare(load_gallery().cloud({digit}), checkpoint.card)  # (M, 2)
run = ClassifierRun(checkpoint, points, settings)
for frame in run:
    print(frame.step, frame.relative_objective, frame.probabilities.argmax())
print(run.outcome.label, run.outcome.stopped)
"""

FIRST = 168  # a seven
PAGES = {"Classify": "./", "Complete": "complete"}  # addresses: the first page has none of its own
TASKS = tuple(PAGES)
PRESETS = {
    "An easy one": {"@digit": 0, "task": "Classify"},
    "One it gets wrong": {"@digit": 72, "task": "Classify"},
    "Fill a gap": {"@digit": 168, "task": "Complete"},
}


def results(name: str) -> dict:
    """What ``python -m ddeq evaluate --card`` wrote into the model's card, of the test digits."""
    return json.loads((ASSETS / f"{name}.json").read_text())["results"]["test"]


def filled(text: str) -> str:
    """The text with the figures of the cards."""
    ddeq, control = results("digits"), results("digits-control")
    overlap = control["interval"][1] >= ddeq["interval"][0]
    figures = {
        "{parameters}": f"{ddeq['parameters']:,}",
        "{total}": f"{ddeq['total']:,}",
        "{ddeq}": f"{ddeq['accuracy']:.2%}",
        "{control}": f"{control['accuracy']:.2%}",
        "{ddeq_interval}": _span(ddeq["interval"]),
        "{control_interval}": _span(control["interval"]),
        "{overlap}": "overlap" if overlap else "do not overlap",
        "{changed}": f"{ddeq['changed_5x']:.2%}",
    }
    for mark, figure in figures.items():
        text = text.replace(mark, figure)
    return text


def _span(interval: list[float]) -> str:
    return f"{interval[0]:.2%} to {interval[1]:.2%}"


def answer() -> tuple[int, str]:
    """Read the answer off the cards."""
    ddeq, control = results("digits"), results("digits-control")
    gain = ddeq["accuracy"] - control["accuracy"]
    right = 0 if gain < 0.01 else 1 if gain < 0.05 else 2
    return right, (
        f"On {ddeq['total']:,} digits it adds {100 * gain:.2f} percentage points. Digits are easy: "
        "one look is nearly enough. Measure it yourself below, on the gallery's 240."
    )


_model = partial(load_model, device="cpu")  # small work, measured on a CPU


def figure() -> str:
    """A gallery digit solved live, and the accuracy against steps."""
    digit = int(number_of("digit", FIRST, 0, len(load_gallery().labels) - 1))
    with controls("real"):
        task = st.segmented_control(
            "Task",
            TASKS,
            default=TASKS[0],
            required=True,
            key="task",
            bind="query-params",
            label_visibility="collapsed",
        )
        with st.popover("Choose a digit", icon=":material/grid_view:"):
            clicked = digit_picker("learn-digit", digit)
    if clicked is not None and clicked != digit:
        st.query_params["digit"] = str(clicked)
        st.rerun()
    data, sentence = (classified if task == TASKS[0] else completed)(digit)
    player([data], key=f"learn-{task}", height=320, follow=True)
    say(sentence)
    st.markdown(f"[All of it on page *{task}*]({PAGES[task]}?digit={digit})")
    card = _model("digits").card
    settings = with_defaults(card, {})
    offer_lab(settings.solver, settings.kernel, settings.limits.steps)
    _measure()
    return SNIPPET.format(digit=digit)


@st.cache_data(max_entries=64, show_spinner=False)
def classified(digit: int) -> tuple[bytes, str]:
    """One digit of the gallery, for the player, and what came of it."""
    gallery, checkpoint = load_gallery(), _model("digits")
    cloud, answer = gallery.cloud(digit), gallery.answer(digit)
    points = prepare(cloud, checkpoint.card)
    run = ClassifierRun(checkpoint, points, with_defaults(checkpoint.card, {}))
    as_trajectory = of_classifier(run, cloud.name, points, answer)
    recorded = as_trajectory(list(run))
    return encode(recorded), outcome_sentence(run.outcome, answer)


@st.cache_data(max_entries=64, show_spinner=False)
def completed(digit: int) -> tuple[bytes, str]:
    """The same digit with two holes, completed."""
    gallery, checkpoint = load_gallery(), _model("completion-digits")
    cloud = gallery.cloud(digit)
    keep = random_holes(
        standardise(cloud.points).points,
        DIGIT_HOLES,
        DIGIT_HOLE_RADIUS,
        np.random.default_rng(0),
    )
    run = CompleterRun(
        checkpoint,
        hollow(cloud, keep),
        with_defaults(checkpoint.card, {}),
        classifier=_model("digits"),
    )
    frames = list(run)
    as_trajectory = of_completer(run, cloud.name, gallery.answer(digit))
    return encode(as_trajectory(run.judge(frames))), ending(run.outcome)


def _measure() -> None:
    """Accuracy against steps, with and without training for the flow."""
    st.subheader("Accuracy against steps", anchor=False)
    total = len(load_gallery().labels)
    offer_work(
        Name.SCORING,
        ("Measure", f"Both models on the gallery's {total} digits, some seconds on a CPU."),
        lambda: _both(_model("digits"), _model("digits-control")),
        lambda now: (now[0].seen / total, f"{now[0].seen} of {total} digits"),
        _scores,
    )


def _both(ddeq: Checkpoint, control: Checkpoint) -> Iterator[tuple[Score, Score]]:
    """Scores of both models, digit class by digit class."""
    return zip(score(ddeq), score(control), strict=True)


def _scores(found: list[tuple[Score, Score]]) -> None:
    """The newest scores as a chart with 95 % intervals."""
    rows = []
    for name, newest in zip(("DDEQ", "control"), found[-1], strict=True):
        for depth, right in list(zip(DEPTHS, newest.right, strict=True))[1:]:
            low, high = wilson_interval(right, newest.seen)
            share = right / newest.seen
            rows.append(
                {"steps": depth, "accuracy": share, "low": low, "high": high, "model": name}
            )
    frame = pd.DataFrame(rows)
    colour = alt.Color(
        "model",
        scale=alt.Scale(domain=["DDEQ", "control"], range=[TONES["blue"][0], TONES["orange"][0]]),
        legend=alt.Legend(orient="top", title=None),
    )
    steps = alt.Scale(type="log", domain=[1, DEPTHS[-1]], nice=False)  # and not to a power of ten
    x = alt.X("steps", title="applications of F", scale=steps)
    base = alt.Chart(frame).encode(x, color=colour)
    y = alt.Y("accuracy", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0.9, 1], clamp=True))
    chart = base.mark_area(opacity=0.13).encode(
        alt.Y("low", title="accuracy", axis=alt.Axis(format="%")), alt.Y2("high")
    ) + base.mark_line(point=True).encode(y)
    ddeq, control = found[-1]
    st.altair_chart(
        chart.properties(
            height=220,
            description=(
                f"Accuracy on {ddeq.seen} digits against applications of F, with 95 % intervals, "
                "for the DDEQ and the control."
            ),
        )
    )
    st.markdown(
        f"On {ddeq.seen} digits: the DDEQ reads **{ddeq.right[-1]}** rightly after {DEPTHS[-1]} "
        f"steps and {ddeq.right[1]} after one; the control {control.right[1]} after its one. "
        f"Before the first step, particles are noise: {ddeq.right[0]} right. The bands are 95 % "
        "intervals: so few digits cannot tell the models apart."
    )


CHAPTER = Chapter(
    "The real thing",
    filled(TEXT),
    Question(
        "The same network, read out after one application of F, gets "
        f"{results('digits-control')['accuracy']:.1%} of the digits right. How much does "
        "flowing to equilibrium add?",
        ("Less than 1 point", "1 to 5 points", "More than 5 points"),
        answer,
    ),
    PRESETS,
    figure,
    ("ddeq",),
)
