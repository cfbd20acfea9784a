"""Files that ``torch.save`` wrote, from strangers: what torch would unpack or make at any price is refused first.

``torch.load(weights_only=True)`` runs no code of a file, but it unpacks compressed archives of any size, and fills a
``bytearray`` of whatever length a file of 400 bytes asks for.
"""

from __future__ import annotations

import mmap
import re
import zipfile
from typing import IO

_COSTLY = re.compile(rb"\nbytearray\n|c_codecs\nencode\n")
"""How a pickle names what it calls: these take gigabytes or hours, and nothing that torch saves needs them."""


def refuse_costly(file: IO[bytes], *, older: bool = False) -> None:
    """Raises ValueError, with the reason, for a file that would unpack to more than it is; the place stays at 0.

    older: whether it may be what torch wrote before 1.6, which was no archive.
    """
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    if not older or zipfile.is_zipfile(file):
        _refuse_packed(file, size)
    if not size:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = _COSTLY.search(content)
        named = found[0].decode().split()[-1] if found is not None else ""
    file.seek(0)
    if named:
        raise ValueError(f"it asks for {named!r}, which could take all memory or time")


def _refuse_packed(file: IO[bytes], size: int) -> None:
    """Torch stores its archives as they are, and each byte of them once."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ValueError(str(error)) from error
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("it is compressed")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("its parts are larger than itself")
