"""Page *Solver lab*: compare, fork and probe the road to equilibrium."""

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import ASSETS, Checkpoint, load
from ddeq.run.device import pick_device
from ddeq.view.glossary import say
from ddeq.view.inputs import choose_input
from ddeq.view.lab import early_exit, equilibria, fork, phase, race, witness
from ddeq.view.lab.bench import Bench
from ddeq.view.navigation import inside_app

SECTIONS = {
    "Race": race,
    "Fork": fork,
    "Is there one equilibrium?": equilibria,
    "Phase diagram": phase,
    "Does the flow matter?": early_exit,
    "Witness": witness,
}
inside_app()
state = st.session_state
device = pick_device()


@st.cache_resource(show_spinner="Loading the model")
def load_model(name: str, device: str) -> Checkpoint:
    return load(ASSETS / f"{name}.safetensors", device)


def bench() -> Bench | None:
    """The input and the models; the last usable input while there is none."""
    chosen = choose_input()
    if chosen is not None:
        family, label = chosen.family, chosen.true_label
        names = (family.classifier, family.control)
        model, control = (load_model(name, str(device)) for name in names)
        try:
            points = prepare(chosen.cloud, model.card)
            state.bench = Bench(family, model, control, chosen.cloud, label, points, device)
        except UserError as error:
            st.error(str(error))
    return state.get("bench")


st.title("The solver lab", anchor=False)
say(
    "Many roads lead to [[the equilibrium|equilibrium]], $\\mu = F(\\mu, \\text{input})$, and some "
    "lead elsewhere. Race them, fork them, and ask whether they arrive at the same place."
)
look = st.segmented_control(
    "What to look at",
    list(SECTIONS),
    default="Race",
    required=True,
    key="look",
    bind="query-params",
    label_visibility="collapsed",
)
section = SECTIONS[look]
left, right = st.columns([2, 5], gap="medium")
with left:
    table = bench()
    asked = None if table is None else section.forms(table)
    name = "GPU" if device.type == "cuda" else "CPU"
    st.caption(f"Running on the {name}. Settings and what is picked are in the link of this page.")
with right:
    if table is None:
        st.info("Choose a digit or an object, upload one or draw a digit to begin.")
    else:
        section.show(table, asked)
