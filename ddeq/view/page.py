"""How every page is laid out."""

from __future__ import annotations

import streamlit as st

_STYLE = """<style>
[data-testid="stMainBlockContainer"] {{ padding-top: {top}; padding-bottom: {bottom}; }}
[data-testid="stHeader"] {{ display: {bar}; }}
</style>"""


def lay_out() -> None:
    """Begin right below the app's bar, so that a screen holds more; embedded pages have no bar."""
    if st.context.is_embedded:
        st.html(_STYLE.format(top="1rem", bottom="1rem", bar="none"))
    else:
        st.html(_STYLE.format(top="4.75rem", bottom="3rem", bar="flex"))
