"""Checkpoints: a network's weights as safetensors, the rest as plain values; nothing is ever unpickled from a file.

A checkpoint is two files: the weights, under a name of their own, and ``last.pt`` or ``best.pt``, which names them and
is renamed into place last. Killed at any instant, the folder holds the checkpoint before or this one, both whole; so it
does where two processes save at once.
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import ArchscopeError, Problem
from archscope.targets.stored import refuse_costly
from archscope.training.folders import opened, write_durably

if TYPE_CHECKING:
    import torch
    from torch import nn

_WEIGHTS = re.compile(r"[a-z]{1,20}-[0-9a-f]{16}\.safetensors", re.ASCII)
_LEFT_OVER = re.compile(r"\..*\.part", re.DOTALL)
_SHOWN = 3
"""Keys of a difference that an error names."""

_ATTEMPTS = 5
"""How often weights may be replaced while they are looked for."""

_HELP = "train again without --resume, or give the folder of another run"


class Checkpoint(NamedTuple):
    """What a checkpoint holds. weights: the file of the model's state. rest: plain values and tensors."""

    weights: Path
    rest: dict[str, Any]


class UnreadableCheckpoint(ArchscopeError):
    """A checkpoint that is not there, is damaged, or holds what could run code."""


def save(folder: Path, name: str, state: Mapping[str, torch.Tensor], rest: Mapping[str, Any]) -> None:
    """Saves a checkpoint called ``name``, ``last`` or ``best``, in a folder, which is made.

    state: the model's, ``model.state_dict()``. rest: plain values, lists, dictionaries and tensors of these.

    Raises ArchscopeError where it cannot be written, a full disk for instance; the previous one is then as it was.
    Raises TypeError for a value that could not be loaded again.
    """
    import torch

    _refuse_others(rest, "rest")
    weights = f"{name}-{secrets.token_hex(8)}.safetensors"
    content = io.BytesIO()
    torch.save({"weights": weights, "rest": dict(rest)}, content)
    previous = _named_by(folder, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchscopeError(Problem("cannot-write", f"{str(folder)!r}: {error.strerror}")) from error
    try:
        write_durably(folder / weights, _serialised(state))
        with content.getbuffer() as written:
            write_durably(folder / f"{name}.pt", written)
    except ArchscopeError as error:
        (folder / weights).unlink(missing_ok=True)
        if previous is None:
            raise
        kept = (problem._replace(help=f"the checkpoint {name!r} before it is as it was") for problem in error.problems)
        raise ArchscopeError(*kept) from error
    if previous is not None:
        previous.unlink(missing_ok=True)


def load(folder: Path, name: str) -> Checkpoint:
    """The checkpoint called ``name``. Raises UnreadableCheckpoint where there is none or it is damaged."""
    path = folder / f"{name}.pt"
    if not path.exists() and not path.is_symlink():
        raise UnreadableCheckpoint(Problem("no-checkpoint", f"there is no checkpoint {str(path)!r}"))
    content = _content(path)
    return Checkpoint(folder / content["weights"], content["rest"])


def restore(folder: Path, name: str, model: nn.Module) -> dict[str, Any]:
    """Loads a checkpoint into a model and gives the rest of it. Raises as :func:`load` and :func:`load_weights` do.

    Where another process saves at that moment, the weights that were named may be gone: then the next ones are loaded.
    """
    for _ in range(_ATTEMPTS):
        found = load(folder, name)
        try:
            load_weights(found.weights, model)
        except ArchscopeError:
            if found.weights.exists():
                raise
        else:
            return found.rest
    message = f"{str(folder / f'{name}.pt')!r} names {found.weights.name!r}, which is not there"
    raise UnreadableCheckpoint(Problem("bad-checkpoint", message))


def load_weights(path: Path, model: nn.Module) -> None:
    """Loads the state of a model from a safetensors file, into its tensors, or in place of those on ``meta``.

    Raises UnreadableCheckpoint where the file cannot be read, and ArchscopeError, naming the first keys that differ,
    where it is that of another network; nothing is then loaded.
    """
    import safetensors.torch
    import torch
    from safetensors import SafetensorError, safe_open

    wanted = model.state_dict()
    with opened(path, "bad-checkpoint"):
        pass  # it is a regular file, and no link
    try:
        with safe_open(path, framework="pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118  it is no dict
        refuse_other_network(path, found, {key: tuple(tensor.shape) for key, tensor in wanted.items()})
        state = safetensors.torch.load_file(path)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:  # RuntimeError where it has just gone
        raise _damaged(path, str(error)) from error
    on_meta = any(tensor.device == torch.device("meta") for tensor in wanted.values())
    model.load_state_dict(state, strict=True, assign=on_meta)


def refuse_other_network(path: Path, found: Mapping[str, Sequence[int]], wanted: Mapping[str, Sequence[int]]) -> None:
    """Raises ArchscopeError, naming the first keys that differ, where a file's state is not the network's."""
    shapes = [
        f"{key!r} is {_shape(found[key])}, and the network's {_shape(shape)}"
        for key, shape in wanted.items()
        if key in found and tuple(found[key]) != tuple(shape)
    ]
    missing = [f"{key!r} is missing" for key in wanted if key not in found]
    foreign = [f"the network has no {key!r}" for key in found if key not in wanted]
    differences = [*missing, *foreign, *shapes]
    if not differences:
        return
    more = f" and {len(differences) - _SHOWN:,} more" if len(differences) > _SHOWN else ""
    message = f"{str(path)!r} is of another network: {'; '.join(differences[:_SHOWN])}{more}"
    raise ArchscopeError(Problem("other-network", message, help=_HELP))


def tidy(folder: Path) -> None:
    """Removes what killed processes left behind: parts of files, and weights that no checkpoint names.

    Only for who has the run for itself: weights that another process is about to name would be lost.
    """
    if not folder.is_dir():
        return
    kept = {_named_by(folder, path.stem) for path in folder.glob("*.pt")}
    for path in folder.iterdir():
        if _LEFT_OVER.fullmatch(path.name) or (_WEIGHTS.fullmatch(path.name) and path not in kept):
            path.unlink(missing_ok=True)


def _content(path: Path) -> dict[str, Any]:
    """What a checkpoint's file says, its form checked. Raises UnreadableCheckpoint."""
    import torch

    with opened(path, "bad-checkpoint") as file:
        try:
            refuse_costly(file)
            content: Any = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            raise _damaged(path, _reason(error)) from error
    named = content.get("weights") if isinstance(content, dict) else None
    if not isinstance(named, str) or not _WEIGHTS.fullmatch(named) or not isinstance(content.get("rest"), dict):
        raise _damaged(path, "it does not say which weights belong to it")
    return dict(content)


def _reason(error: Exception) -> str:
    """Why torch did not load a file: what in it would have run code, or torch's first line."""
    named = re.search(r"GLOBAL (\w[\w.]*\w)", str(error))
    if "weights_only" in str(error).lower():
        return f"it holds {named[1] if named else 'a pickled object'}, which could run code; nothing was loaded"
    return str(error).partition("\n")[0]


def _named_by(folder: Path, name: str) -> Path | None:
    """The weights of a checkpoint that is there; None where there is none or it cannot be read."""
    try:
        return load(folder, name).weights
    except ArchscopeError:
        return None


def _serialised(state: Mapping[str, torch.Tensor]) -> bytes:
    """A state as safetensors: on the CPU, contiguous, every tensor with memory of its own, as the format asks."""
    import safetensors.torch
    import torch

    for key, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"the state's {key!r} is no tensor but {type(value).__name__}")
    own = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    seen: set[int] = set()
    for key, value in own.items():
        address = value.untyped_storage().data_ptr()
        own[key] = value.clone() if address in seen or value._is_view() else value  # noqa: SLF001  no public name
        seen.add(address)
    return safetensors.torch.save(own)


def _refuse_others(value: Any, where: str) -> None:
    """Raises TypeError for what ``torch.load(weights_only=True)`` would refuse."""
    import torch

    if value is None or type(value) in {bool, int, float, str} or isinstance(value, torch.Tensor):
        return
    if isinstance(value, Mapping) and type(value).__module__ in {"builtins", "collections"}:
        for key, each in value.items():
            _refuse_others(key, where)
            _refuse_others(each, f"{where}[{key!r}]")
    elif type(value) in {list, tuple}:
        for index, each in enumerate(value):
            _refuse_others(each, f"{where}[{index}]")
    else:
        raise TypeError(f"{where} is of type {type(value).__name__}, which a checkpoint cannot hold")


def _damaged(path: Path, why: str) -> UnreadableCheckpoint:
    message = f"{str(path)!r} cannot be read as a checkpoint: {why}"
    return UnreadableCheckpoint(Problem("bad-checkpoint", message, help=_HELP))


def _shape(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes)) or "one number"
