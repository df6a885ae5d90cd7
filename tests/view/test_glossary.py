"""Every page explains the terms it uses, in one place and in the same words."""

import ast
import html
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ddeq.metrics.distances import chamfer, chamfer_squared
from ddeq.solve.kernels import KERNELS
from ddeq.solve.solvers import SOLVERS
from ddeq.view.glossary import TERMS, explain, plain, with_terms
from ddeq.view.player.component import HEADINGS

ROOT = Path(__file__).parents[2]
SHOWN = [*(ROOT / "pages").glob("*.py"), *(ROOT / "ddeq" / "view").rglob("*.py")]
ON_PAGE = {
    "classify": ("DDEQ", "particle", "operator", "objective", "solver", "kernel"),
    "complete": (
        "cloud",
        "free particles",
        "operator",
        "EMD",
        "Chamfer distance",
        "squared Chamfer distance",
        "MMD",
        "F-score",
    ),
    "learn": ("fixed point", "equilibrium model", "plain iteration", "solver", "damping"),
    "lab": ("equilibrium", "solver", "kernel", "Wasserstein distance"),
}


def explained(test: AppTest) -> str:
    """All that can be read by pointing at something."""
    texts = [html.unescape(m.value) for m in test.markdown if "data-tip" in m.value]
    return "\n".join([*texts, *(w.help for w in (*test.selectbox, *test.number_input) if w.help)])


@pytest.mark.parametrize("page", ON_PAGE)
def test_every_page_explains_its_terms(page):
    test = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120).run()
    for button in [b for b in test.button if b.label == "Complete"]:
        button.click().run()
    assert not test.exception
    for term in ON_PAGE[page]:
        assert explain(term) in explained(test), term


def literals(path: Path) -> list[str]:
    """Texts of a module that could be definitions."""
    nodes = ast.walk(ast.parse(path.read_text()))
    found = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [text for text in found if isinstance(text, str) and 20 < len(text) < 200]


@pytest.mark.parametrize(
    "path",
    [path for path in SHOWN if path.name != "glossary.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nobody_defines_a_term_anew(path):
    for text in literals(path):
        for term, meaning in TERMS.items():
            begins = meaning[: len(text)]
            assert SequenceMatcher(None, text, begins).quick_ratio() < 0.97, (term, text)


def test_every_solver_and_kernel_comes_under_a_term():
    for registry in (SOLVERS, KERNELS):
        assert set(registry.families) == set(registry)
        for family in registry.families.values():
            assert explain(family.name) == family.meaning
    assert set(HEADINGS.values()) <= set(TERMS)


def test_marks_become_bubbles_or_plain_words():
    text = "**The [[cloud]]** of [[dots|particle]]"
    assert plain(text) == "**The cloud** of dots"
    shown = with_terms(text)
    assert "[[" not in shown and explain("cloud") in shown and explain("particle") in shown
    assert 'tabindex="0"' in shown  # for keyboards, and for taps on a phone
    with pytest.raises(KeyError):
        with_terms("[[no such term]]")


def test_which_chamfer_distance_is_meant_is_said_as_it_is_computed():
    a, b = np.array([[0.0, 0.0]]), np.array([[2.0, 0.0]])
    assert chamfer(a, b) == 2 and "not squared" in explain("Chamfer distance")
    assert chamfer_squared(a, b) == 4 + 4
    squared = explain("squared Chamfer distance")
    assert "squares" in squared and "summed" in squared
