"""``export``: a network as a file that others read: a Python module, a table, ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from archscope.api import modules
from archscope.api.networks import Network, build, load
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.core.source import Source
from archscope.graph.lowering import lower
from archscope.spec.network import Spec
from archscope.spec.options import Changes

if TYPE_CHECKING:
    from torch import nn

TARGETS = {"python": ".py", "toml": ".toml", "onnx": ".onnx"}
"""What a network can be exported to, and how such a file's name ends."""


def export(
    network: Network | Any,
    to: str = "python",
    *,
    input: Any = None,  # noqa: A002  as load has it
    weights: str | None = None,
    **changes: Unpack[Changes],
) -> str | bytes:
    """A network as the content of a file.

    to: ``python``, a module file that imports only torch: a class per kind of block, state-dict keys and outputs as
    those of :func:`archscope.build`, output shapes and params as comments. ``toml``, a table with all changes in its
    cells, which reads back as the same graph; of a module too, where tables have words for all that it does. ``onnx``,
    bytes, of a module too: torch's exporter, onnx's checker, and a run in onnxruntime whose outputs equal torch's;
    logits, in eval mode, for any batch. input: of a module; see :func:`archscope.capture`. weights: for onnx, as build
    takes them; random as torch makes them without any.

    Raises UsageError for another target, Unsupported, naming the node, for an op or a block that the target cannot
    express and for a package that is not installed, and what load and capture raise.
    """
    if to not in TARGETS:
        raise UsageError(Problem("bad-value", f"to is {to!r}", expected=", ".join(TARGETS)))
    if weights is not None and to != "onnx":
        raise UsageError(Problem("bad-value", f"weights is {weights!r}, and only onnx files hold weights"))
    if modules.is_module(network):
        modules.refuse_changes(network, dict(changes))
        return _of_module(network, to, input, weights)
    spec = load(network, input=input, **changes)
    if to == "onnx":
        return _onnx(build(spec, weights=weights).eval(), (2, *spec.input_shape), spec.name)
    return _python(spec) if to == "python" else _table(spec, origin(spec))


def _of_module(network: Any, to: str, given: Any, weights: str | None) -> str | bytes:
    if to == "python":
        name = network if isinstance(network, str) else type(network).__name__
        raise Unsupported(Problem("no-table", f"{name} is a module, and --to python writes networks of tables"))
    if weights is not None:
        raise UsageError(Problem("bad-value", f"weights is {weights!r}, and a module has its own"))
    graph = modules.capture(network, given)
    if to == "toml":
        from archscope.graph.raising import raised

        return _table(raised(graph), graph.title)
    if len(graph.inputs) != 1 or not graph.tensors[graph.inputs[0]].dtype.startswith("float"):
        message = f"{graph.name} takes more than one image"
        raise Unsupported(Problem("one-way", message, help="call torch.onnx.export for it"))
    model, name, _ = modules.made(network, real=True)
    was_training = model.training
    try:
        return _onnx(model.eval(), (2, *graph.tensors[graph.inputs[0]].shape[1:]), name)
    finally:
        model.train(was_training)


def _python(spec: Spec) -> str:
    from archscope.core.version import __version__
    from archscope.targets.python_source import python_source

    return python_source(lower(spec), origin(spec), __version__)


def _table(spec: Spec, source: str) -> str:
    """The table of a spec, read back and compared. Raises Unsupported where that is another network."""
    from archscope.core.version import __version__
    from archscope.graph.sameness import parting
    from archscope.spec.compiler import compile_table
    from archscope.spec.naming import named
    from archscope.spec.table import read_table
    from archscope.targets.table_source import table_source

    text = table_source(spec, source, __version__)
    ops = {type(layer.op) for layer in spec.layers() if not type(layer.op).__module__.startswith("archscope.ops.")}
    back = named(compile_table(read_table(Source(f"{spec.name}.toml", text)), spec.name, ops))
    different = parting(lower(spec), lower(back))
    if different:
        raise Unsupported(Problem("not-the-same", f"a table of {spec.name} would be another network: {different}"))
    return text


def _onnx(model: nn.Module, shape: tuple[int, ...], name: str) -> bytes:
    from archscope.targets.onnx_file import onnx_file

    return onnx_file(model, shape, name)


def origin(spec: Spec) -> str:
    """Where a network comes from: the paper with its table, and the file."""
    column = f", column {spec.column}" if spec.column else ""
    return f"{spec.paper} ({spec.table}{column})" if spec.paper else spec.table
