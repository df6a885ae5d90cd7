"""Page *Classify*: pick a cloud, watch its particles flow to equilibrium, read the outcome."""

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.families import DIGITS, Family
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import ASSETS, Checkpoint, load
from ddeq.run.classification import ClassifierRun
from ddeq.run.device import pick_device
from ddeq.run.export import metrics_csv, trajectory_npz
from ddeq.run.settings import RunSettings
from ddeq.view.forms import settings_form
from ddeq.view.glossary import say
from ddeq.view.inputs import Chosen, choose_input
from ddeq.view.live import LiveRun
from ddeq.view.navigation import inside_app
from ddeq.view.player import export_html
from ddeq.view.tour import tour
from ddeq.view.tour.classify import STOPS
from ddeq.view.trajectory import of_classifier
from ddeq.view.watch import watch
from ddeq.view.words import outcome_sentence

inside_app()
state = st.session_state
device = pick_device()


@st.cache_resource(show_spinner="Loading the model")
def load_model(family: Family, device: str) -> Checkpoint:
    return load(ASSETS / f"{family.classifier}.safetensors", device)


def start(chosen: Chosen, settings: RunSettings) -> None:
    """Make the run of this input and these settings the page's run, unless it is already."""
    checkpoint = load_model(chosen.family, str(device))
    name, true_label = chosen.cloud.name, chosen.true_label
    points = prepare(chosen.cloud, checkpoint.card)
    request = (points.tobytes(), settings)
    if state.get("request") != request:
        run = ClassifierRun(checkpoint, points, settings, device)
        state.live = LiveRun(run, of_classifier(run, name, points, true_label))
        state.input_of_run = (points, name, true_label)
        state.request = request


def show_run(live: LiveRun) -> None:
    """The outcome, the player and the downloads; solves what is left to solve."""
    points, name, true_label = state.input_of_run
    watch(
        [live],
        "classify",
        lambda: say(outcome_sentence(live.run.outcome, true_label)),
    )
    with st.container(horizontal=True, key="take-home"):  # files are made when asked for
        st.download_button(
            "Trajectory (.npz)",
            lambda: trajectory_npz(live.frames, points, live.run.settings),
            "ddeq-run.npz",
            on_click="ignore",
        )
        st.download_button(
            "Metrics (.csv)",
            lambda: metrics_csv(live.frames, live.run.labels),
            "ddeq-run.csv",
            on_click="ignore",
        )
        st.download_button(
            "Interactive page (.html)",
            lambda: export_html([b"".join(live.pieces)], name),
            "ddeq-run.html",
            on_click="ignore",
        )


st.title("Watch a network think by flowing", anchor=False)
say(
    "A *[[distributional deep equilibrium model|DDEQ]]* has no layers to count. Ten "
    "[[particles|particle]] start at random and [[flow|gradient flow]], step by step, until the "
    "[[network|operator]] $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{input})$. Then the class is read off."
)
left, right = st.columns([2, 5], gap="medium")
with left:
    with st.container(key="choose-input"):
        chosen = choose_input()
    family = DIGITS if chosen is None else chosen.family
    with st.expander("Solver settings", icon=":material/tune:", key="solver-settings"):
        card = load_model(family, str(device)).card
        settings = settings_form(card, family.prefix)
    name = "GPU" if device.type == "cuda" else "CPU"
    st.caption(f"Running on the {name}. Settings and what is picked are in the link of this page.")
    if "limits" in card:
        st.caption(card["limits"])
    tour("classify", STOPS)
with right:
    if chosen is not None:
        try:
            start(chosen, settings)
        except UserError as error:
            st.error(str(error))
    if "live" in state:
        show_run(state.live)
    else:
        st.info("Choose a digit or an object, upload one or draw a digit to begin.")
