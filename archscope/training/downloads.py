"""Data sets of torchvision: found where they were downloaded to, and downloaded only when that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from archscope.core.errors import ArchscopeError, Problem


def found(name: str, make: Callable[..., Any], root: Path, download: bool) -> Any:
    """What ``make(root=…, download=…)`` gives, one of torchvision.datasets.

    Raises ArchscopeError, with the command that downloads it, where it is not there, and where it cannot be downloaded,
    or read.
    """
    try:
        if download:
            root.mkdir(parents=True, exist_ok=True)
        return make(root=root, download=download)
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ArchscopeError(_problem(name, root, download, reason)) from error


def data_root(root: str | Path | None = None) -> Path:
    """Where downloads lie: as given, else as the environment says, else in the user's cache."""
    import os

    if root is not None:
        return Path(root).expanduser()
    own = os.environ.get("ARCHSCOPE_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own or f"{cache}/archscope").expanduser()


def _problem(name: str, root: Path, download: bool, reason: str) -> Problem:
    where = repr(str(root))
    if download:
        message = f"{name} cannot be downloaded to {where}: {reason}"
        return Problem("no-download", message, help="ARCHSCOPE_DATA names the folder where it already lies")
    if "not found" in reason.lower():
        message = f"{name} is not in {where}"
        return Problem("no-data", message, help=f"download it once: archscope train NETWORK --data {name} --download")
    return Problem("unreadable-data", f"{name} in {where} cannot be read: {reason}")
