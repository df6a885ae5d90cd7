"""The app: its pages and how they are reached."""

import streamlit as st

from ddeq.threads import leave_a_core
from ddeq.view.arrival import enter_once
from ddeq.view.bubbles import explain_what_is_pointed_at
from ddeq.view.links import drop_infinities
from ddeq.view.navigation import run, to_first_page
from ddeq.view.page import configure, lay_out

leave_a_core()
configure()
drop_infinities()
page = st.navigation(
    [
        st.Page(
            "pages/classify.py",
            title="Classify",
            icon=":material/scatter_plot:",
            url_path="first",  # not its own: Streamlit says of that address that there is no page
            default=True,
        ),
        st.Page("pages/complete.py", title="Complete", icon=":material/auto_fix_high:"),
        st.Page("pages/learn.py", title="Learn", icon=":material/school:"),
        st.Page("pages/lab.py", title="Solver lab", icon=":material/science:"),
        st.Page(to_first_page, url_path="classify", visibility="hidden"),
    ],
    position="top",
)
lay_out()
explain_what_is_pointed_at()
enter_once()
run(page)
