"""Page *Solver lab*: compare, fork and probe the road to equilibrium."""

import streamlit as st

from ddeq.view.inputs import choose_input
from ddeq.view.lab import SECTIONS
from ddeq.view.lab.bench import lay_on_bench
from ddeq.view.navigation import inside_app
from ddeq.view.page import columns, invite, say_where, title

inside_app()
title(
    "The solver lab",
    "Many roads lead to [[the equilibrium|equilibrium]], $\\mu = F(\\mu, \\text{input})$, and some "
    "lead elsewhere. Race them, fork them, and ask whether they arrive at the same place.",
)
look = st.segmented_control(
    "What to look at",
    list(SECTIONS),
    default="Race",
    required=True,
    key="look",
    bind="query-params",
    label_visibility="collapsed",
)
section = SECTIONS[look]
left, right = columns("forms")
with left:
    bench = lay_on_bench(choose_input())
    asked = None if bench is None else section.forms(bench)
    say_where()
with right:
    if bench is None:
        invite()
    else:
        section.show(bench, asked)
