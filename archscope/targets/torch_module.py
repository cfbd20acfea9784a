"""Graph -> ``torch.nn.Module``: a real hierarchy of plain torch layers, with forwards that hold no interpreter."""

from __future__ import annotations

import copyreg
import hashlib
import linecache
import operator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.errors import Problem, Unsupported
from archscope.core.records import Call
from archscope.graph.bodies import class_name, is_chain, parts_of
from archscope.graph.graph import Graph, Node
from archscope.targets.forward import class_source, own_class_source

if TYPE_CHECKING:
    import torch
    from torch import nn


def module_of(graph: Graph, *, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> nn.Module:
    """The network as a module, in train mode, its parameters initialised as torch does by default, frozen ones frozen.

    It takes (batch, channels, height, width) and returns logits; while training, a network with auxiliary heads returns
    a named tuple, the graph's outputs in their order. ``device="meta"`` allocates nothing.

    Raises Unsupported for names that cannot be attributes, and for calls that torch does not have.
    """
    return _Builder(graph, device, dtype).block(0)


@dataclass(slots=True)
class _Builder:
    graph: Graph
    device: str | torch.device | None
    dtype: torch.dtype | None
    parameters: dict[int, nn.Parameter] = field(default_factory=dict)

    def block(self, index: int) -> nn.Module:
        from torch import nn

        graph = self.graph
        chain = is_chain(graph, index)
        made = nn.Sequential() if chain else _class_of(class_name(graph, index), class_source(graph, index))()
        made_parts: set[str] = set()
        for part in parts_of(graph, index):
            if not part.is_module or part.attribute in made_parts:  # a shared module is made once and called again
                continue
            if hasattr(made, part.attribute):
                owner = graph.scopes[index].path or graph.name
                message = f"{part.attribute!r} in {owner!r} is a word of torch.nn.Module, and cannot name a part of one"
                raise Unsupported(Problem("reserved-name", message))
            child = self.leaf(graph.nodes[part.node]) if part.node >= 0 else self.block(part.scope)
            made.add_module(part.attribute, child)
            made_parts.add(part.attribute)
        return made

    def leaf(self, node: Node) -> nn.Module:
        from torch import nn

        call = node.op.torch(*self.graph.shapes_in(node))
        if call.forward:
            return own_module(call)
        kind = getattr(nn, call.name.removeprefix("nn."), None)
        if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
            raise Unsupported(
                Problem("unknown-module", f"{node.name!r} wants {call.name!r}, no module of torch", node.span)
            )
        stored = bool(node.parameters or node.buffers)  # only modules that store something take a device and a type
        place = {"device": self.device, "dtype": self.dtype} if stored else {}
        module: nn.Module = kind(*call.args, **call.kwargs, **place)
        for name, index in node.parameters.items():
            own = self.parameters.setdefault(index, module.get_parameter(name))
            own.requires_grad = self.graph.parameters[index].trainable
            setattr(module, name, own)
        return module


def own_module(call: Call) -> nn.Module:
    """A module that torch does not have, as an op describes it."""
    return _class_of(call.name, own_class_source(call))(**call.kwargs)


@cache
def _class_of(name: str, source: str) -> type[nn.Module]:
    """The class that a source text defines: made once, so that equal blocks share one, and known to tracebacks."""
    import torch

    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    filename = f"<archscope {name} {digest}>"
    namespace: dict[str, Any] = {
        "__name__": __name__, "torch": torch, "nn": torch.nn, "operator": operator, "NamedTuple": NamedTuple,
    }  # fmt: skip
    code = compile(source, filename, "exec")
    exec(code, namespace)  # noqa: S102  the text is ours: every name in it passed a pattern, every value is a literal
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    made: type[nn.Module] = namespace[name]
    # Neither class can be imported from anywhere: pickles and copies hold the source they are made of instead.
    copyreg.pickle(made, lambda module: (_remade, (name, source), _state_of(module)))
    outputs = namespace.get(f"{name}Outputs")
    if outputs is not None:
        copyreg.pickle(outputs, lambda values: (_remade_outputs, (name, source, *values)))
    return made


def _state_of(module: nn.Module) -> dict[str, Any]:
    state: dict[str, Any] = module.__getstate__()  # type: ignore[no-untyped-call]  # torch's own
    return state


def _remade(name: str, source: str) -> nn.Module:
    """An empty module of a generated class, for pickle and copy to fill."""
    made = _class_of(name, source)
    return made.__new__(made)


def _remade_outputs(name: str, source: str, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A generated class's named tuple."""
    outputs = _class_of(name, source).forward.__globals__[f"{name}Outputs"]
    result: tuple[torch.Tensor, ...] = outputs(*values)
    return result
