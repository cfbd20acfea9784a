"""What is trained: the module of a network for the classes of some data, and its graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.api import modules
from archscope.api.networks import Network, load
from archscope.core.errors import Problem, ShapeError, UsageError
from archscope.core.records import pair
from archscope.graph import lowering
from archscope.graph.graph import Graph
from archscope.ops.adaptiveavgpool import AdaptiveAvgPool
from archscope.ops.avgpool import AvgPool
from archscope.ops.fc import FC
from archscope.spec.network import Layer, Spec, mapped
from archscope.spec.options import Changes, options, with_example
from archscope.studies.smallest_input import explained

if TYPE_CHECKING:
    from torch import nn


class Trainee(NamedTuple):
    """What is trained. address: as it was given; changes: to a table's network, with the input's size among them.

    spec: None for a module of the user's. example: of a module's input, as it was given. module: None until it is made.
    """

    name: str
    address: str
    changes: dict[str, Any]
    input_shape: tuple[int, int, int]
    spec: Spec | None
    module: nn.Module | None = None
    example: Any = None

    def graph(self, batch: int) -> Graph:
        """Its graph in training, for a batch."""
        if self.spec is not None:
            return lowering.lower(self.spec, batch)
        return modules.capture(self.module, self.example, batch=batch, mode="train")

    def made(self, device: Any = None) -> nn.Module:
        """The module, a table's as torch initialises it."""
        if self.module is not None:
            return self.module
        from archscope.targets.torch_module import module_of

        return module_of(self.graph(2), device=device)


def trainee(
    network: Network | Any,
    *,
    classes: int,
    changes: Mapping[str, Any] | None = None,
    input: Any = None,  # noqa: A002  as load has it
) -> Trainee:
    """What is trained of a network, for so many classes.

    network: what load takes, a module or its address. A network that ends in features gets a linear layer behind them.
    Where average pools do not fit a smaller input, all of them become adaptive, to the size that they have at the
    table's own input, as torchvision has them. A module has its own classes.

    Raises what load and capture raise, and UsageError for an input that is no picture.
    """
    chosen = dict(changes or {})
    address = network if isinstance(network, str) else type(network).__name__
    if modules.is_module(network):
        return _of_module(network, address, chosen, input)
    if isinstance(input, Sequence) and input and isinstance(input[0], str):
        changed = with_example(options(chosen), list(input))
        chosen |= {"input_size": changed.input_size, "in_channels": changed.in_channels}
    size = chosen.get("input_size")
    known: Changes = {**chosen, "input_size": None, "softmax": False}  # type: ignore[typeddict-item]  # load checks them
    told: Changes = {**known, "num_classes": classes}
    spec = load(network, **known)
    spec = _with_classifier(spec, classes) if spec.headless else load(network, **told)
    spec = _at(spec, size)
    found = "×".join(map(str, spec.input_shape))
    if len(spec.input_shape) != 3:
        raise UsageError(Problem("no-picture", f"{spec.name} takes {found}, and is trained on pictures"))
    name = spec.name
    shape = (spec.input_shape[0], spec.input_shape[1], spec.input_shape[2])
    return Trainee(name, address, {key: value for key, value in chosen.items() if value is not None}, shape, spec)


def _of_module(network: Any, address: str, changes: dict[str, Any], example: Any) -> Trainee:
    modules.refuse_changes(network, changes)
    from archscope.capturing.examples import example_for

    module, name, title = modules.made(network, real=True)
    known = example_for(module, example, title or name)
    graph = modules.capture(module, known, batch=2, mode="train")
    shapes = [graph.tensors[index].shape[1:] for index in graph.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        taken = ", ".join("×".join(map(str, shape)) for shape in shapes)
        raise UsageError(Problem("no-picture", f"{name} takes {taken}, and is trained on pictures"))
    shape = (shapes[0][0], shapes[0][1], shapes[0][2])
    return Trainee(name, address, {}, shape, None, module, known)


def _with_classifier(spec: Spec, classes: int) -> Spec:
    """The network with a linear layer to the classes behind its features."""
    last = Layer(FC(classes), name="classifier", module="classifier", text=f"FC-{classes}", follows=())
    root = spec.root._replace(items=(*spec.root.items, last))
    words = f"a linear layer to {classes} classes behind its features"
    return replace(spec, root=root, headless=False, changes=(*spec.changes, words))


def _at(spec: Spec, size: Any) -> Spec:
    """The network at another input size, its average pools fitted to it where they must be."""
    if size is None or tuple(pair(size)) == tuple(spec.input_shape[1:]):
        return spec
    height, width = pair(size)
    words = f"input_size={height}×{width}"
    resized = replace(spec, input_shape=(spec.input_shape[0], height, width), changes=(*spec.changes, words))
    try:
        lowering.lower(resized)
    except ShapeError as error:
        pooled = _with_fitted_pools(spec)
        if pooled is None:
            raise _with_smallest(error, spec, (height, width)) from error
        changes = (*spec.changes, words, "average pools adaptive")
        resized = replace(pooled, input_shape=resized.input_shape, changes=changes)
        try:
            lowering.lower(resized)
        except ShapeError as still:
            raise _with_smallest(still, pooled, (height, width)) from still
    return resized


def _with_smallest(error: ShapeError, spec: Spec, size: tuple[int, int]) -> ShapeError:
    """The error, with the smallest input that works."""
    channels, *own = spec.input_shape

    def make(square: tuple[int, int]) -> Graph:
        return lowering.lower(replace(spec, input_shape=(channels, *square)))

    return explained(error, size, min(own), make)


def _with_fitted_pools(spec: Spec) -> Spec | None:
    """The network with adaptive average pools; None where it has none that could be."""
    graph = lowering.lower(spec)
    sizes = {id(node.op): graph.shape_out(node)[2:] for node in graph.nodes if _is_open(node.op)}
    if not sizes:
        return None

    def fitted(layer: Layer) -> tuple[Layer]:
        size = sizes.get(id(layer.op))
        return (layer._replace(op=AdaptiveAvgPool((size[0], size[1]))) if size is not None else layer,)

    return replace(spec, root=mapped(spec.root, fitted))


def _is_open(op: object) -> bool:
    """Whether it is an average pool without padding: one with keeps the size, and fits any."""
    return isinstance(op, AvgPool) and op.window.padding == (0, 0)
