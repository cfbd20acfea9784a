"""Files are written whole or not at all: under another name first, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from archscope.core.errors import ArchscopeError, Problem, UsageError


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> None:
    """Writes a file in one step. What is there is kept unless ``force``.

    Raises UsageError where there is a file already, ArchscopeError where it cannot be written; then nothing is left.
    """
    refuse_taken(path, force=force)
    with in_one_step(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """A file to write, which becomes ``path`` at the end; where anything fails, or is interrupted, nothing is left.

    Raises ArchscopeError where it cannot be written.
    """
    temporary = None
    try:
        if path.exists() and not path.is_file():
            yield path  # /dev/stdout, a pipe: there is nothing to take the place of
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # as any new file; a temporary one is the owner's alone
        temporary.replace(path)
    except OSError as error:
        raise ArchscopeError(Problem("cannot-write", f"{str(path)!r}: {error.strerror}")) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def refuse_taken(path: Path, *, force: bool) -> None:
    """Raises UsageError where a file would be overwritten without ``force``, before work is done for nothing."""
    if path.is_file() and not force:
        message = f"{str(path)!r} is there already; nothing was written"
        raise UsageError(Problem("file-exists", message, help="--force overwrites it"))
