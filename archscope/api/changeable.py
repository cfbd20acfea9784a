"""Networks that a sweep or a search changes: of a table, written in Python, or a graph, of which the input changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from archscope.api.networks import compiled, with_options
from archscope.core.errors import ArchscopeError, Problem, Unsupported, UsageError
from archscope.graph import lowering
from archscope.graph.graph import Graph
from archscope.graph.resizing import resized
from archscope.spec.network import Item, Layer, Spec
from archscope.spec.options import Options, options
from archscope.spec.overriding import check_cell
from archscope.spec.table import Table
from archscope.spec.varying import holds_only_outputs, name_of, with_sizes
from archscope.studies.design_space.designs import CELL, Axis, Number

KEPT = 256
"""Structures of a network that are kept, each compiled once."""

INPUT = ("batch", "input", "channels")
"""What may be varied of a graph."""


@dataclass(frozen=True, slots=True)
class TableDesign:
    """A network of a table, with changes that all its designs have.

    kept: what was compiled already, by cells and blocks, and whether the blocks are done with.
    """

    network: str
    table: Table
    fixed: Mapping[str, Any]
    kept: dict[object, tuple[Spec, Table, bool]] = field(default_factory=dict, repr=False, compare=False)

    def graph(self, changes: Mapping[str, Any]) -> Graph:
        """The graph after changes, ``batch`` among them, some of which may be arrays.

        Raises what load and lowering raise; PointsDiffer where points of an array have different structures.
        """
        texts, sizes = _texts({**(self.fixed.get(CELL) or {}), **changes.get(CELL, {})})
        chosen = _options(self.fixed, changes, texts)
        spec, table, repeated = self.structure(chosen)
        left = replace(chosen, blocks=None) if repeated else chosen
        return lowering.lower(with_options(with_sizes(spec, sizes), left, table), changes["batch"])

    def structure(self, chosen: Options) -> tuple[Spec, Table, bool]:
        """The spec as it is before knobs, its table, and whether its blocks are already repeated as asked."""
        key = (tuple((chosen.set or {}).items()), repr(chosen.blocks))
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                self.kept.clear()
            spec, table, left = compiled(self.table, self.network, (), chosen, checks=False)
            self.kept[key] = spec, table, left.blocks is not chosen.blocks
        return self.kept[key]

    @property
    def changes(self) -> tuple[str, ...]:
        """What all designs have changed from the paper, in words."""
        spec, table, repeated = self.structure(options(self.fixed))
        chosen = replace(options(self.fixed), blocks=None) if repeated else options(self.fixed)
        return with_options(spec, chosen, table).changes

    @property
    def outline(self) -> str:
        """What its numbers follow from, in words."""
        return repr((self.network, self.table.source.text, sorted(self.fixed.items())))

    def check_cell(self, name: str, texts: Iterable[str]) -> None:
        """Raises UsageError for a name that is no cell of the network, and for texts of which none changes it."""
        check_cell(self.table, self.network, name, texts)

    def takes_many(self, axis: Axis) -> bool:
        """Whether a number in a cell may be an array: it is the channels that layers make, and nothing else."""
        name = name_of(0)
        cells = {**(self.fixed.get(CELL) or {}), axis.name: Number(axis.template, 0).text(f"{{{name}}}")}
        try:
            return holds_only_outputs(self.structure(_options(self.fixed, {}, cells))[0], name)
        except ArchscopeError:
            return False


@dataclass(frozen=True, slots=True)
class SpecDesign:
    """A network written in Python, with changes that all its designs have."""

    spec: Spec
    fixed: Mapping[str, Any]

    def graph(self, changes: Mapping[str, Any]) -> Graph:
        """The graph after changes, as :meth:`TableDesign.graph`."""
        return lowering.lower(with_options(self.spec, _options(self.fixed, changes, {}), None), changes["batch"])

    @property
    def changes(self) -> tuple[str, ...]:
        """What all designs have changed, in words."""
        return with_options(self.spec, options(self.fixed), None).changes

    @property
    def outline(self) -> str:
        """What its numbers follow from, in words."""
        return repr((_outline(self.spec.root), self.spec.input_shape, sorted(self.fixed.items())))

    def check_cell(self, name: str, _: Iterable[str]) -> NoReturn:
        """Raises UsageError: it has no cells."""
        _refuse_cells(self.spec.name, name)

    def takes_many(self, _: Axis) -> bool:
        """It has no cells."""
        return False


@dataclass(frozen=True, slots=True)
class GraphDesign:
    """A graph, of which only the input can be changed."""

    whole: Graph
    changes: tuple[str, ...] = ()

    def graph(self, changes: Mapping[str, Any]) -> Graph:
        """The graph at another batch, input size or number of channels."""
        _, channels, *size = self.whole.tensors[self.whole.inputs[0]].shape
        size = changes.get("input_size", size)
        return resized(self.whole, (changes["batch"], changes.get("in_channels", channels), *size))

    @property
    def outline(self) -> str:
        """What its numbers follow from, in words."""
        return repr([(node.op, node.inputs) for node in self.whole.nodes])

    def check_cell(self, name: str, _: Iterable[str]) -> NoReturn:
        """Raises UsageError: it has no cells."""
        _refuse_cells(self.whole.name, name)

    def takes_many(self, _: Axis) -> bool:
        """It has no cells."""
        return False


def graph_design(graph: Graph) -> GraphDesign:
    """A graph of a table's network. Raises Unsupported for a captured one: its sizes are those of one run."""
    if graph.held is not None:
        message = f"{graph.name} was captured, and its sizes are those of one run: no other ones follow from it"
        raise Unsupported(Problem("captured", message, help="sweep takes networks of tables, or written in Python"))
    return GraphDesign(graph)


def _texts(cells: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The texts of cells, with a name in place of a number that has many sizes; and the sizes of these names."""
    texts: dict[str, str] = {}
    sizes: dict[str, Any] = {}
    for cell, value in cells.items():
        if not isinstance(value, Number):
            texts[cell] = value
        elif isinstance(value.size, int):
            texts[cell] = value.text()
        else:
            name = name_of(len(sizes))
            texts[cell], sizes[name] = value.text(f"{{{name}}}"), value.size
    return texts, sizes


def _options(fixed: Mapping[str, Any], changes: Mapping[str, Any], texts: dict[str, str]) -> Options:
    given = {name: value for name, value in changes.items() if name not in {"batch", CELL}}
    return options({**fixed, **given, CELL: texts or None})


def _outline(item: Item) -> tuple[Any, ...]:
    """An item without its places."""
    if isinstance(item, Layer):
        return (item.op, item.name)
    own = tuple(value for name, value in item._asdict().items() if name not in {"items", "span"})
    return (*own, *(_outline(each) for each in item.items))


def _refuse_cells(network: str, name: str) -> NoReturn:
    message = f"{network} is no network of a table, and has no cell {name!r}"
    raise UsageError(Problem("unknown-cell", message))
