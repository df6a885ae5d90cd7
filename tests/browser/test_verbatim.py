"""What files are called and hold is shown as it is, whatever it would mean in Markdown or HTML."""

from pathlib import Path

from tests.hostile import TEXTS

SCRIPT = Path(__file__).parent / "verbatim_script.py"
INTERPRETED = "a, img, code, strong, em, del, h1, li, table, blockquote, script, .katex"


def test_a_text_is_shown_letter_by_letter_and_nothing_in_it_is_interpreted(chromium, serve):
    with serve(SCRIPT) as server:
        page = chromium.new_context().new_page()
        page.goto(server.address)
        shown = page.locator("[data-testid=stMain] p")
        shown.nth(3 * len(TEXTS) - 1).wait_for()
        found = [text.replace("\u2060", "") for text in shown.all_inner_texts()]
        assert shown.locator(INTERPRETED).count() == 0
    assert found == 3 * [" ".join(text.split()) for text in TEXTS]
