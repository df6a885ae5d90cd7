"""What docs/library.md shows is run as it stands, and holds what it asserts."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "library.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_every_block_runs_in_order():
    names: dict[str, object] = {}
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_block_asserts_something_and_is_short(number):
    lines = [line for line in BLOCKS[number].splitlines() if line.strip()]
    assert any(line.startswith("assert") for line in lines) and len(lines) <= 16
