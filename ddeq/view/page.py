"""How every page is laid out."""

from __future__ import annotations

import streamlit as st

_COMPACT = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.75rem; padding-bottom: 3rem; }
</style>"""


def lay_out() -> None:
    """Begin right below the app's bar, so that a screen holds more; embedded pages have no bar."""
    if not st.context.is_embedded:
        st.html(_COMPACT)
