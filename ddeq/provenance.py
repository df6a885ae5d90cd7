"""Where results come from: the command, the code, the versions and the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from ddeq import __version__
from ddeq.threads import most

ROOT = Path(__file__).resolve().parents[1]


def provenance(command: str, root: Path = ROOT) -> dict[str, Any]:
    """Of a result, plain values for JSON.

    ``command``, ``commit``, ``dirty`` (whether the code was another), ``versions``, ``machine`` and
    ``date``.

    Args:
        command: as :func:`typed` says it.
        root: of the checkout. Where it is none, ``commit`` and ``dirty`` are None.
    """
    return {
        "command": command,
        **_code(root),
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "ddeq": __version__,
        },
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def typed(program: str, arguments: Sequence[str], folders: Mapping[str, str]) -> str:
    """A command line as somebody else would type it, without the paths of this machine.

    Args:
        program: what it begins with.
        arguments: after that.
        folders: what stands for the path after an option, such as MNIST_FOLDER for ``--data``.
            Paths elsewhere than in the checkout become their option's name in capitals; those in it
            are told from its root.
    """
    words, option = [program], ""
    for argument in arguments:
        if argument.startswith("--"):
            option, equals, value = argument.partition("=")
            words.append(f"{option}={_placed(option, value, folders)}" if equals else option)
        else:
            words.append(_placed(option, argument, folders))
    return " ".join(words)


def _placed(option: str, value: str, folders: Mapping[str, str]) -> str:
    if option in folders:
        return folders[option]
    if not Path(value).is_absolute() and not value.startswith(".."):
        return value
    path = Path(value).resolve()
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    return option.lstrip("-").replace("-", "_").upper() or "PATH"


def machine() -> dict[str, Any]:
    """``processor``, ``cores``, ``threads`` (the most that work gets), ``gpu`` if there is one."""
    found = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": most(),
    }
    return found | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def _processor() -> str:
    """Its name where the system tells, else the kind of machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _code(root: Path) -> dict[str, Any]:
    """The commit, and whether the code differs from it; what records wrote is no difference."""
    if _git(root, "rev-parse", "--show-toplevel").strip() != str(root.resolve()):
        return {"commit": None, "dirty": None}
    changed = _git(root, "diff", "--name-only", "HEAD", "--", ".", ":(exclude)docs").splitlines()
    return {
        "commit": _git(root, "rev-parse", "HEAD").strip(),
        "dirty": not all(_only_results(root, name) for name in changed),
    }


def _only_results(root: Path, name: str) -> bool:
    """Whether a file is a model card that has other results than in the commit, nothing else."""
    if Path(name).parts[0] != "assets" or not name.endswith(".json") or not (root / name).is_file():
        return False
    committed = _git(root, "show", f"HEAD:{name}")
    if not committed:
        return False
    was, now = json.loads(committed), json.loads((root / name).read_text())
    return {**was, "results": None} == {**now, "results": None}


def _git(root: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git or no checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
