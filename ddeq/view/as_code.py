"""A run as Python and as a command, to copy."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def as_code(python: str, command: str, file: str, content: Callable[[], bytes], note: str) -> None:
    """A button that unfolds both.

    Args:
        python, command: what does the same.
        file: name of what either, or one of them, reads.
        content: of it, made when asked for.
        note: what the code leaves out, if anything.
    """
    with st.popover("As code", icon=":material/code:", width="content"):
        if note:
            st.caption(note)
        st.caption("Python")
        st.code(python, language="python")
        st.caption("Command")
        st.code(command, language="bash", wrap_lines=True)
        both = file in python
        st.caption(
            f"{'Both read' if both else 'The command reads'} this file, in the folder where "
            f"{'they are' if both else 'it is'} run:"
        )
        st.download_button(file, content, file, on_click="ignore", icon=":material/download:")
