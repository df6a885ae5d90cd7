"""Reading a file in a process of its own, with a time and a memory limit.

Whatever a reader does with a hostile file (crash, hang, take all memory), it does to that process.
Arrays travel as .npy files, which NumPy maps rather than copies, and never as pickles.

The child process runs this file: ``python -m ddeq.input.formats.sandbox``, its job as JSON on its
standard input.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats import parse
from ddeq.input.formats.geometry import Geometry

_ARRAYS = ("points", "triangles")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: the largest files allowed stay well below."""

    seconds: float = 60.0
    memory: int = 4 * 2**30
    """Bytes of address space, on systems that can limit it (not on Windows)."""
    written: int = 2**30
    """Bytes of one array; five million triangles with corners of their own take a third."""


def parse_apart(
    data: bytes | Path,
    suffix: str,
    name: str,
    limits: Limits = Limits(),
    parser: Callable[[bytes, str, str], Geometry] = parse,
) -> Geometry:
    """`ddeq.input.formats.parse` in a process of its own.

    Args:
        data: the content of the file, or its path.
        suffix: one of `ddeq.input.formats.SUFFIXES`.
        name: what messages call the file.
        limits: of that process.
        parser: a function that the process can import by its name.

    Raises:
        UserError: the parser's own, or the process ran out of time or memory, or died.
    """
    with tempfile.TemporaryDirectory(prefix="ddeq-") as folder:
        if isinstance(data, bytes):
            path = Path(folder, "upload")
            path.write_bytes(data)
        else:
            path = data.resolve()
        job = {
            "path": str(path),
            "folder": folder,
            "suffix": suffix,
            "name": name,
            "parser": [parser.__module__, parser.__qualname__],
            "limits": dataclasses.asdict(limits),
        }
        try:
            subprocess.run(
                [sys.executable, "-m", __name__],
                input=json.dumps(job).encode(),
                stdout=subprocess.DEVNULL,  # the answer comes as a file, libraries may talk
                stderr=subprocess.DEVNULL,
                timeout=limits.seconds,
                env=_environment(),
            )
        except subprocess.TimeoutExpired:
            raise UserError(
                f"'{name}' takes longer than {limits.seconds:g} seconds to read, "
                "so thin it out or export it in another format."
            ) from None
        return _receive(Path(folder), name)


def _environment() -> dict[str, str]:
    """One thread, as each takes address space; and the same modules as here."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return os.environ | dict.fromkeys(_THREADS, "1") | {"PYTHONPATH": paths}


def _receive(folder: Path, name: str) -> Geometry:
    try:
        answer = json.loads(Path(folder, "answer.json").read_bytes())
        if "error" in answer:
            raise UserError(answer["error"])
        arrays = {
            key: np.load(folder / f"{key}.npy", allow_pickle=False)
            for key in _ARRAYS
            if (folder / f"{key}.npy").exists()
        }
        return Geometry(**arrays, **answer | {"notes": tuple(answer["notes"])})
    except UserError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"Reading '{name}' broke off, so check that the file is whole and export it again."
        ) from error


def main() -> None:
    """The child: read one file, leave its arrays or a sentence in the job's folder."""
    job = json.load(sys.stdin)
    folder, name, limits = Path(job["folder"]), job["name"], Limits(**job["limits"])
    restrict(limits)
    module, function = job["parser"]
    parser = getattr(import_module(module), function)
    try:
        geometry = parser(Path(job["path"]).read_bytes(), job["suffix"], name)
        answer = {
            field.name: getattr(geometry, field.name)
            for field in dataclasses.fields(geometry)
            if field.name not in _ARRAYS
        }
        for key in _ARRAYS:
            if (array := getattr(geometry, key)) is not None:
                np.save(folder / f"{key}.npy", array, allow_pickle=False)
    except UserError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {
            "error": f"'{name}' takes more than {limits.memory / 2**30:g} GB of memory to read, "
            "so thin it out first."
        }
    Path(folder, "answer.json").write_text(json.dumps(answer))


def restrict(limits: Limits) -> None:
    """Bound this process, for good."""
    with contextlib.suppress(ImportError):  # no such module on Windows
        import resource

        bounds = {
            resource.RLIMIT_AS: limits.memory,
            resource.RLIMIT_CPU: math.ceil(limits.seconds) + 1,  # should the parent die first
            resource.RLIMIT_FSIZE: limits.written,
            resource.RLIMIT_CORE: 0,
        }
        for kind, bound in bounds.items():
            _, hard = resource.getrlimit(kind)
            bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
            with contextlib.suppress(ValueError, OSError):  # macOS refuses some
                resource.setrlimit(kind, (bound, bound))


if __name__ == "__main__":
    main()
