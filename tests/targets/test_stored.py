"""Weights and checkpoints that would unpack to more than they are, or make torch fill the memory."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch

import archscope
from archscope.core.errors import ArchscopeError
from archscope.targets.stored import refuse_costly

SHARED = b"\x80\x02}X\x01\x00\x00\x00a"
BYTEARRAY = SHARED + b"c__builtin__\nbytearray\n\x8a\x05\x00\x5e\xd0\xb2\x00\x85Rs."
ENCODED = SHARED + b"c_codecs\nencode\nX\x01\x00\x00\x00bX\x08\x00\x00\x00punycode\x86Rs."


def archive(pickled: bytes, packed: int = zipfile.ZIP_STORED) -> bytes:
    """What torch.save writes around a pickle."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packed) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/version", "3\n")
        file.writestr("archive/data/0", bytes(1_000_000 if packed else 8))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (archive(BYTEARRAY), "it asks for 'bytearray', which could take all memory or time"),
        (archive(ENCODED), "it asks for 'encode', which could take all memory or time"),
        (BYTEARRAY, "it asks for 'bytearray', which could take all memory or time"),
        (archive(b"\x80\x02}.", zipfile.ZIP_DEFLATED), "it is compressed"),
    ],
    ids=["bytearray", "encode", "no archive", "compressed"],
)
def test_a_file_that_would_take_all_memory_is_not_opened(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(content)
    with path.open("rb") as file, pytest.raises(ValueError, match=why):
        refuse_costly(file, older=True)
    with pytest.raises(ArchscopeError) as caught:
        archscope.build(archscope.load(["conv3-2", "FC-3"], input=(3, 8, 8)), weights=str(path))
    assert str(caught.value) == f"unreadable-weights: {str(path)!r} is no state dict: {why}"


def test_an_archive_whose_parts_share_their_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    content = archive(b"\x80\x02}.")
    at = content.index(b"PK\x01\x02")  # the first entry of the directory says its sizes: 20 bytes in, twice
    path.write_bytes(content[: at + 20] + (2**30).to_bytes(4, "little") * 2 + content[at + 28 :])
    with path.open("rb") as file, pytest.raises(ValueError, match="its parts are larger than itself"):
        refuse_costly(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_read(zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save(
        {"a": torch.ones(3), "b": torch.nn.Parameter(torch.ones(2))}, path, _use_new_zipfile_serialization=zipped
    )
    with path.open("rb") as file:
        refuse_costly(file, older=not zipped)
        assert torch.load(file, weights_only=True)["a"].tolist() == [1, 1, 1]
