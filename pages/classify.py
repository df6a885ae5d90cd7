"""Page *Classify*: pick a digit, watch its particles flow to equilibrium, read the outcome."""

from pathlib import Path

import streamlit as st

from ddeq.checkpoints import ASSETS, Checkpoint, load
from ddeq.clouds import PointCloud, read_cloud
from ddeq.errors import UserError
from ddeq.formats import SUFFIXES as CLOUD_SUFFIXES
from ddeq.gallery import load_gallery
from ddeq.images import SUFFIXES as IMAGE_SUFFIXES
from ddeq.images import image_to_cloud, strokes_to_cloud
from ddeq.run import ClassifierRun, RunSettings, metrics_csv, pick_device, prepare, trajectory_npz
from ddeq.view.forms import settings_form
from ddeq.view.live import LiveRun
from ddeq.view.pad import drawing_pad
from ddeq.view.picker import digit_picker
from ddeq.view.player import export_html
from ddeq.view.player.component import player
from ddeq.view.words import outcome_sentence

FIRST_DIGIT = 168  # a seven
state = st.session_state
device = pick_device()


@st.cache_resource(show_spinner="Loading the model")
def load_model(device: str) -> Checkpoint:
    return load(ASSETS / "digits.safetensors", device)


@st.cache_data(max_entries=4, show_spinner="Reading the file")
def read(content: bytes, name: str) -> PointCloud:
    image = Path(name).suffix.lower() in IMAGE_SUFFIXES
    return image_to_cloud(content, name) if image else read_cloud(content, name)


def from_gallery() -> tuple[PointCloud, str]:
    gallery = load_gallery()
    asked = st.query_params.get("digit", "")
    digit = int(asked) if asked.isdecimal() and int(asked) < len(gallery.labels) else FIRST_DIGIT
    clicked = digit_picker("gallery", digit)
    if clicked is not None and clicked != digit:
        st.query_params["digit"] = str(clicked)
        st.rerun()  # so that the picker marks what was clicked
    st.caption("The first 24 test digits of each class of MNIST; nobody chose them.")
    return gallery.cloud(digit), str(gallery.labels[digit])


def from_upload() -> tuple[PointCloud, None] | None:
    file = st.file_uploader(
        "A point cloud of a digit, flat or in the plane, or a picture of one",
        help=f"Point clouds: {', '.join(CLOUD_SUFFIXES)}. Pictures: {', '.join(IMAGE_SUFFIXES)}.",
    )
    return None if file is None else (read(file.getvalue(), file.name), None)


def from_drawing() -> tuple[PointCloud, None] | None:
    strokes = drawing_pad("pad")
    if strokes is not None:
        state.drawing = strokes_to_cloud(strokes)
    return (state.drawing, None) if "drawing" in state else None


def choose_input() -> tuple[PointCloud, str | None] | None:
    """The cloud to classify, and its true class if known; None while there is none to use."""
    sources = {"Gallery": from_gallery, "Upload": from_upload, "Draw": from_drawing}
    source = st.segmented_control(
        "Input",
        list(sources),
        default="Gallery",
        required=True,
        key="input",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        return sources[source]()
    except UserError as error:
        st.error(str(error))
        return None


def start(cloud: PointCloud, true_label: str | None, settings: RunSettings) -> None:
    """Make the run of this input and these settings the page's run, unless it is already."""
    checkpoint = load_model(str(device))
    points = prepare(cloud, checkpoint.card)
    request = (points.tobytes(), settings)
    if state.get("request") != request:
        run = ClassifierRun(checkpoint, points, settings, device)
        state.live = LiveRun(run, cloud.name, points, true_label)
        state.request = request


def show_run(live: LiveRun) -> None:
    """The outcome, the player and the downloads; solves what is left to solve."""
    headline, progress, stage = st.empty(), st.empty(), st.empty()

    def show() -> None:
        with stage:
            moment = player(
                [live.pieces],
                key="classify",
                live=not live.done,
                links=live.done,
                state={k: st.query_params[k] for k in ("step", "camera") if k in st.query_params},
            )
        if moment.link:
            st.query_params.update(moment.link)

    def show_progress() -> None:
        last, limit = live.frames[-1], live.run.settings.limits.steps
        with progress.container(horizontal=True, vertical_alignment="center"):
            st.progress(
                min(1.0, last.step / max(1, limit)),
                f"Step {last.step} of at most {limit}: objective at "
                f"{last.relative_objective:.2%} of where it began",
            )
        show()

    if live.done:
        show()
    else:
        headline.button("Stop", icon=":material/stop_circle:", on_click=live.stop)
        live.advance(show_progress)
        progress.empty()
        show()
    headline.markdown(outcome_sentence(live.run.outcome, live.true_label))
    downloads(live)


def downloads(live: LiveRun) -> None:
    """The run to take home; files are made when asked for."""
    with st.container(horizontal=True):
        st.download_button(
            "Trajectory (.npz)",
            lambda: trajectory_npz(live.frames, live.points, live.run.settings),
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
            lambda: export_html([b"".join(live.pieces)], live.name),
            "ddeq-run.html",
            on_click="ignore",
        )


st.title("Watch a network think by flowing", anchor=False)
st.markdown(
    "A *distributional deep equilibrium model* has no layers to count. Ten particles start at "
    "random and flow, step by step, until the network $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{input})$. Then the class is read off."
)
left, right = st.columns([2, 5], gap="large")
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
