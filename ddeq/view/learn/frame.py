"""What all chapters share: the way between them, text, prediction, presets, code and sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ddeq.settings import values_of
from ddeq.solve.kernels import KERNELS, Kernel
from ddeq.solve.solvers import SOLVERS, Solver
from ddeq.view.glossary import TERMS, say
from ddeq.view.learn.figures import link_symbols
from ddeq.view.learn.symbols import with_symbols
from ddeq.view.private import Place

KEPT = ("chapter", "controls", "embed", "embed_options")
"""Parameters of the link that belong to no chapter."""

CONTENTS = "learn-contents"  # key of the table of contents
LANE = "a-"  # the prefix of the solver lab's first lane

PAPERS = {
    "ddeq": "[Geuter et al. 2025](https://arxiv.org/abs/2503.01140), the DDEQ paper",
    "deq": "[Bai et al. 2019](https://arxiv.org/abs/1909.01377), deep equilibrium models",
    "fung": "[Fung et al. 2022](https://arxiv.org/abs/2103.12803), phantom gradients",
    "arbel": "[Arbel et al. 2019](https://arxiv.org/abs/1906.04370), gradient flows of the MMD",
    "peyre": "[Peyré and Cuturi 2019](https://arxiv.org/abs/1803.00567), optimal transport",
    "energy": "[Székely and Rizzo 2013](https://doi.org/10.1016/j.jspi.2013.03.018), "
    "energy distance",
    "gretton": "[Gretton et al. 2012](https://jmlr.org/papers/v13/gretton12a.html), the MMD",
    "sets": "[Zaheer et al. 2017](https://arxiv.org/abs/1703.06114), deep sets",
    "hertrich": "[Hertrich et al. 2023](https://arxiv.org/abs/2301.11624), flows of Riesz kernels",
}


@dataclass(frozen=True)
class Question:
    """A prediction to make before looking.

    Attributes:
        text: the question.
        options: what may be answered.
        answer: asks the simulation; returns the right option's index and what was found.
        preset: of the chapter, shown once the person has answered.
    """

    text: str
    options: tuple[str, ...]
    answer: Callable[[], tuple[int, str]]
    preset: str = ""


@dataclass(frozen=True)
class Chapter:
    """One screen of text with one figure.

    Attributes:
        title: of the chapter.
        text: Markdown, with the marks of ``glossary.say`` and ``symbols.with_symbols``.
        question: to predict first.
        presets: name to the values of the widgets' keys.
        figure: draws controls and figure; returns the code that does the same.
        sources: keys of :data:`PAPERS`.
    """

    title: str
    text: str
    question: Question
    presets: Mapping[str, Mapping[str, Any]]
    figure: Callable[[], str]
    sources: Sequence[str]


def show(chapters: Sequence[Chapter]) -> None:
    """The chapter that the link names, and the way to the others."""
    link_symbols()
    if st.query_params.get("controls") == "0":
        st.html("<style>[class*='st-key-learn-controls'] {display: none !important}</style>")
    number = int(number_of("chapter", 1, 1, len(chapters)))
    if not st.context.is_embedded:
        st.title("Learn it by playing", anchor=False)
        if number == 1:
            st.markdown(
                "What a distributional deep equilibrium model computes, from zero, in six chapters "
                "and about fifteen minutes. Point at a coloured symbol or a dotted word to see "
                "what it means."
            )
    contents(number, chapters)
    chapter = chapters[number - 1]
    st.header(f"{number}. {chapter.title}", anchor=False)
    left, right = st.columns([5, 7], gap="large")
    with left:
        say(with_symbols(chapter.text))
        ask(number, chapter)
    with right:
        presets(chapter)
        code = chapter.figure()
        with st.expander("The same in code", icon=":material/code:"):
            st.code(code, language="python")
        st.caption("Sources: " + "; ".join(PAPERS[name] for name in chapter.sources) + ".")
    with controls("way"):
        way(number, chapters)
        glossary()


def contents(number: int, chapters: Sequence[Chapter]) -> None:
    """All chapters, the present one marked."""
    st.session_state[CONTENTS] = number
    with controls("contents"):
        st.pills(
            "Chapter",
            range(1, len(chapters) + 1),
            required=True,
            format_func=lambda n: f"{n} {chapters[n - 1].title}",
            key=CONTENTS,
            on_change=lambda: go_to(st.session_state[CONTENTS]),
            label_visibility="collapsed",
        )


def glossary() -> None:
    """All terms, to look up."""
    terms = sorted(TERMS.items(), key=lambda pair: pair[0].lower())
    with st.expander("Glossary", icon=":material/dictionary:"):
        st.markdown("\n".join(f"- **{term}**: {text}" for term, text in terms))


def way(number: int, chapters: Sequence[Chapter]) -> None:
    """Buttons to the chapters before and after."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if number > 1:
            st.button(
                f"{number - 1}. {chapters[number - 2].title}",
                icon=":material/arrow_back:",
                key="learn-back",
                on_click=go_to,
                args=(number - 1,),
            )
        if number < len(chapters):
            st.button(
                f"{number + 1}. {chapters[number].title}",
                icon=":material/arrow_forward:",
                icon_position="right",
                key="learn-next",
                type="primary",
                on_click=go_to,
                args=(number + 1,),
            )


def go_to(number: int) -> None:
    """Turn to a chapter, and take what belongs to the one that is left out of the link."""
    for name in [name for name in st.query_params if name not in KEPT]:
        del st.query_params[name]
    st.query_params["chapter"] = str(number)


def controls(name: str) -> AbstractContextManager[Any]:
    """A container that `controls=0` in the link hides."""
    return st.container(key=f"learn-controls-{name}")


def row(count: int) -> list[Place]:
    """Places for small controls side by side; two by two on a phone."""
    line = st.container(horizontal=True, gap="small")
    return [line.container(width=150) for _ in range(count)]


def presets(chapter: Chapter) -> None:
    """Buttons that set the chapter's controls."""
    with (
        controls("presets"),
        st.container(horizontal=True, gap="small", vertical_alignment="center"),
    ):
        for name, values in chapter.presets.items():
            st.button(name, key=f"preset-{name}", on_click=apply, args=(values,))


def apply(values: Mapping[str, Any]) -> None:
    """Set controls by their keys; what begins with ``@`` belongs into the link."""
    for key, value in values.items():
        if key.startswith("@"):
            st.query_params[key[1:]] = str(value)
        else:
            st.session_state[key] = value


def ask(number: int, chapter: Chapter) -> None:
    """The question; the simulation answers once the person has."""
    question, key = chapter.question, f"predict-{number}"

    def answered() -> None:
        if question.preset and st.session_state[key] is not None:
            apply(chapter.presets[question.preset])

    with controls("question"), st.container(border=True):
        st.markdown(f"**Predict first.** {with_symbols(question.text)}")
        said = st.radio(
            "Your prediction",
            range(len(question.options)),
            index=None,
            format_func=question.options.__getitem__,
            key=key,
            on_change=answered,
            label_visibility="collapsed",
        )
        if said is None:
            return
        right, found = question.answer()
        verdict = ":green[**That is what happens.**]" if said == right else "**Not quite.**"
        st.markdown(f"{verdict} {found}")


def number_of(name: str, default: float, low: float, high: float) -> float:
    """A number in the link, kept within its range; the default where there is none."""
    try:
        value = float(st.query_params.get(name, default))
    except ValueError:
        return default
    return min(high, max(low, value)) if value == value else default


def lab_link(solver: Solver, kernel: Kernel, steps: int, **more: float) -> str:
    """The address of page *Solver lab* with these settings for its first lane.

    Args:
        solver, kernel: each named as in ``view/forms.py``.
        steps: the step limit.
        **more: of :class:`ddeq.run.settings.Limits`.
    """
    names = {
        kind: next(name for name, cls in registry.items() if type(chosen) is cls)
        for kind, chosen, registry in (("solver", solver, SOLVERS), ("kernel", kernel, KERNELS))
    }
    query: dict[str, object] = {**names, f"{names['solver']}-steps": steps, **more}
    for chosen, name in ((solver, names["solver"]), (kernel, names["kernel"])):
        query |= {f"{name}-{field}": value for field, value in values_of(chosen).items()}
    return "lab?" + urlencode({f"{LANE}{name}": value for name, value in query.items()})


def offer_lab(solver: Solver, kernel: Kernel, steps: int, **more: float) -> None:
    """A link to try the same settings on the real models."""
    link = lab_link(solver, kernel, steps, **more)
    with controls("lab"):
        st.markdown(
            f":material/experiment: [Open in Solver lab]({link}): the same on a real model."
        )
