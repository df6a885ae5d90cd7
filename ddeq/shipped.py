"""Files that come with the package, wherever it lies: the weights, sample data, recipes, the app."""

from __future__ import annotations

from pathlib import Path


def root() -> Path:
    """The folder of ``app.py``, ``pages``, ``assets`` and ``recipes``.

    A wheel has it inside the package, as ``pyproject.toml`` says; in a checkout it is the folder
    that the package lies in.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_shipped"
    return inside if inside.is_dir() else package.parent


ASSETS = root() / "assets"


def weights_file(model: str | Path) -> Path:
    """The weights of a model: those that ship under this name, such as "digits", else a path."""
    shipped = ASSETS / f"{model}.safetensors"
    return shipped if Path(model).name == str(model) and shipped.is_file() else Path(model)
