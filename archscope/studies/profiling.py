"""What does each layer cost? Rows per layer and per block, and totals that the rows add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope import analyses
from archscope.analyses import Column, Total, Values
from archscope.core.arithmetic import Size, largest
from archscope.core.records import Setting
from archscope.core.showing import shown_as_html, shown_as_text
from archscope.graph.graph import Graph, Node
from archscope.graph.paths import longest_path
from archscope.spec.notation import write
from archscope.studies.frames import frame

if TYPE_CHECKING:
    from archscope.studies.frames import Frame

NEVER_RAN = "never ran"
"""What stands for the op of parameters that no layer uses."""

DEFAULT_COLUMNS = ("output_shape", "params", "macs", "activations")


class Row(NamedTuple):
    """One layer, or a block with what its layers add up to.

    path: in the built module. name: what people call it. op: as a cell spells it; a block's kind. depth: how many
    blocks it is in, sections not counted. values: per column; None where one could not be worked out. layers: how many
    it holds. side: it is in an auxiliary head.
    """

    path: str
    name: str
    op: str
    depth: int
    values: dict[str, Any]
    layers: int = 1
    side: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The numbers of a network in one setting: plain values, with what each column means.

    rows: one per layer, in running order. totals: by column. aux: what the auxiliary heads add while training, in a
    profile for inference, where they do not run. depth: weight layers along the longest path; by_stage: those, per
    resolution; by_op: weight layers of each kind, off the path too.
    """

    network: str
    title: str
    source: str
    setting: Setting
    input_shape: tuple[int, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: dict[str, Total]
    aux: dict[str, Total] = field(default_factory=dict)
    depth: int = 0
    by_stage: tuple[int, ...] = ()
    by_op: dict[str, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    graph: Graph | None = field(default=None, repr=False, compare=False)

    _repr_html_ = shown_as_html
    __str__ = shown_as_text

    def to_pandas(self) -> Frame:
        """The rows as a DataFrame: path, name, op, and a column for each of the profile's; shapes are tuples.

        Raises Unsupported without pandas.
        """
        return frame({"path": row.path, "name": row.name, "op": row.op, **row.values} for row in self.rows)

    def at_depth(self, depth: int | None) -> tuple[Row, ...]:
        """The rows with blocks deeper than ``depth`` folded into one row each; all layers for None."""
        if depth is None or self.graph is None:
            return self.rows
        return tuple(_folded(self, self.graph, depth))


def profile_graph(graph: Graph, setting: Setting, columns: Sequence[str] = DEFAULT_COLUMNS) -> Profile:
    """The profile of a graph. Raises UnknownName for a column that no analysis gives."""
    kept, values, own = _analysed(graph, setting, columns)
    runs = _running(graph, setting)
    rows = [
        _row(graph, node, {column.name: values[column.name][n] for column in kept})
        for n, node in enumerate(graph.nodes)
        if runs[n]
    ]
    rows += _idle_rows(graph, kept, values)
    path = longest_path(graph)
    aux = [n for n, node in enumerate(graph.nodes) if node.side and not runs[n]]
    return Profile(
        network=graph.name,
        title=graph.title,
        source=graph.source,
        setting=setting,
        input_shape=graph.tensors[graph.inputs[0]].shape[1:],
        columns=kept,
        rows=tuple(rows),
        totals=_totals(graph, kept, values, runs) | own,
        aux={column.name: _total(column, aux, values, graph) for column in kept if aux and column.total == "sum"},
        depth=len(path),
        by_stage=_by_stage(graph, path),
        by_op=_by_op(graph),
        changes=graph.changes,
        graph=graph,
    )


def totals(graph: Graph, setting: Setting, columns: Sequence[str]) -> dict[str, Total]:
    """Only the totals of a profile; of a graph whose sizes are arrays, the totals at all their points."""
    kept, values, own = _analysed(graph, setting, columns, totals_only=True)
    return _totals(graph, kept, values, _running(graph, setting)) | own


def _analysed(
    graph: Graph, setting: Setting, columns: Sequence[str], *, totals_only: bool = False
) -> tuple[tuple[Column, ...], dict[str, Values], dict[str, Total]]:
    """The columns, their values per node, and the totals that do not follow from those."""
    found = [analyses.of_column(name) for name in columns]
    values: dict[str, Values] = {}
    own: dict[str, Total] = {}
    for analysis, column in found:
        if column.total == "own" and column.name not in own:
            own |= analyses.own_totals(analysis, graph, setting)
        if column.name not in values and not (totals_only and column.total == "own"):
            values |= analysis.analyse(graph, setting)
    return tuple(column for _, column in found), values, {name: own[name] for name in columns if name in own}


def _running(graph: Graph, setting: Setting) -> list[bool]:
    """Per node whether it runs: auxiliary heads only do while training."""
    return [not node.side or setting.mode == "train" for node in graph.nodes]


def _totals(
    graph: Graph, columns: Sequence[Column], values: dict[str, Values], runs: Sequence[bool]
) -> dict[str, Total]:
    # Behind the nodes come parameters that none of them uses.
    nodes = [*(n for n, each in enumerate(runs) if each), *range(len(runs), len(runs) + bool(graph.idle_parameters()))]
    return {column.name: _total(column, nodes, values, graph) for column in columns}


def _row(graph: Graph, node: Node, values: dict[str, Any]) -> Row:
    op = write(node.op) if node.op.notation is not None else node.op.label
    return Row(node.path, node.name, op, _depth(graph, node.scope), values, 1, node.side)


def _idle_rows(graph: Graph, columns: Sequence[Column], values: dict[str, Values]) -> list[Row]:
    """A row for the parameters that no node uses, so that rows add up to the totals; none where all are used."""
    idle = graph.idle_parameters()
    if not idle:
        return []
    at = len(graph.nodes)
    own = {
        column.name: (values[column.name][at] if at < len(values[column.name]) else 0)
        if column.total == "sum"
        else None
        for column in columns
    }
    names = ", ".join(dict.fromkeys(_idle_module(graph, each.key) for each in idle))
    return [Row("", f"({names})", NEVER_RAN, 0, own)]


def _idle_module(graph: Graph, key: str) -> str:
    """The outermost module around an idle parameter in which nothing ran; the parameter where its module did run."""
    ran = {scope.path for scope in graph.scopes} | {node.path for node in graph.nodes}
    ran |= {path[:at] for path in ran for at, letter in enumerate(path) if letter == "."}
    parts = key.split(".")
    starts = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return next((start for start in starts if start not in ran), key)


def _depth(graph: Graph, scope: int) -> int:
    depth = 0
    while scope > 0:
        depth += not graph.scopes[scope].section
        scope = graph.scopes[scope].parent
    return depth


def _total(column: Column, nodes: Iterable[int], values: dict[str, Values], graph: Graph) -> Total:
    if column.total in {"none", "own"}:
        return Total(None, "unavailable")
    if column.total == "path":
        return Total(len(longest_path(graph)))
    known: Size = 0
    missing = []
    counted = range(len(values[column.name])) if column.total == "largest" else nodes
    for n in counted:
        value = values[column.name][n] if n < len(values[column.name]) else 0
        if value is None:
            missing.append(_missing(graph.nodes[n]))
        else:
            known = largest(known, value) if column.total == "largest" else known + value
    assumed = bool(graph.assumptions) and column.sized
    if missing and assumed:
        return Total(None, "unavailable", tuple(sorted(set(missing))))
    return Total(known, "bound" if missing or assumed else "exact", tuple(sorted(set(missing))), assumed)


def _missing(node: Node) -> str:
    """What has no value: the op, and the module that it runs in if no cell could say it."""
    if node.op.notation is not None:
        return type(node.op).__name__
    outer, _, own = node.path.rpartition(".")
    where = outer if own.startswith(node.op.label) else node.path
    return f"{node.op.label} in {where}" if where else node.op.label


def _folded(profile: Profile, graph: Graph, depth: int) -> Iterable[Row]:
    """The rows, with each block at ``depth`` as one row that adds up what it holds."""
    rows = iter(profile.rows)
    blocks: dict[int, list[Row]] = {}
    order: list[Row | int] = []
    for node in graph.nodes:
        if node.side and profile.setting.mode != "train":
            continue
        row = next(rows)
        block = _ancestor(graph, node.scope, depth)
        if block is None:
            order.append(row)
        elif block in blocks:
            blocks[block].append(row)
        else:
            blocks[block] = [row]
            order.append(block)
    order.extend(rows)  # what never ran
    for entry in order:
        yield entry if isinstance(entry, Row) else _block_row(profile, graph, entry, blocks[entry])


def _ancestor(graph: Graph, scope: int, depth: int) -> int | None:
    """The block around ``scope`` that is folded at ``depth``: the outermost one that lies ``depth`` blocks deep."""
    chain = []
    while scope > 0:
        if not graph.scopes[scope].section:
            chain.append(scope)
        scope = graph.scopes[scope].parent
    chain.reverse()
    return chain[depth] if depth < len(chain) else None


def _block_row(profile: Profile, graph: Graph, scope: int, rows: list[Row]) -> Row:
    block = graph.scopes[scope]
    result = block.outputs[0] if block.outputs else -1
    last = next((node.path for node in graph.nodes if result in node.outputs), "")
    values: dict[str, Any] = {}
    for column in profile.columns:
        own = [row.values[column.name] for row in rows]
        if column.unit == "shape":
            values[column.name] = graph.tensors[result].shape[1:] if result >= 0 else None
        elif column.total in {"none", "own"}:
            values[column.name] = next((row.values[column.name] for row in rows if row.path == last), None)
        elif column.total == "path":
            values[column.name] = len(longest_path(graph, scope))
        else:
            values[column.name] = None if None in own else max(own) if column.total == "largest" else sum(own)
    op = " + ".join(row.op for row in rows) if len(rows) <= 3 else block.kind or "block"
    return Row(block.path, block.name or block.path, op, _depth(graph, block.parent), values, len(rows), block.side)


def _by_stage(graph: Graph, path: list[Node]) -> tuple[int, ...]:
    """Weight layers along the path, per resolution of their output; those on vectors are the last stage."""
    counts: dict[tuple[int, ...], int] = {}
    for node in path:
        axes = graph.shape_out(node)[2:]
        counts[axes] = counts.get(axes, 0) + 1
    return tuple(counts.values())


def _by_op(graph: Graph) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in graph.nodes:
        if node.op.weight_layer and not node.side:
            kind = type(node.op).__name__
            counts[kind] = counts.get(kind, 0) + 1
    return counts
