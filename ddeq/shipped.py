"""Files that come with the package, wherever it lies: weights, sample data, recipes, the app."""

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
RECIPES = root() / "recipes"


def weights_file(model: str | Path) -> Path:
    """The weights of a model: those that ship under this name, such as "digits", else a path."""
    return _named(model, ASSETS, ".safetensors")


def recipe_file(recipe: str | Path) -> Path:
    """A recipe: the one that ships under this name, such as "digits", else a path."""
    return _named(recipe, RECIPES, ".toml")


def _named(name: str | Path, folder: Path, suffix: str) -> Path:
    path = Path(name)
    shipped = folder / f"{path}{suffix}"
    return shipped if len(path.parts) == 1 and shipped.is_file() else path
