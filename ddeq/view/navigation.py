"""Pages that are reached by a link of their own."""

from __future__ import annotations

import streamlit as st

from ddeq.view.private import leave_pages_folder


def inside_app() -> None:
    """Have the page that calls this shown inside the app, should it stand alone.

    Streamlit takes a folder `pages/` for pages that need no `app.py` until that has once called
    `st.navigation`: to the first visitor of a new server who comes by a link to a page, it would
    show that page without the app around it.
    """
    if leave_pages_folder():
        st.rerun()
