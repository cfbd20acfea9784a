"""The public verbs: their signatures, and which path a name, a spec or a list of cells takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from archscope import catalog
from archscope.core.errors import ArchscopeError, Problem, TableError, UsageError
from archscope.core.records import ITEM_BYTES, Setting
from archscope.graph import lowering
from archscope.graph.graph import Graph
from archscope.spec.compiler import compile_items, compile_table, networks
from archscope.spec.knobs import turned
from archscope.spec.naming import named
from archscope.spec.network import Block, Spec
from archscope.spec.options import Changes, Options, options
from archscope.studies.profiling import DEFAULT_COLUMNS, Profile, profile_graph

if TYPE_CHECKING:
    import torch

    from archscope.evidence import Finding
    from archscope.ops import Op
    from archscope.spec.table import Table

Network = str | Spec | Sequence[Any]
"""What names a network: ``"vgg16"``, ``"./mine.toml:B"``, a Spec, or a list of cells."""


def load(
    network: Network,
    *,
    ops: Iterable[type[Op]] = (),
    input: Sequence[int] | None = None,  # noqa: A002  what tables and the command line call it
    name: str = "",
    **changes: Unpack[Changes],
) -> Spec:
    """The Spec of a network, with changes.

    network: a name of the catalogue, a table file (``./mine.toml``, ``./mine.toml:B``), a Spec, or items written in
    Python: cells (``"conv3-64"``), ops, lists, ``{"join": "concat", "branches": [[...], [...]]}``. Items need
    ``input``, the shape of one example, (channels, height, width). ops: op classes of your own that cells may name.
    changes: see :class:`archscope.spec.options.Options`.

    Raises UnknownName for a name that nothing bears, TableError for a table that cannot be read (all of it at once),
    UsageError for a change that makes no sense, Unsupported for one that this network cannot make.
    """
    chosen = options(changes)
    spec, table = _spec(network, tuple(ops), input, name)
    return _changed(spec, chosen, table)


def lower(network: Network, batch: int = 1, **changes: Unpack[Changes]) -> Graph:
    """The Graph of a network for ``batch`` examples: every node, tensor, parameter and scope with its size."""
    return lowering.lower(load(network, **changes), batch)


def profile(
    network: Network | Graph,
    batch: int | None = None,
    *,
    dtype: str = "float32",
    mode: str = "eval",
    columns: Sequence[str] = DEFAULT_COLUMNS,
    **changes: Unpack[Changes],
) -> Profile:
    """The numbers of a network, as plain data: a row per layer, and totals that the rows add up to.

    batch: examples at once, 1 when left out; MACs and activations are for all of them. A Graph has its own. dtype: of
    parameters and activations, for bytes. mode: ``train`` counts the auxiliary heads too. columns: see
    :func:`archscope.analyses.columns`. Raises UsageError for a setting that makes no sense, and what load raises.
    """
    if isinstance(network, Graph):
        own = network.tensors[network.inputs[0]].shape[0]
        if changes or batch not in {None, own}:
            message = f"a Graph has its sizes, and this one is for a batch of {own}"
            raise UsageError(
                Problem("bad-value", message, help="give the network itself, with the batch and the changes")
            )
        return profile_graph(network, checked_setting(own, dtype, mode), columns)
    setting = checked_setting(1 if batch is None else batch, dtype, mode)
    return profile_graph(lower(network, setting.batch, **changes), setting, columns)


def build(
    network: Network | Graph,
    *,
    device: str | torch.device | None = None,
    weights: str | None = None,
    **changes: Unpack[Changes],
) -> torch.nn.Module:
    """The network as a ``torch.nn.Module``, returning logits; see the README for what is guaranteed of it.

    device: where to make it; ``"meta"`` allocates nothing. weights: None for torch's own initialisation,
    ``"torchvision"`` for the weights that torchvision offers for this network, else the path of a state dict.
    With another ``num_classes`` the heads stay random, and a warning lists them.
    """
    from archscope.targets.torch_module import module_of
    from archscope.targets.weights import load_weights, with_transform

    if isinstance(network, Graph):
        spec, found = None, network
    else:
        spec = load(network, **changes)
        if weights == "torchvision":
            spec = with_transform(spec)
        found = lowering.lower(spec)
    model = module_of(found, device=device)
    if weights is not None:
        load_weights(model, found, spec, weights, catalog.relatives_with_weights)
    return model


def check(network: str, *, witnesses: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """What independent witnesses say of every number of a network, or of every network of a table file.

    witnesses: names of :mod:`archscope.evidence`; all of them when left out. A finding is ``agrees``, ``explained`` (by
    an erratum), ``refuted``, ``stale`` (an erratum whose number agrees), ``undecided`` or ``unavailable``. Raises
    TableError with everything that is wrong in a table, UnknownName for a network or a witness that there is not.
    """
    from archscope import evidence

    entry = catalog.find(network) if not catalog.is_file(network) or ".toml:" in network else None
    table = catalog.table_at(network) if entry is None else entry.table
    names = [entry.network] if entry is not None else list(networks(table))
    specs = _all_or_problems(table, names)
    return tuple(
        finding
        for spec, lowered in specs
        for witness in (evidence.named() if witnesses is None else witnesses)
        for finding in evidence.examined(evidence.Case(table, spec, lowered), witness)
    )


def _all_or_problems(table: Table, names: Iterable[str]) -> list[tuple[Spec, Graph]]:
    """The networks of a table with their graphs. Raises TableError with all problems of all of them at once."""
    found, problems = [], dict[str, Problem]()
    for name in names:
        try:
            found.append(catalog.lowered(table, name))
        except ArchscopeError as error:
            problems |= {str(problem): problem for problem in error.problems}
    if problems:
        raise TableError(*problems.values())
    return found


def checked_setting(batch: int, dtype: str, mode: str) -> Setting:
    """The setting, if it makes sense. Raises UsageError."""
    if not isinstance(batch, int) or batch < 1:
        raise UsageError(Problem("bad-value", f"batch is {batch!r}", expected="a whole number from 1 on"))
    if dtype not in ITEM_BYTES:
        raise UsageError(Problem("bad-value", f"dtype is {dtype!r}", expected=", ".join(ITEM_BYTES)))
    if mode not in {"eval", "train"}:
        raise UsageError(Problem("bad-value", f"mode is {mode!r}", expected="eval, train"))
    return Setting(batch, dtype, mode)


def _spec(
    network: Network, ops: tuple[type[Op], ...], shape: Sequence[int] | None, name: str
) -> tuple[Spec, Table | None]:
    if isinstance(network, str):
        entry = catalog.find(network)
        spec = compile_table(entry.table, entry.network, ops)
        return (spec if shape is None else replace(spec, input_shape=tuple(shape))), entry.table
    if isinstance(network, Spec):
        return network, None
    if shape is None:
        raise UsageError(Problem("missing-input", "a network written as cells needs input=(channels, height, width)"))
    root = Block(compile_items(network, ops))
    return Spec(name or "network", root, tuple(shape), table="<python>"), None


def _changed(spec: Spec, chosen: Options, table: Table | None) -> Spec:
    """The spec with the options applied. Those that need sizes see the network at the table's own input size."""
    if table is not None:
        chosen = replace(chosen, softmax=bool(chosen.softmax))
    changed = turned(spec, replace(chosen, input_size=None))
    if chosen.blocks is not None and table is not None:
        from archscope.spec.stages import named_by_blocks

        others = [(name, compile_table(table, name)) for name in networks(table)]
        changed = replace(changed, changes=(*changed.changes, f"blocks: {named_by_blocks(changed, others)}"))
    changed = named(changed)
    if chosen.adaptive_pool or chosen.dense:
        from archscope.graph.heads import dense, with_adaptive_pool

        changed = with_adaptive_pool(changed) if chosen.adaptive_pool else changed
        changed = dense(changed) if chosen.dense else changed
    if chosen.input_size is None:
        return changed
    if chosen.input_size == changed.input_shape[1:]:
        return changed
    words = f"input_size={chosen.input_size[0]}×{chosen.input_size[1]}"
    return replace(changed, input_shape=(changed.input_shape[0], *chosen.input_size), changes=(*changed.changes, words))
