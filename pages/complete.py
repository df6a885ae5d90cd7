"""Page *Complete*: remove part of a digit or an object and watch free particles fill it in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud
from ddeq.input.families import DIGITS
from ddeq.input.formats.writers import WRITERS
from ddeq.input.hollow import Hollow
from ddeq.input.prepare import prepare
from ddeq.metrics.agreement import compare
from ddeq.model.checkpoints import ASSETS, Checkpoint, load
from ddeq.run.classification import ClassifierRun, Outcome
from ddeq.run.completion import CompleterRun, usual_count
from ddeq.run.device import pick_device
from ddeq.run.export import completion_csv, completion_npz
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.solve.flow import Stopped
from ddeq.view.cuts import choose_hollow
from ddeq.view.filling import completed_file, of_completer
from ddeq.view.forms import settings_form
from ddeq.view.glossary import explain, say
from ddeq.view.inputs import Chosen, choose_input
from ddeq.view.live import LiveRun
from ddeq.view.navigation import inside_app
from ddeq.view.player import export_html
from ddeq.view.watch import watch
from ddeq.view.words import agreement_sentence, completion_sentence

PREFIX = "fill-"  # of the settings in the link, after the family's: the classifier's differ
MOST_SEEDS = 4
inside_app()
state = st.session_state
device = pick_device()


@dataclass(frozen=True)
class Request:
    """What a completion is asked for.

    Attributes:
        chosen: the whole input, and the models for it.
        hollow: what is left of it.
        settings: of the run.
        free: particles, None as many as is usual.
        seeds: runs side by side, each with the seed after the last one's.
    """

    chosen: Chosen
    hollow: Hollow
    settings: RunSettings
    free: int | None
    seeds: int

    def same_as(self, other: "Request") -> bool:
        return self.same_cloud(other.chosen.cloud) and self._plain() == other._plain()

    def same_cloud(self, cloud: PointCloud) -> bool:
        return self.chosen.cloud.points.tobytes() == cloud.points.tobytes()

    @property
    def up(self) -> str:
        """The axis of the file that was turned to +z."""
        reading = self.chosen.reading
        return "z" if reading is None or self.chosen.family.flat else reading.up_axis

    def _plain(self) -> tuple:
        whole = self.hollow.truth is not None
        return self.hollow.known.tobytes(), whole, self.settings, self.free, self.seeds


@dataclass(frozen=True)
class Completion:
    """What the page shows: runs of one request, and the class of what was left."""

    request: Request
    runs: tuple[LiveRun, ...]
    before: Outcome


@st.cache_resource(show_spinner="Loading the model")
def load_model(name: str, device: str) -> Checkpoint:
    return load(ASSETS / f"{name}.safetensors", device)


def read(classifier: Checkpoint, cloud: PointCloud) -> Outcome:
    """What the classifier makes of a cloud."""
    card = classifier.card
    run = ClassifierRun(classifier, prepare(cloud, card), with_defaults(card, {}), device)
    for _ in run:
        pass
    return run.outcome


def begin(request: Request, present: Completion | None) -> Completion:
    """The request's runs, from the particles of the present ones if these are given."""
    chosen = request.chosen
    names = chosen.family.completer, chosen.family.classifier
    model, classifier = (load_model(name, str(device)) for name in names)
    runs = [live.run for live in present.runs if live.frames] if present else []
    starts = [run.completed[len(run.hollow.known) :] for run in runs] or [None]
    lives = []
    for k in range(request.seeds):
        limits, begin_at = request.settings.limits, starts[k % len(starts)]
        limits = replace(limits, seed=limits.seed + k)
        run = CompleterRun(
            model,
            request.hollow,
            replace(request.settings, limits=limits),
            device,
            free=request.free if begin_at is None else None,
            start=begin_at,
            classifier=classifier,
        )
        name = f"seed {limits.seed}" if request.seeds > 1 else chosen.cloud.name
        lives.append(LiveRun(run, of_completer(run, name, chosen.true_label), run.judge))
    known = PointCloud(request.hollow.known, chosen.cloud.name)
    return Completion(request, tuple(lives), read(classifier, known))


def ask(chosen: Chosen, card: Mapping[str, Any]) -> tuple[Request, bool] | None:
    """What the controls ask for and whether to start from the present particles.

    None while what they say makes no sense, which is explained.
    """
    row = st.container(horizontal=True, gap="medium")  # one below the other where it is narrow
    plot, controls = row.container(width=320), row.container(width=450)
    try:
        hollow = choose_hollow(chosen.cloud, plot, controls, flat=chosen.family.flat)
    except UserError as error:
        controls.error(str(error))
        return None
    with controls:
        number, side = st.columns(2, gap="medium")
        free = number.number_input(
            "Free particles",
            min_value=1,
            value=None,
            placeholder=f"{usual_count(card, hollow):,}{_because(card, hollow)}",
            help=explain("free particles"),
            key="free",
            bind="query-params",
        )
        seeds = side.segmented_control(
            "Seeds side by side",
            range(1, MOST_SEEDS + 1),
            default=1,
            required=True,
            help="Is there one completion or several?",
            key="seeds",
            bind="query-params",
        )
        present = "completion" in state and state.completion.request.same_cloud(chosen.cloud)
        going_on = st.toggle(
            "Start from where the particles are",
            disabled=not present,
            help="Not from noise: change what is removed and watch them move on.",
        )
    request = Request(chosen, hollow, settings, free, seeds)
    return request, present and going_on


def _because(card: Mapping[str, Any], hollow: Hollow) -> str:
    if card.get("free") == "removed" and hollow.removed is not None:
        return ", as removed"
    return ", by the paper's rule"


def show_completion(completion: Completion) -> None:
    """What came out, the player and the downloads; solves what is left to solve."""
    runs = [live.run for live in completion.runs]

    def conclude() -> None:
        true_label = completion.request.chosen.true_label
        say(completion_sentence(runs[0].outcome, completion.before, true_label))
        ended = [run for run in runs if run.outcome.stopped is not Stopped.DIVERGED]
        if len(ended) > 1:
            found = compare(runs[0].standard.points, [run.last.points for run in ended])
            say(agreement_sentence(found))

    watch(completion.runs, "complete", conclude)
    take_home(completion)


def take_home(completion: Completion) -> None:
    """Downloads; files are made when asked for."""
    live = completion.runs[0]
    if len(completion.runs) > 1:
        names = [f"seed {each.run.settings.limits.seed}" for each in completion.runs]
        chosen = st.selectbox("Download", range(len(names)), format_func=names.__getitem__)
        live = completion.runs[chosen]
    up, title = completion.request.up, completion.request.chosen.cloud.name
    pages = [b"".join(each.pieces) for each in completion.runs]
    files = {
        f"Cloud ({suffix})": (name, partial(completed_file, live.run, name, up))
        for suffix in WRITERS
        for name in [f"completed{suffix}"]
    } | {
        "Run (.npz)": ("completion.npz", lambda: completion_npz(live.frames, live.run, up)),
        "Metrics (.csv)": ("completion.csv", lambda: completion_csv(live.frames, live.run)),
        "Interactive page (.html)": (
            "completion.html",
            lambda: export_html(pages, title),
        ),
    }
    with st.container(horizontal=True):
        for label, (name, content) in files.items():
            st.download_button(label, content, name, on_click="ignore")


st.title("Watch a network fill in what is missing", anchor=False)
say(
    "Part of a [[cloud]] is removed. What is left stays where it is; around it *[[free "
    "particles]]* start as noise and [[flow|gradient flow]], step by step, until the "
    "[[network|operator]] $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{known points})$."
)
left, right = st.columns([2, 5], gap="medium")
with left:
    chosen = choose_input()
    family = DIGITS if chosen is None else chosen.family
    card = load_model(family.completer, str(device)).card
    with st.expander("Solver settings", icon=":material/tune:"):
        settings = settings_form(card, family.prefix + PREFIX, without=("particles",))
    name = "GPU" if device.type == "cuda" else "CPU"
    st.caption(f"Running on the {name}. What is picked, cut and set is in the link of this page.")
    if "limits" in card:
        st.caption(card["limits"])
with right:
    asked = None if chosen is None else ask(chosen, card)
    pressed = st.button(
        "Complete", type="primary", icon=":material/auto_fix_high:", disabled=asked is None
    )
    if asked is not None and (pressed or "completion" not in state):
        request, going_on = asked
        try:
            state.completion = begin(request, state.completion if going_on else None)
        except UserError as error:
            st.error(str(error))
    if "completion" not in state:
        st.info("Choose a digit or an object, upload one or draw a digit to begin.")
    else:
        if asked is None or not asked[0].same_as(state.completion.request):
            st.info("Below is what you completed last. Press Complete for what is chosen now.")
        show_completion(state.completion)
