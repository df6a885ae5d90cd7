"""Page *Classify*: pick a cloud, watch its particles flow to equilibrium, read the outcome."""

import streamlit as st

from ddeq.errors import UserError
from ddeq.view.classify import PLAYER, classify, say_whose, show_run, shown
from ddeq.view.demo import demo, plays_by_itself
from ddeq.view.forms import settings_form
from ddeq.view.inputs import choose_input, family_of_choice
from ddeq.view.navigation import inside_app
from ddeq.view.page import columns, invite, load_model, say_limits, say_where, title
from ddeq.view.tour import tour
from ddeq.view.tour.classify import AT_REST, STOPS
from ddeq.view.ways import FIRST, choose_way
from ddeq.view.words import verbatim

inside_app()
title(
    "Watch a network think by flowing",
    "A *[[distributional deep equilibrium model|DDEQ]]* has no layers to count. Ten "
    "[[particles|particle]] start at random and [[flow|gradient flow]], step by step, until the "
    "[[network|operator]] $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{input})$. Then the class is read off.",
)
left, right = columns("stage")
with left:
    chosen = choose_input()
    family = family_of_choice(chosen)
    model = load_model(family.classifier)
    with st.expander("Solver settings", icon=":material/tune:", key="solver-settings"):
        settings = settings_form(model.card, family.prefix, first=FIRST)
    say_where()
    say_limits(model)
    demo(chosen, PLAYER)
    if not plays_by_itself():
        tour("classify", STOPS, AT_REST)
with right:
    choose_way(settings, family.prefix)
    if chosen is not None:
        try:
            classify(chosen, settings)
        except UserError as error:
            st.error(verbatim(str(error)))
    if (present := shown.get()) is None:
        invite()
    else:
        say_whose(chosen, present)
        show_run(present)
