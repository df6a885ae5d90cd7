"""Streamlit's private parts are as the app takes them to be, and are named in one place."""

import ast
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from ddeq.view import private

ROOT = Path(__file__).parents[2]
MODULES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ddeq").rglob("*.py")]
STATIC = Path(st.__file__).parent / "static"


def imported(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def test_nobody_else_reaches_into_streamlit():
    own = Path(private.__file__)
    assert any(name.startswith("streamlit.") for name in imported(own))
    for path in MODULES:
        reached = [name for name in imported(path) if name.startswith("streamlit.")]
        assert not reached or path == own, (path, reached)


def test_what_is_written_into_is_of_the_type_we_say():
    def script():
        import streamlit as st

        from ddeq.view.private import Place

        places = (st.container(), st.empty(), *st.columns(2), *st.tabs(["a"]), st.expander("b"))
        st.text(all(isinstance(place, Place) for place in places))

    assert AppTest.from_function(script).run().text[0].value == "True"


def test_a_run_knows_the_link_it_began_with_and_what_it_has_written():
    def script():
        import streamlit as st

        from ddeq.view.private import link_of_this_run, put_into_link

        st.text(link_of_this_run())
        st.query_params["b"] = "2 & 3"
        st.text(link_of_this_run())
        put_into_link({"c": "4"})
        st.text(link_of_this_run())
        st.text(st.query_params.to_dict())

    app = AppTest.from_function(script)
    app.query_params["a"] = "1"
    said = [text.value for text in app.run().text]
    assert said == ["{'a': '1'}", "{'a': '1', 'b': '2 & 3'}", "{'c': '4'}", "{'c': '4'}"]


def test_a_pages_folder_is_left_once(monkeypatch):
    assert PagesManager.uses_pages_directory in (None, True, False)
    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    assert private.leave_pages_folder() and not private.leave_pages_folder()
    assert PagesManager.uses_pages_directory is False


def test_a_pages_folder_is_what_streamlit_takes_it_for(monkeypatch):
    """Of an app beside a folder `pages/` that has not called ``st.navigation`` yet."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    PagesManager(str(ROOT / "app.py"))
    assert PagesManager.uses_pages_directory is True


def test_a_script_run_can_make_an_element_again_where_that_is_allowed():
    def script():
        import streamlit as st

        from ddeq.view.private import allow_again, is_on_page

        before = is_on_page("field")
        st.number_input("First", key="field")
        st.number_input("Other", key="other-field-2")
        between = is_on_page("field"), is_on_page("other-field-2")
        allow_again("field")
        after = is_on_page("field"), is_on_page("other-field-2")
        st.number_input("First", key="field")
        st.text([before, between, after])

    test = AppTest.from_function(script).run()
    assert not test.exception
    assert test.text[0].value == str([False, (True, True), (False, True)])


def test_elements_made_twice_are_refused_else():
    def script():
        import streamlit as st

        st.number_input("First", key="field")
        st.number_input("First", key="field")

    assert "field" in AppTest.from_function(script).run().exception[0].value


def test_the_browser_is_told_where_content_is_served():
    def script():
        import streamlit as st

        from ddeq.view.private import served

        one, same, other = (served(c, "text/plain", f"at {c}") for c in (b"one", b"one", b"two"))
        st.text([one, one == same, one == other])

    test = AppTest.from_function(script).run()
    assert not test.exception
    address, same, different = ast.literal_eval(test.text[0].value)
    assert "media/" in address and address[0] != "/" and address.endswith(".txt")
    assert same and not different


def test_the_page_has_the_parts_that_are_named():
    scripts = list((STATIC / private.SCRIPTS.strip("/")).glob("*.js"))
    assert scripts and private.SCRIPTS in (STATIC / "index.html").read_text()
    everything = "".join(path.read_text(errors="ignore") for path in scripts)
    assert private.HEADER in everything and private.MAIN in everything
