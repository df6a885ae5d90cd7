"""The way from page to page."""

from __future__ import annotations

import streamlit as st

from ddeq.view.links import carry, keep
from ddeq.view.private import leave_pages_folder


def run(page: st.Page) -> None:
    """Run the page with what was picked and set when it was last left, and keep that."""
    number = carry(page.url_path)
    # Another page may be asked for, and begin, before this run has ended.
    keep(page.url_path, number)
    try:
        page.run()
    finally:  # an interrupted script run has set something, too
        keep(page.url_path, number)


def to_first_page() -> None:
    """A page at the address that the first one would have if it were not the first."""
    st.switch_page("pages/classify.py", query_params=st.query_params.to_dict())


def inside_app() -> None:
    """Have the page that calls this shown inside the app, should it stand alone.

    Streamlit takes a folder `pages/` for pages that need no `app.py` until that has once called
    `st.navigation`: to the first visitor of a new server who comes by a link to a page, it would
    show that page without the app around it.
    """
    if leave_pages_folder():
        st.rerun()
