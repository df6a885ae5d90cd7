"""What a reader of ModelNet finds, before anything is decided about it."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CACHE = "modelnet-cache.npz"  # in the folder of the data
_VERSION = 1  # of the cache: raise it when the same files would give another one


@dataclass(frozen=True, eq=False)
class Shapes:
    """``n`` shapes as a folder has them.

    Attributes:
        points: of each surface, float32 ``(n, P, 3)``, z up.
        areas: of the surfaces in the units of the points, float64 ``(n,)``; 1 where not known.
        labels: int64 ``(n,)``.
        classes: names of the labels 0, 1, ...
        names: such as ``airplane_0001``, ``n`` of them.
        splits: ``train`` or ``test``, as the folder says.
        contents: ``n`` digests, equal where the data are.
        named: whether the names are those of ModelNet.
    """

    points: np.ndarray
    areas: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: tuple[str, ...]
    splits: tuple[str, ...]
    contents: tuple[str, ...]
    named: bool = True

    @classmethod
    def of_clouds(
        cls,
        points: np.ndarray,
        labels: Iterable[int],
        classes: Sequence[str],
        names: Iterable[str],
        splits: Iterable[str],
        named: bool = True,
    ) -> Shapes:
        """Of points alone: nothing is known of their surfaces."""
        return cls(
            points,
            np.ones(len(points)),
            np.array([*labels], np.int64),
            tuple(classes),
            tuple(names),
            tuple(splits),
            tuple(map(digest, points)),
            named,
        )


def digest(content: bytes | np.ndarray) -> str:
    """Different for different contents."""
    plain = content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
    return hashlib.sha256(plain).hexdigest()


def y_up_to_z_up(points: np.ndarray) -> np.ndarray:
    """Points ``(..., 3)`` of a file with y up, turned about x."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def cached(folder: Path, files: Sequence[Path], read: Callable[[], Shapes]) -> Shapes:
    """What ``read`` finds, from the cache in the folder while these files stay what they are.

    Without the right to write there, all is read every time.
    """
    listed = "\n".join(f"{path.relative_to(folder)} {path.stat().st_size}" for path in files)
    key = f"{_VERSION} {digest(listed.encode())}"
    try:
        return _load(folder / CACHE, key)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        found = read()
    part = folder / f"{CACHE}.part.npz"
    try:
        np.savez(part, key=key, **vars(found))
        part.replace(folder / CACHE)  # so that an interruption leaves no half of a cache
    except OSError:
        part.unlink(missing_ok=True)
    return found


def _load(path: Path, key: str) -> Shapes:
    with np.load(path, allow_pickle=False) as arrays:
        if str(arrays["key"]) != key:
            raise ValueError("of other files")
        found = {name: arrays[name] for name in ("points", "areas", "labels")}
        for name in ("classes", "names", "splits", "contents"):
            found[name] = tuple(arrays[name].tolist())
        return Shapes(**found, named=bool(arrays["named"]))
