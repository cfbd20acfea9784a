"""Which op a call of a torch operator is, and what it makes: worked out once per operator and shapes, and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from archscope.core.arithmetic import Shape
from archscope.core.errors import ShapeError
from archscope.core.records import Seen, Tensor
from archscope.ops import Op, everything
from archscope.ops.unknown import Unknown


class Made(NamedTuple):
    """An output: its shape, strides and type, which tensor argument's storage it lies in, and whether it is that one.

    source is -1 for an output with a storage of its own.
    """

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    source: int = -1
    same: bool = False


class Plan(NamedTuple):
    """What is done about a call.

    op: None where nothing is worth noting: a tensor returned as it is, constants made of constants. names: per tensor
    argument its name. weights: per tensor argument the op's name for it, None for an input. made: the outputs. form:
    ``one`` tensor, a ``tuple`` or a ``list`` of them, ``other``. run: whether torch must make them each time, since
    views share a storage. parts: it is recorded as the operators that it is composed of. constant: no argument is or
    comes from an input or a parameter. writes: the arguments that it overwrites.
    """

    op: Op | None
    names: tuple[str, ...] = ()
    weights: tuple[str | None, ...] = ()
    made: tuple[Made, ...] = ()
    form: str = "one"
    run: bool = True
    parts: bool = False
    constant: bool = False
    writes: tuple[str, ...] = ()


@cache
def capturing() -> dict[str, list[type[Op]]]:
    """The op classes by what they capture; those that a cell can spell come first, the general ones last."""
    found: dict[str, list[type[Op]]] = {}
    for op in sorted(everything(), key=lambda each: each.notation is None):
        for name in op.captures:
            found.setdefault(name, []).append(op)
    return found


@cache
def name_of(func: Any) -> str:
    """``conv2d`` for ATen's operators, ``torchvision::nms`` for others."""
    name: str = func._schema.name  # noqa: SLF001  the only place where an operator says its name
    return name.removeprefix("aten::")


@cache
def parameters_of(func: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default and whether it is written to, of each argument of an operator."""
    return tuple(
        (each.name, each.default_value, each.alias_info is not None and each.alias_info.is_write)
        for each in func._schema.arguments  # noqa: SLF001  as above
    )


def seen(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], run: Callable[[], tuple[Tensor, ...]]) -> Seen:
    """The call as ops look at it."""
    arguments: dict[str, Any] = {}
    changed = []
    for number, (name, default, written) in enumerate(parameters_of(func)):
        value = args[number] if number < len(args) else kwargs.get(name, default)
        arguments[name] = plain(value)
        changed += [name] if written else []
    tags = func.tags
    return Seen(
        name_of(func), arguments, run, torch.Tag.pointwise in tags, torch.Tag.reduction in tags, func.is_view,
        tuple(changed),
    )  # fmt: skip


def plain(value: Any) -> Any:
    """An argument without torch: tensors as records, types by their names."""
    if isinstance(value, torch.Tensor):
        return record(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return dtype_name(value) if isinstance(value, torch.dtype) else value


def record(tensor: torch.Tensor) -> Tensor:
    """A tensor as a record: what it is, and where it lies."""
    storage = tensor.untyped_storage()._cdata  # noqa: SLF001  the identity of a storage has no other name
    return Tensor(tuple(tensor.shape), dtype_name(tensor.dtype), storage)


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def op_of(call: Seen) -> Op | None:
    """The op that a call is; None where no op captures it."""
    classes = capturing()
    names = [call.name, *(kind for kind in ("view", "pointwise", "reduction") if getattr(call, kind))]
    for name in names:
        for kind in classes.get(name, ()):
            found = kind.captured(call)
            if found is not None:
                return found
    return None


def unknown(call: Seen) -> Op:
    """The op that stands for an operator which no op captures: its counts are missing, and it is named."""
    return Unknown(call.name, tuple(each.shape for each in call.run()))


def names_of(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, ...]:
    """The names of all tensor arguments, in the order in which they were given: ``input``, ``tensors.0``."""
    names = [name for name, _, _ in parameters_of(func)]
    found: list[str] = []
    for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
        if isinstance(value, torch.Tensor):
            found.append(name)
        elif isinstance(value, list | tuple):
            found += [f"{name}.{at}" for at, each in enumerate(value) if isinstance(each, torch.Tensor)]
    return tuple(found)


def weights_of(op: Op, names: tuple[str, ...], call: Seen) -> tuple[str | None, ...]:
    """Per tensor argument what the op calls it if it is a weight or buffer of the op; None for an input."""
    listed = [name for name in names if "." in name and name.partition(".")[0] in op.stores]
    if not listed:
        return tuple(name if name in op.stores else None for name in names)
    own = iter(op.weights(*(each.shape for each in call.tensors())))  # all of them are one list, in the op's own order
    return tuple(next(own) if name in listed else None for name in names)


def mixes_types(op: Op, weights: tuple[str | None, ...], tensors: list[torch.Tensor]) -> bool:
    """Whether a layer's input and weight are of different types: torch refuses that, though not on the meta device."""
    types = [each.dtype for each, weight in zip(tensors, weights, strict=True) if weight in {None, "weight"}]
    return op.weight_layer and len(set(types)) > 1


def is_composed(func: Any) -> bool:
    """Whether torch defines an operator as a composition of others."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001  torch says it nowhere else
    return bool(func.has_kernel_for_dispatch_key(key))


@cache
def depends_on_values(func: Any) -> bool:
    """Whether the shape of what an operator returns, or that it is a number, may depend on values."""
    tagged = torch.Tag.dynamic_output_shape in func.tags or torch.Tag.data_dependent_output in func.tags
    return tagged or str(func) in _UNTAGGED


_UNTAGGED = {"aten.where.default", "aten.nonzero_numpy.default", "torchvision.nms.default"}
"""Operators that torch does not mark, though they return as much as their values say."""


def for_constants(call: Seen, func: Any, args: Any, kwargs: Any) -> Plan:
    """The plan for a call that only sees constants: it is noted if it is a matrix product, and nothing else is."""
    names = names_of(func, args, kwargs)
    op = None if depends_on_values(func) else op_of(call)
    counted = op is not None and op.macs(*(each.shape for each in call.tensors())) != 0
    if not counted or call.changed:
        return Plan(None, names, (None,) * len(names), constant=True)
    made = tuple(Made(each.shape, (), torch.float32) for each in call.run())
    return Plan(op, names, (None,) * len(names), made, constant=True)


def inferred(
    op: Op, call: Seen, names: tuple[str, ...], weights: tuple[str | None, ...], tensors: list[torch.Tensor]
) -> Made | None:
    """The output as the op's own rule has it; None where torch must be asked: for layouts, for errors in its words."""
    if not op.infers or not tensors or not (op.packs or all(each.is_contiguous() for each in tensors)):
        return None
    shapes = [tuple(each.shape) for each, weight in zip(tensors, weights, strict=True) if weight is None]
    try:
        shape = op.out_shape(*shapes)
        own = op.weights(*shapes) | {name: its for name, (its, _) in op.buffers(*shapes).items()}
    except (ShapeError, IndexError, ValueError):
        return None
    first = tensors[0]
    for tensor, weight in zip(tensors, weights, strict=True):
        if weight is not None and (own.get(weight) != tuple(tensor.shape) or tensor.dtype != first.dtype):
            return None
    written = names.index(call.changed[0]) if call.changed else -1
    if written >= 0 and shape != tuple(tensors[written].shape):
        return None
    return Made(shape, _contiguous(shape), first.dtype, written, written >= 0)


def observed(
    func: Any, op: Op, call: Seen, names: tuple[str, ...], weights: tuple[str | None, ...], result: Any, tensors: Any
) -> Plan:
    """The plan for a call that torch has carried out once."""
    outputs = [result] if isinstance(result, torch.Tensor) else list(result) if isinstance(result, list | tuple) else []
    plain_ones = [each for each in outputs if isinstance(each, torch.Tensor)]
    made = tuple(_made(each, tensors) for each in plain_ones)
    form = "one" if isinstance(result, torch.Tensor) else "list" if isinstance(result, list) else "tuple"
    if len(plain_ones) != len(outputs) or not outputs:
        form = "other"
    as_it_was = call.view and all(each.same for each in made)
    shares = any(each.source >= 0 and not each.same for each in made) or torch.Tag.inplace_view in func.tags
    noted = None if as_it_was or not made else op
    return Plan(noted, names, weights, made, form, shares or form == "other", writes=call.changed)


def _made(output: torch.Tensor, tensors: list[torch.Tensor]) -> Made:
    storage = output.untyped_storage()._cdata  # noqa: SLF001  the identity of a storage has no other name
    source = next((n for n, each in enumerate(tensors) if each is output), -1)
    same = source >= 0
    if not same:
        stored = enumerate(each.untyped_storage()._cdata for each in tensors)  # noqa: SLF001  as above
        source = next((n for n, each in stored if each == storage), -1)
    return Made(tuple(output.shape), output.stride(), output.dtype, source, same)


def _contiguous(shape: Shape) -> tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(1, size)
    return tuple(reversed(strides))
