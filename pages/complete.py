"""Page *Complete*: remove part of a digit or an object and watch free particles fill it in."""

import streamlit as st

from ddeq.errors import UserError
from ddeq.view.complete.controls import ask
from ddeq.view.complete.request import begin, shown
from ddeq.view.complete.results import show_completion
from ddeq.view.forms import settings_form
from ddeq.view.glossary import say
from ddeq.view.inputs import choose_input, family_of_choice
from ddeq.view.navigation import inside_app
from ddeq.view.page import invite, load_model, say_limits, say_where
from ddeq.view.words import verbatim

PREFIX = "fill-"  # of the settings in the link, after the family's: the classifier's differ

inside_app()
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
    family = family_of_choice(chosen)
    model = load_model(family.completer)
    with st.expander("Solver settings", icon=":material/tune:"):
        settings = settings_form(model.card, family.prefix + PREFIX, without=("particles",))
    say_where("What is picked, cut and set is")
    say_limits(model)
with right:
    present = shown.get()
    asked = None if chosen is None else ask(chosen, settings, present)
    pressed = st.button(
        "Complete", type="primary", icon=":material/auto_fix_high:", disabled=asked is None
    )
    if asked is not None and (pressed or present is None):
        request, going_on = asked
        try:
            present = shown.put(begin(request, present if going_on else None))
        except UserError as error:
            st.error(verbatim(str(error)))
    if present is None:
        invite()
    else:
        if asked is None or asked[0].identity != present.request.identity:
            st.info("Below is what you completed last. Press Complete for what is chosen now.")
        show_completion(present)
