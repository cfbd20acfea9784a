"""Where tables lie, and what a name means: ``vgg16``, ``./mine.toml``, ``./mine.toml:B``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from archscope.core.errors import ArchscopeError, Problem, TableError, UnknownName, Unsupported, nearest
from archscope.graph.graph import Graph
from archscope.graph.lowering import lower
from archscope.spec.compiler import compile_table, networks
from archscope.spec.knobs import turned
from archscope.spec.naming import named
from archscope.spec.network import Spec
from archscope.spec.options import Options
from archscope.spec.table import Table, read_source, read_table


class Entry(NamedTuple):
    """A network of a table file, by the name that was found."""

    table: Table
    network: str


def tables_folder() -> Path:
    """Where the shipped tables lie: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "tables"
    return installed if installed.is_dir() else package.parent / "tables"


def table_files() -> list[Path]:
    """The shipped table files, by name."""
    return sorted(tables_folder().glob("*.toml"), key=lambda path: path.name)  # Path compares ten times slower


def shipped_table(path: Path) -> Table:
    """A shipped table, read once per process. Its errors name it ``tables/vgg.toml`` wherever it lies."""
    return _read(path, f"tables/{path.name}")


def table_at(address: str) -> Table:
    """The table that a file name, or a shipped table's name (``vgg``), means."""
    if is_file(address):
        return _own_table(address)
    for path in table_files():
        if path.stem == _plain(address):
            return shipped_table(path)
    entry = find(address)
    return entry.table


def find(name: str) -> Entry:
    """The table and network that a name means. Raises UnknownName with the nearest names."""
    if is_module_address(name):
        problem = Problem("no-table", f"{name} is a module, and no network of a table")
        raise Unsupported(problem)
    if is_file(name):
        return _in_file(name)
    wanted = _plain(name)
    found = [
        entry for path in table_files() if _mentions(path, wanted) for entry in _named(shipped_table(path), wanted)
    ]
    if len(found) > 1:
        raise _twice(name, *found[:2])
    if found:
        return found[0]
    known, _ = readable()
    problem = Problem(
        "unknown-network", f"no network is called {name!r}", help=nearest(wanted, known) or "archscope list shows all"
    )
    if _PACKAGE.fullmatch(name):
        problem = problem._replace(help=f"a module's address says what of a package: {name}:Name")
    raise UnknownName(problem)


_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def lowered(table: Table, network: str) -> tuple[Spec, Graph]:
    """A network as its table has it, soft-max and all, with its graph at batch 1; those of one table are kept.

    Raises TableError and ShapeError, at the cell, for what cannot be read or does not fit.
    """
    if not _lowered or _lowered[0][0] is not table:
        _lowered[:] = [(table, {})]
    kept = _lowered[0][1]
    if network not in kept:
        spec = named(compile_table(table, network))
        kept[network] = (spec, lower(spec))
    return kept[network]


_lowered: list[tuple[Table, dict[str, tuple[Spec, Graph]]]] = []
"""The table asked for last, and its networks: one after another is what checks ask for."""


def promised(name: str) -> Entry | None:
    """The network that a free name promises; None where it promises none.

    ``torchvision.models:googlenet`` promises googlenet, ``net.py:VGG_13`` and ``VGGNet-13(width=2)`` promise vgg13.
    """
    own = name.rpartition(":")[2].partition("(")[0].rpartition(".")[2]
    for each in (own, _NET.sub("", own)):
        try:
            return find(each)
        except ArchscopeError:
            continue
    return None


_NET = re.compile(r"(?<=vgg)-?net-?(?=\d)|(?<=resnet)-(?=\d)", re.IGNORECASE)


def with_classes(entry: Entry, classes: int, batch: int = 1) -> Graph:
    """A network of the catalogue that returns logits of so many classes."""
    spec = compile_table(entry.table, entry.network)
    return lower(named(turned(spec, Options(num_classes=classes, softmax=False))), batch)


def everything() -> dict[str, Entry]:
    """Every network of the shipped tables, in the order of files and rows. Raises TableError for one that is broken."""
    found, problems = readable()
    if problems:
        raise TableError(*problems)
    return found


def readable() -> tuple[dict[str, Entry], list[Problem]]:
    """The networks of the shipped tables that can be read, by file and row; and what is wrong with the other tables."""
    found: dict[str, Entry] = {}
    taken: dict[str, Entry] = {}
    problems: list[Problem] = []
    for path in table_files():
        try:
            table = shipped_table(path)
            for name in networks(table):
                _take(taken, Entry(table, name))
                found[name] = Entry(table, name)
        except ArchscopeError as error:
            problems.extend(error.problems)
    return found, problems


def _take(taken: dict[str, Entry], entry: Entry) -> None:
    """Notes the names of a network. Raises TableError for one that a network of another table bears."""
    for each in (entry.network, *networks(entry.table)[entry.network].get("aliases", ())):
        if taken.setdefault(_plain(each), entry).table is not entry.table:
            raise _twice(each, taken[_plain(each)], entry)


def _twice(name: str, first: Entry, second: Entry) -> TableError:
    files = f"{first.table.source.name} and {second.table.source.name}"
    span = second.table.where_text("networks", second.network, name)
    return TableError(Problem("duplicate-network", f"{name!r} is in {files}", span))


def relatives_with_weights(name: str) -> list[str]:
    """The networks named like this one (``googlenet_torchvision`` for ``googlenet``) whose weights torchvision has."""
    stem = name.partition("_")[0]
    return [
        other
        for other, entry in everything().items()
        if other.partition("_")[0] == stem and networks(entry.table)[other].get("torchvision")
    ]


def named_networks(addresses: Iterable[str]) -> list[str]:
    """Addresses with the name of a table, or its file, replaced by all its networks."""
    stems = {path.stem: path for path in table_files()}
    names: list[str] = []
    for address in addresses:
        stem = _plain(address)
        path = stems.get(stem)
        if is_module_address(address):
            names.append(address)
        elif address.endswith(".toml"):
            names.extend(f"{address}:{name}" for name in networks(table_at(address)))
        elif path is None or any(stem == _plain(name) for name in networks(shipped_table(path))):
            names.append(address)
        else:
            names.extend(networks(shipped_table(path)))
    return names


def is_module_address(address: str) -> bool:
    """Whether an address names Python code, ``torchvision.models:resnet50`` or ``./net.py:Net``, and no table."""
    head, colon, _ = address.partition(":")
    return address.endswith(".py") or ".py:" in address or (bool(colon) and not head.endswith(".toml"))


def is_file(address: str) -> bool:
    """Whether an address names a table file, or a network of one, and not a name of the catalogue."""
    return not is_module_address(address) and (".toml" in address or os.sep in address)


def _in_file(address: str) -> Entry:
    head, colon, column = address.rpartition(".toml:")
    path = f"{head}.toml" if colon else address
    table = _own_table(path)
    known = networks(table)
    if colon:
        by_column = [
            name for name, entry in known.items() if column in {name, entry.get("column"), *entry.get("aliases", ())}
        ]
        if not by_column:
            help_line = nearest(column, known) or f"it has {', '.join(known)}"
            raise UnknownName(Problem("unknown-network", f"{path} has no network {column!r}", help=help_line))
        return Entry(table, by_column[0])
    if len(known) > 1:
        example = f"{path}:{next(iter(known))}"
        message = f"{path} has {len(known)} networks: {', '.join(known)}"
        raise UnknownName(Problem("which-network", message, help=f"name one of them: {example}"))
    return Entry(table, next(iter(known)))


def _named(table: Table, wanted: str) -> list[Entry]:
    for name, entry in networks(table).items():
        if wanted in {_plain(each) for each in (name, *entry.get("aliases", ()))}:
            return [Entry(table, name)]
    return []


def _plain(name: str) -> str:
    """``VGG-16`` and ``vgg_16`` are ``vgg16``; an underscore before a letter stays: ``vgg16_bn``."""
    text = name.lower().replace("-", "_").replace(" ", "_")
    parts = text.split("_")
    joined = parts[0]
    for part in parts[1:]:
        joined += part if part[:1].isdigit() else f"_{part}"
    return joined


def _mentions(path: Path, wanted: str) -> bool:
    """Whether a file can hold the name at all: parsing every table for one name would take too long."""
    try:
        return _squeezed(wanted) in _squeezed_file(path)
    except (OSError, UnicodeDecodeError):
        # The file is broken: reading it as a table says how, in the words of that error.
        return True


@lru_cache(maxsize=256)
def _squeezed_file(path: Path) -> str:
    return _squeezed(path.read_text(encoding="utf-8"))


def _squeezed(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "").replace(" ", "")


def _own_table(address: str) -> Table:
    """A table of the user's: read again once its file has changed."""
    path = Path(address).absolute()
    try:
        state = path.stat()
    except (OSError, ValueError):
        return read_table(read_source(path, address))  # which says what is wrong with it
    return _read(path, address, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=256)
def _read(path: Path, shown: str, state: tuple[int, int] = (0, 0)) -> Table:  # noqa: ARG001  it is a part of the key
    return read_table(read_source(path, shown))
