"""Texts out of files as pages show them, for the browser tests."""

import streamlit as st

from ddeq.view.words import verbatim
from tests.hostile import TEXTS

for show in (st.error, st.caption, st.markdown):
    for text in TEXTS:
        show(verbatim(text))
