"""Page *Classify*: pick a digit, watch its particles flow to equilibrium, read the outcome."""

import streamlit as st

from ddeq.checkpoints import ASSETS, Checkpoint, load
from ddeq.clouds import PointCloud
from ddeq.errors import UserError
from ddeq.run import ClassifierRun, RunSettings, metrics_csv, pick_device, prepare, trajectory_npz
from ddeq.view.forms import settings_form
from ddeq.view.inputs import choose_input
from ddeq.view.live import LiveRun
from ddeq.view.navigation import inside_app
from ddeq.view.player import export_html
from ddeq.view.trajectory import of_classifier
from ddeq.view.watch import watch
from ddeq.view.words import outcome_sentence

inside_app()
state = st.session_state
device = pick_device()


@st.cache_resource(show_spinner="Loading the model")
def load_model(device: str) -> Checkpoint:
    return load(ASSETS / "digits.safetensors", device)


def start(cloud: PointCloud, true_label: str | None, settings: RunSettings) -> None:
    """Make the run of this input and these settings the page's run, unless it is already."""
    checkpoint = load_model(str(device))
    points = prepare(cloud, checkpoint.card)
    request = (points.tobytes(), settings)
    if state.get("request") != request:
        run = ClassifierRun(checkpoint, points, settings, device)
        state.live = LiveRun(run, of_classifier(run, cloud.name, points, true_label))
        state.input_of_run = (points, cloud.name, true_label)
        state.request = request


def show_run(live: LiveRun) -> None:
    """The outcome, the player and the downloads; solves what is left to solve."""
    points, name, true_label = state.input_of_run
    watch(
        [live],
        "classify",
        lambda: st.markdown(outcome_sentence(live.run.outcome, true_label)),
    )
    with st.container(horizontal=True):  # files are made when asked for
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
st.markdown(
    "A *distributional deep equilibrium model* has no layers to count. Ten particles start at "
    "random and flow, step by step, until the network $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{input})$. Then the class is read off."
)
left, right = st.columns([2, 5], gap="medium")
with left:
    chosen = choose_input()
    with st.expander("Solver settings", icon=":material/tune:"):
        settings = settings_form(load_model(str(device)).card)
    name = "GPU" if device.type == "cuda" else "CPU"
    st.caption(f"Running on the {name}. Settings and digit are in the link of this page.")
with right:
    if chosen is not None:
        try:
            start(*chosen, settings)
        except UserError as error:
            st.error(str(error))
    if "live" in state:
        show_run(state.live)
    else:
        st.info("Choose a digit, upload one or draw one to begin.")
