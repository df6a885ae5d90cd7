"""All that the app takes from Streamlit beside its documented interface.

Nothing else in the app imports from within Streamlit or names its private attributes;
``tests/view/test_private.py`` fails where a new version of it differs.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime import get_instance
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

Upload = UploadedFile
"""The type of what is uploaded."""

Place = DeltaGenerator
"""The type of containers, columns and of what else can be written into."""

HEADER, MAIN = "stHeader", "stMainBlockContainer"
"""The ``data-testid`` of the app's bar, and of the block that holds a page."""

STATUS = "stStatusWidget"
"""What says in the app's bar that a script runs, with a Stop of its own."""

SCRIPTS = "/static/js/"
"""The folder of the scripts of Streamlit's page, below the address of the app."""


def leave_pages_folder() -> bool:
    """Have pages be those of ``st.navigation``; whether they were those of a folder ``pages/``."""
    if not PagesManager.uses_pages_directory:
        return False
    PagesManager.uses_pages_directory = False
    return True


def served(content: bytes, mimetype: str, place: str) -> str:
    """The address at which the browser can fetch ``content``, relative to that of the app.

    It is served as long as the page shows it, as an image of ``st.image`` is.

    Args:
        content: of the file.
        mimetype: of it.
        place: where on the page it stands; what is served from a place replaces what was.
    """
    address = get_instance().media_file_mgr.add(content, mimetype, place)
    return address.lstrip("/")


def is_on_page(key: str) -> bool:
    """Whether the present script run has made an element of this key."""
    context = get_script_run_ctx()
    return context is not None and key in context.shared.widget_user_keys_this_run


def allow_again(key: str) -> None:
    """Let the present script run make an element of a key that it has made already.

    Streamlit takes a repeated key for a mistake.
    """
    context = get_script_run_ctx()
    if context is None:  # no script runs, so none can repeat itself
        return
    keys, ids = context.shared.widget_user_keys_this_run, context.shared.widget_ids_this_run
    others_of = (
        (keys, [name for name in keys.snapshot() if name != key]),
        (ids, [name for name in ids.snapshot() if not name.endswith(f"-{key}")]),
    )
    for names, others in others_of:
        names.clear()
        for name in others:
            names.check_and_add(name)


def believe_link_anew() -> None:
    """Have fields begin with what is in the link now, not with what the script removed from it."""
    context = get_script_run_ctx()
    if context is not None:
        state = context.session_state  # Streamlit's own side of it, not what pages keep there
        with state.query_params() as link:
            link.set_initial_query_params_from_current()


def link_of_this_run() -> dict[str, str]:
    """What the link says, as far as the present script run knows.

    ``st.query_params`` is that of the session: where another page has been asked for, and its run
    has begun beside this one, it is the link of that page already.
    """
    context = get_script_run_ctx()
    if context is None:
        return {}
    said = parse_qsl(context.query_string, keep_blank_values=True)
    return {name: text for name, text in said if not name.startswith("embed")}


def put_into_link(values: dict[str, str]) -> None:
    """Have the link say this and nothing else, and fields begin with that.

    Unlike ``st.query_params``, also where a field of a page that was left had the name.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    state = context.session_state  # Streamlit's own side of it, not what pages keep there
    with state.query_params() as link:
        link.clear_with_no_forward_msg(preserve_embed=True)
        for name, text in values.items():
            link.set_with_no_forward_msg(name, text)
        link._send_query_param_msg()
        link.set_initial_query_params_from_current()
