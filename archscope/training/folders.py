"""The files of a run are read as a stranger's: no link is followed, nothing larger than expected is taken in."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from archscope.core.errors import ArchscopeError, Problem
from archscope.core.schema import body, dumped, headed

MOST_JSON_BYTES = 2**24
"""What a JSON file of a run may hold at most."""


@contextlib.contextmanager
def opened(path: Path, code: str, most_bytes: int | None = None) -> Iterator[IO[bytes]]:
    """A regular file, for reading. Raises ArchscopeError, with this code, for any other, a link, or one too large."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink() or path.parent.is_symlink():
            raise ArchscopeError(Problem(code, f"{str(path)!r} is a link, and links in a run are not followed"))
        handle = os.open(path, flags)
    except OSError as error:
        raise ArchscopeError(Problem(code, f"{str(path)!r} cannot be read: {error.strerror}")) from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise ArchscopeError(Problem(code, f"{str(path)!r} is no file"))
    with os.fdopen(handle, "rb") as file:
        if most_bytes is not None and found.st_size > most_bytes:
            message = f"{str(path)!r} has {found.st_size:,} bytes, and at most {most_bytes:,} are read"
            raise ArchscopeError(Problem(code, message))
        yield file


def refuse_links(*paths: Path) -> None:
    """Raises ArchscopeError for a link: through one that a stranger made, a run would write outside of its folder."""
    for path in paths:
        if path.is_symlink():
            raise ArchscopeError(Problem("bad-run", f"{str(path)!r} is a link, and links in a run are not followed"))


def read_json(path: Path, kind: str) -> Any:
    """What a JSON file of a run says, its head aside; files from before there were heads may hold any value.

    Raises ArchscopeError for one that is not there, too large, no JSON, of another kind or of a newer version.
    """
    with opened(path, "bad-run", MOST_JSON_BYTES) as file:
        try:
            found = json.loads(file.read(MOST_JSON_BYTES + 1), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ArchscopeError(Problem("bad-run", f"{str(path)!r} is no JSON: {error}")) from error
    return body(kind, found, repr(str(path))) if isinstance(found, dict) else found


def write_json(path: Path, kind: str, data: Mapping[str, Any]) -> None:
    """Writes an object of a kind as a JSON file in one step. Raises ArchscopeError where it cannot be written."""
    write_durably(path, f"{dumped(headed(kind, data), indent=1)}\n".encode())


def write_durably(path: Path, *parts: bytes | memoryview) -> None:
    """Writes a file whole or not at all, on the disk itself when this returns: written, fsynced, renamed.

    What is there before stays until the new file is complete, also where processes write the same at once. Raises
    ArchscopeError where it cannot be written; then nothing is left of it.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        kept = "; what was there before is kept" if path.exists() else ""
        raise ArchscopeError(Problem("cannot-write", f"{str(path)!r}: {error.strerror}{kept}")) from error
    finally:
        with contextlib.suppress(
            OSError
        ):  # there is none any more where all went well, and no way where the disk fails
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Puts the renaming itself on the disk, where folders can be opened (POSIX)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
