"""Page *Complete*: remove part of a digit or an object and watch free particles fill it in."""

import streamlit as st

from ddeq.view.complete.stage import show_stage
from ddeq.view.forms import settings_form
from ddeq.view.inputs import choose_input, family_of_choice
from ddeq.view.navigation import inside_app
from ddeq.view.page import columns, load_model, say_limits, say_where, title

PREFIX = "fill-"  # of the settings in the link, after the family's: the classifier's differ

inside_app()
title(
    "Watch a network fill in what is missing",
    "Part of a [[cloud]] is removed. What is left stays where it is; around it *[[free "
    "particles]]* start as noise and [[flow|gradient flow]], step by step, until the "
    "[[network|operator]] $F$ maps their distribution to itself: "
    "$\\mu = F(\\mu, \\text{known points})$.",
)
left, right = columns("stage")
with left:
    chosen = choose_input("Objects", keep_all=True)
    family = family_of_choice(chosen)
    model = load_model(family.completer)
    with st.expander("Solver settings", icon=":material/tune:"):
        settings = settings_form(model.card, family.prefix + PREFIX, without=("particles",))
    say_where("What is picked, cut and set is")
    say_limits(model)
with right:
    show_stage(chosen, settings)
