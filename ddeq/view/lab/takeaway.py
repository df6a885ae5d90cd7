"""Taking results home: figures, data, and the Python that makes them again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ddeq.lab.samples import samples
from ddeq.lab.snippet import INPUT_FILE
from ddeq.view.lab.bench import Bench
from ddeq.view.lab.charts import PICTURE

Content = Callable[[], str | bytes]


def take_home(
    bench: Bench | None,
    files: Mapping[str, Content],
    figures: Callable[[], list[go.Figure]],
    name: str,
    snippet: str,
) -> None:
    """Downloads, made when asked for, and a snippet to copy.

    Args:
        bench: None where the input does not matter.
        files: name of the file to its content.
        figures: of this section, for one web page.
        name: of the section.
        snippet: Python.
    """
    with st.expander("Take it home", icon=":material/download:"):
        st.caption(
            "The link of this page holds what is picked and all settings. The camera above each "
            "figure saves it as a picture."
        )
        st.segmented_control(
            "Pictures as", ["svg", "png"], default="svg", required=True, key=PICTURE
        )
        everything = dict(files)
        if bench is not None and samples(bench.family).index(bench.cloud) is None:
            everything[INPUT_FILE] = lambda: _input(bench)
        everything[f"ddeq-{name}.html"] = lambda: _page(figures(), name)
        with st.container(horizontal=True):
            for file, content in everything.items():
                st.download_button(file, content, file, on_click="ignore", key=f"take-{file}")
        st.code(snippet, language="python")


def _input(bench: Bench) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, input=bench.points)
    return out.getvalue()


def _page(figures: list[go.Figure], name: str) -> str:
    """Figures as one page that needs no network."""
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=k == 0) for k, figure in enumerate(figures)
    ]
    return f'<!doctype html><meta charset="utf-8"><title>ddeq {name}</title>\n' + "\n".join(parts)
