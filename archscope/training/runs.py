"""A run's folder: what was trained, on what and how, as JSON; its checkpoints; what the training wrote beside.

    network.json        the network's name or address, the changes to it, the shape of one example
    recipe.json         how it was trained
    data.json           the data set, its seed and how its pictures were handled
    classes.json        the names of the classes, in the order of the network's outputs
    preprocessing.json  what is done to every picture
    checkpoints/        last and best, see :mod:`archscope.training.checkpoints`

A folder may come from a stranger: nothing in it is run or unpickled, no link is followed, every size is checked.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.training import checkpoints
from archscope.training.folders import read_json, refuse_links, write_json
from archscope.training.preprocessing import RESIZES, Preprocessing

CHECKPOINTS, METRICS = "checkpoints", "metrics.jsonl"
MOST_CLASSES = 100_000
MOST_PIXELS = 2**13
"""Of a side of what a network takes."""

_LOCK = ".lock"

_KINDS = {"network": "trained_network"} | {name: name for name in ("recipe", "data", "classes", "preprocessing")}
"""The JSON files of a run, with the kinds of their objects."""


class TrainedNetwork(NamedTuple):
    """What was trained. address: a name, a table's file or a module's address; changes: options by name, plain."""

    address: str
    changes: dict[str, Any]
    input_shape: tuple[int, int, int]


class Run(NamedTuple):
    """What a run's folder says. data: the name of the data set, its ``seed``, and choices of ``open_data``."""

    network: TrainedNetwork
    recipe: dict[str, Any]
    data: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing

    @property
    def title(self) -> str:
        """The network and the data, for people."""
        return f"{self.network.address} on {self.data['name']}"


def begin(folder: Path, run: Run) -> None:
    """Makes a run's folder and writes what it is. Raises ArchscopeError where it cannot be written."""
    make(folder)
    write_json(folder / "network.json", _KINDS["network"], run.network._asdict())
    write_json(folder / "recipe.json", _KINDS["recipe"], run.recipe)
    write_json(folder / "data.json", _KINDS["data"], run.data)
    write_json(folder / "classes.json", _KINDS["classes"], {"classes": list(run.classes)})
    write_json(folder / "preprocessing.json", _KINDS["preprocessing"], run.preprocessing.plain())


def make(folder: Path) -> None:
    """Makes a folder for a run. Raises ArchscopeError where that cannot be, or a link stands in it."""
    refuse_links(folder / CHECKPOINTS, folder / METRICS)
    try:
        (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchscopeError(Problem("cannot-write", f"{str(folder)!r}: {error.strerror}")) from error


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / "network.json").is_file()


def read_run(folder: Path) -> Run:
    """What a run's folder says. Raises ArchscopeError where it is none or says what makes no sense."""
    if not folder.is_dir():
        raise ArchscopeError(Problem("no-run", f"there is no folder {str(folder)!r}", help=_HELP))
    if not is_run(folder):
        raise ArchscopeError(Problem("no-run", f"{str(folder)!r} is no run: it has no 'network.json'", help=_HELP))
    own = folder.resolve()
    network, recipe, data, classes, preprocessing = (
        read_json(own / f"{name}.json", kind) for name, kind in _KINDS.items()
    )
    return Run(
        _network(folder, network),
        _mapping(folder, "recipe", recipe),
        _data(folder, data),
        _classes(folder, classes),
        _preprocessing(folder, preprocessing),
    )


def checkpoints_of(folder: Path) -> Path:
    """Where a run's checkpoints lie."""
    return folder.resolve() / CHECKPOINTS


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Has a run's folder for itself, and tidies it. Raises UsageError while another process trains in it.

    The lock ends with the process, however that ends. Where the system has none (Windows), nothing is tidied.
    """
    refuse_links(folder / CHECKPOINTS, folder / METRICS)
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise ArchscopeError(Problem("cannot-write", f"{str(folder)!r}: {error.strerror}")) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UsageError(Problem("run-in-use", f"another process trains in {str(folder)!r}")) from error
    try:
        checkpoints.tidy(checkpoints_of(folder))
        yield
    finally:
        os.close(handle)


_HELP = "give the folder that archscope train wrote with --out"


def _network(folder: Path, found: Any) -> TrainedNetwork:
    known = _mapping(folder, "network", found)
    shape: Any = known.get("input_shape")
    address, changes = known.get("address"), known.get("changes")
    if not isinstance(address, str) or not 0 < len(address) <= 1000:
        raise _bad(folder, "network", "address", address)
    if not isinstance(changes, dict):
        raise _bad(folder, "network", "changes", changes)
    if not _is_shape(shape):
        raise _bad(folder, "network", "input_shape", shape)
    return TrainedNetwork(address, {name: _frozen(value) for name, value in changes.items()}, tuple(shape))


def _data(folder: Path, found: Any) -> dict[str, Any]:
    known = _mapping(folder, "data", found)
    name, seed = known.get("name"), known.get("seed")
    if not isinstance(name, str) or not 0 < len(name) <= 1000:
        raise _bad(folder, "data", "name", name)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise _bad(folder, "data", "seed", seed)
    return known


def _classes(folder: Path, found: Any) -> tuple[str, ...]:
    """The names in an object, or in a list by itself, as it was before there were kinds."""
    found = found["classes"] if isinstance(found, dict) and "classes" in found else found
    if not isinstance(found, list) or not 2 <= len(found) <= MOST_CLASSES:
        raise _bad(folder, "classes", "", found)
    for name in found:
        if not isinstance(name, str) or len(name) > 1000:
            raise _bad(folder, "classes", "a class", name)
    return tuple(found)


def _preprocessing(folder: Path, found: Any) -> Preprocessing:
    known = _mapping(folder, "preprocessing", found)
    channels: Any = known.get("channels")
    short_side: Any = known.get("short_side")
    size = known.get("size")
    if not isinstance(size, list) or not _is_shape([channels, *size]):
        raise _bad(folder, "preprocessing", "size", [channels, size])
    if known.get("resize") not in RESIZES:
        raise _bad(folder, "preprocessing", "resize", known.get("resize"))
    if not _is_count(short_side):
        raise _bad(folder, "preprocessing", "short_side", short_side)
    for name, least in (("mean", -math.inf), ("std", 0.0)):
        if not _are_numbers(known.get(name), channels, least):
            raise _bad(folder, "preprocessing", name, known.get(name))
    return Preprocessing(
        channels, (size[0], size[1]), known["resize"], short_side, tuple(known["mean"]), tuple(known["std"])
    )


def _mapping(folder: Path, file: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _bad(folder, file, "", found)
    return found


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_count, value)) and value[0] in {1, 3}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 < value <= MOST_PIXELS


def _are_numbers(value: Any, count: int, least: float) -> bool:
    if not isinstance(value, list) or len(value) not in {1, count}:
        return False
    return all(type(each) in {int, float} and math.isfinite(each) and each > least for each in value)


def _bad(folder: Path, file: str, what: str, value: Any) -> ArchscopeError:
    shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}…"
    where = f"'{file}.json' in {str(folder)!r}"
    return ArchscopeError(Problem("bad-run", f"{where} has {f'{what} ' if what else ''}{shown}"))


def plain_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes to a network as JSON holds them: fractions as texts, tuples as lists, what is not set left out."""
    return {name: _plain(value) for name, value in changes.items() if value is not None}


def _frozen(value: Any) -> Any:
    """A value of JSON as options have it: tuples for lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value if isinstance(value, bool | int | float | str) else str(value)
