"""``load``, ``lower``, ``build``: which path a name, a spec or a list of cells takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from archscope import catalog
from archscope.api import modules
from archscope.core.arithmetic import is_many
from archscope.core.errors import Problem, UsageError
from archscope.graph import lowering
from archscope.graph.graph import Graph
from archscope.spec.compiler import compile_items, compile_table, networks
from archscope.spec.knobs import turned
from archscope.spec.naming import named
from archscope.spec.network import Block, Spec
from archscope.spec.options import Changes, Options, options, with_example

if TYPE_CHECKING:
    import torch

    from archscope.ops import Op
    from archscope.spec.table import Table

Network = str | Spec | Sequence[Any]
"""What names a network: ``"vgg16"``, ``"./mine.toml:B"``, a Spec, or a list of cells."""


def load(
    network: Network,
    *,
    ops: Iterable[type[Op]] = (),
    input: Sequence[int] | Sequence[str] | None = None,  # noqa: A002  what tables and the command line call it
    name: str = "",
    **changes: Unpack[Changes],
) -> Spec:
    """The Spec of a network, with changes.

    network: a name of the catalogue, a table file (``./mine.toml``, ``./mine.toml:B``), a Spec, or items written in
    Python: cells (``"conv3-64"``), ops, lists, ``{"join": "concat", "branches": [[...], [...]]}``. Items need
    ``input``, the shape of one example, (channels, height, width); as a text, ``["1x96x96"]``, it
    changes a table's. ops: op classes of your own that cells may name. changes: see
    :class:`archscope.spec.options.Options`.

    Raises UnknownName for a name that nothing bears, TableError for a table that cannot be read (all of it at once),
    UsageError for a change that makes no sense, Unsupported for one that this network cannot make.
    """
    chosen = options(changes)
    if input and isinstance(input[0], str):
        chosen, input = with_example(chosen, [str(each) for each in input]), None  # noqa: A001  as above
    own, shape = tuple(ops), None if input is None else tuple(int(size) for size in input)
    spec, table, left = _spec(network, own, shape, name, chosen)
    return with_options(spec, left, table, own)


def lower(
    network: Network | Any,
    batch: int = 1,
    *,
    input: Any = None,  # noqa: A002  as above
    mode: str = "eval",
    real: bool = False,
    upper_bound: bool = False,
    **changes: Unpack[Changes],
) -> Graph:
    """The Graph of a network for ``batch`` examples: every node, tensor, parameter and scope with its size.

    A module, or its address, is captured in ``mode``; see :func:`archscope.capture` for its ``input``, and for ``real``
    and ``upper_bound``, which make sense for modules only. Shapes in it have the batch first. Raises ShapeError, at the
    cell, where sizes do not fit, and what load and capture raise.
    """
    if modules.is_module(network):
        modules.refuse_changes(network, dict(changes))
        return modules.capture(network, input, batch=batch, mode=mode, real=real, upper_bound=upper_bound)
    if real or upper_bound:
        flag = "real" if real else "upper_bound"
        raise UsageError(Problem("bad-value", f"{flag} is for modules: nothing in a table depends on values"))
    return lowering.lower(load(network, input=input, **changes), batch)


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
    With another ``num_classes`` the heads stay random, and a warning lists them. It takes batches of examples,
    (batch, channels, height, width). Raises Unsupported for a layer that was only seen in a module and for weights that
    do not fit, and what load raises.
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


def _spec(
    network: Network, ops: tuple[type[Op], ...], shape: Sequence[int] | None, name: str, chosen: Options
) -> tuple[Spec, Table | None, Options]:
    """The spec as it is before knobs, its table, and the options that are left to apply."""
    if isinstance(network, str):
        entry = catalog.find(network)
        spec, table, left = compiled(entry.table, entry.network, ops, chosen)
        return (spec if shape is None else replace(spec, input_shape=tuple(shape))), table, left
    if chosen.set:
        message = "set changes cells of a table, and this network was not loaded from one here"
        raise UsageError(Problem("bad-value", message, help="give the network's name or its table's file"))
    if isinstance(network, Spec):
        return network, None, chosen
    if shape is None:
        raise UsageError(Problem("missing-input", "a network written as cells needs input=(channels, height, width)"))
    root = Block(compile_items(network, ops))
    return Spec(name or "network", root, tuple(shape), table="<python>"), None, chosen


def compiled(
    table: Table, network: str, ops: tuple[type[Op], ...], chosen: Options, *, checks: bool = True
) -> tuple[Spec, Table, Options]:
    """A network of a table with its cells set and its blocks repeated; the table, and the options that are left.

    checks: whether to look if the network is made of the cells that are set.
    """
    if chosen.set:
        from archscope.spec.overriding import with_cells

        table = with_cells(table, network, chosen.set, ops, checks=checks)
    spec = compile_table(table, network, ops)
    if chosen.blocks is None or not spec.repeats:
        return spec, table, chosen
    from archscope.spec.stages import has_plain_stages, with_repeats

    if has_plain_stages(spec):
        return spec, table, chosen
    return with_repeats(table, spec, chosen.blocks, ops), table, replace(chosen, blocks=None)


def with_options(spec: Spec, chosen: Options, table: Table | None, ops: tuple[type[Op], ...] = ()) -> Spec:
    """The spec with the options applied. Those that need sizes see the network at the table's own input size."""
    if table is not None:
        chosen = replace(chosen, softmax=bool(chosen.softmax))
    changed = turned(spec, replace(chosen, input_size=None))
    if chosen.blocks is not None and table is not None:
        from archscope.spec.stages import named_by_blocks

        others = [(name, compile_table(table, name, ops)) for name in networks(table)]
        changed = replace(changed, changes=(*changed.changes, f"blocks: {named_by_blocks(changed, others)}"))
    changed = named(changed)
    if chosen.adaptive_pool or chosen.dense:
        from archscope.graph.heads import dense, with_adaptive_pool

        changed = with_adaptive_pool(changed) if chosen.adaptive_pool else changed
        changed = dense(changed) if chosen.dense else changed
    if chosen.input_size is None:
        return changed
    if not is_many(chosen.input_size) and chosen.input_size == changed.input_shape[1:]:
        return changed
    height, width = chosen.input_size
    words = "input_size varied" if is_many(chosen.input_size) else f"input_size={height}×{width}"
    return replace(changed, input_shape=(changed.input_shape[0], *chosen.input_size), changes=(*changed.changes, words))
