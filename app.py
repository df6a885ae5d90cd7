"""The app: its pages and how they are reached."""

import streamlit as st

from ddeq.threads import leave_a_core
from ddeq.view.bubbles import explain_what_is_pointed_at
from ddeq.view.links import drop_infinities
from ddeq.view.page import configure, lay_out

leave_a_core()
configure()
drop_infinities()
page = st.navigation(
    [
        st.Page(
            "pages/classify.py", title="Classify", icon=":material/scatter_plot:", default=True
        ),
        st.Page("pages/complete.py", title="Complete", icon=":material/auto_fix_high:"),
        st.Page("pages/learn.py", title="Learn", icon=":material/school:"),
        st.Page("pages/lab.py", title="Solver lab", icon=":material/science:"),
    ],
    position="top",
)
lay_out()
explain_what_is_pointed_at()
page.run()
