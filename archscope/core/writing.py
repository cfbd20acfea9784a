"""Files are written whole or not at all: under another name first, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from archscope.core.errors import ArchscopeError, Problem, UsageError


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> None:
    """Writes a file in one step. What is there is kept unless ``force``.

    Raises UsageError where there is a file already, ArchscopeError where it cannot be written; then nothing is left.
    """
    refuse_taken(path, force=force)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # as any new file; a temporary one is the owner's alone
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ArchscopeError(Problem("cannot-write", f"{str(path)!r}: {error.strerror}")) from error


def refuse_taken(path: Path, *, force: bool) -> None:
    """Raises UsageError where a file would be overwritten without ``force``, before work is done for nothing."""
    if path.exists() and not force:
        message = f"{str(path)!r} is there already; nothing was written"
        raise UsageError(Problem("file-exists", message, help="--force overwrites it"))
