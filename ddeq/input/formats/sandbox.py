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
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats import parse
from ddeq.input.formats.geometry import Geometry

T = TypeVar("T")
Parser = Callable[[bytes, str, str], T]
"""From the bytes of a file, its suffix and what messages call it."""

_SIGNAL_OF_TIME = getattr(signal, "SIGXCPU", 0)  # there is none on Windows
_TURNS = threading.BoundedSemaphore(2)  # files read at once, so that readers share the memory
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """What reading one file may take: the largest files allowed stay well below."""

    seconds: float = 30.0
    """By the clock: on a machine that does other work as well, or where the reader waits."""
    processor: float = 10.0
    """Seconds of work; large files need three, and nobody should wait for longer."""
    memory: int = 4 * 2**30
    """Bytes of address space, on systems that can limit it (not on Windows)."""
    written: int = 2**30
    """Bytes of one array; five million triangles with corners of their own take a third."""


def parse_apart(
    data: bytes | Path,
    suffix: str,
    name: str,
    limits: Limits = Limits(),
    parser: Parser[Geometry] = parse,
) -> Geometry:
    """`ddeq.input.formats.parse` in a process of its own; for its arguments see `read_apart`."""
    return read_apart(data, suffix, name, parser, Geometry, limits)


def read_apart(
    data: bytes | Path,
    suffix: str,
    name: str,
    parser: Parser[T],
    kind: type[T],
    limits: Limits = Limits(),
) -> T:
    """What a parser finds in a file, by a process of its own.

    Args:
        data: the content of the file, or its path.
        suffix: of the file, for the parser.
        name: what messages call the file.
        parser: a function that the process can import by its name.
        kind: the dataclass that it returns: of arrays, numbers, text and tuples of text.
        limits: of that process.

    Raises:
        UserError: the parser's own, or the process ran out of time or memory, or died.
    """
    try:
        with _TURNS, tempfile.TemporaryDirectory(prefix="ddeq-") as folder:
            path = data if isinstance(data, Path) else Path(folder, "upload")
            if not isinstance(data, Path):
                path.write_bytes(data)
            job = {
                "path": str(path.resolve()),
                "folder": folder,
                "suffix": suffix,
                "name": name,
                "parser": [parser.__module__, parser.__qualname__],
                "limits": dataclasses.asdict(limits),
            }
            _run(job, limits)
            return _receive(Path(folder), name, kind)
    except subprocess.TimeoutExpired:
        raise _too_slow(name, limits.seconds) from None
    except _OutOfTime:
        raise _too_slow(name, limits.processor) from None
    except OSError as error:  # such as a full disk
        raise UserError(
            f"'{name}' cannot be handed to its reader ({error.strerror}), so try again later."
        ) from error


class _OutOfTime(Exception):
    """The process took all the work it may take."""


def _run(job: Mapping[str, object], limits: Limits) -> None:
    """Raises subprocess.TimeoutExpired or `_OutOfTime`."""
    ended = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(job).encode(),
        stdout=subprocess.DEVNULL,  # the answer comes as a file, libraries may talk
        stderr=subprocess.DEVNULL,
        timeout=limits.seconds,
        env=_environment(),
    )
    if ended.returncode == -_SIGNAL_OF_TIME:
        raise _OutOfTime


def _too_slow(name: str, seconds: float) -> UserError:
    return UserError(
        f"'{name}' takes longer than {seconds:g} seconds to read, so check that it is whole, or "
        "make it smaller."
    )


def _environment() -> dict[str, str]:
    """One thread, as each takes address space; and the same modules as here."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return os.environ | dict.fromkeys(_THREADS, "1") | {"PYTHONPATH": paths}


def _receive(folder: Path, name: str, kind: type[T]) -> T:
    try:
        answer = json.loads(Path(folder, "answer.json").read_bytes())
        if "error" in answer:
            raise UserError(answer["error"])
        plain = {key: tuple(v) if isinstance(v, list) else v for key, v in answer.items()}
        arrays = {
            field.name: np.load(folder / f"{field.name}.npy", allow_pickle=False)
            for field in dataclasses.fields(kind)  # type: ignore[arg-type]
            if field.name not in plain
        }
        return kind(**arrays, **plain)
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
        found = vars(parser(Path(job["path"]).read_bytes(), job["suffix"], name))
        answer = {key: value for key, value in found.items() if not isinstance(value, np.ndarray)}
        for key in found.keys() - answer.keys():
            np.save(folder / f"{key}.npy", found[key], allow_pickle=False)
    except UserError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {
            "error": f"'{name}' takes more than {limits.memory / 2**30:g} GB of memory to read, "
            "so make it smaller first."
        }
    Path(folder, "answer.json").write_text(json.dumps(answer))


def restrict(limits: Limits) -> None:
    """Bound this process, for good."""
    with contextlib.suppress(ImportError):  # no such module on Windows
        import resource

        bounds = {
            resource.RLIMIT_AS: limits.memory,
            resource.RLIMIT_CPU: math.ceil(limits.processor),
            resource.RLIMIT_FSIZE: limits.written,
            resource.RLIMIT_CORE: 0,
        }
        for kind, bound in bounds.items():
            _, hard = resource.getrlimit(kind)
            most = sys.maxsize if hard == resource.RLIM_INFINITY else hard
            # A second more as the hard bound, whose signal would not say what ran out.
            spare = kind == resource.RLIMIT_CPU
            with contextlib.suppress(ValueError, OSError):  # macOS refuses some
                resource.setrlimit(kind, (min(bound, most), min(bound + spare, most)))


if __name__ == "__main__":
    main()
