"""Numbers in cells that stand for many at once: compiled as names, which get their sizes, arrays, afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from archscope.core.arithmetic import Size, require
from archscope.core.expression import Expression, Name, Operation, bind, names
from archscope.ops import Op
from archscope.ops.conv import Conv
from archscope.ops.fc import FC
from archscope.spec.network import Layer, Spec, mapped
from archscope.spec.notation import LARGEST
from archscope.spec.template import VARIED

_OUTPUTS: dict[type[Op], str] = {Conv: "out_channels", FC: "out_features"}
"""Per op the field that may hold many sizes: the channels that it makes."""


def name_of(number: int) -> str:
    """What stands for a number in the text of a cell: ``conv3-{varied0}``."""
    return f"{VARIED}{number}"


def with_sizes(spec: Spec, sizes: Mapping[str, Size]) -> Spec:
    """The spec with sizes for some names. A size that no cell may hold raises ShapeError, or is an unusable point."""
    return replace(spec, root=mapped(spec.root, lambda layer: (_with_sizes(layer, sizes),))) if sizes else spec


def holds_only_outputs(spec: Spec, name: str) -> bool:
    """Whether a name stands for channels that layers make, and for nothing else: then it may have many sizes."""
    found = False
    for layer in spec.layers():
        field = _OUTPUTS.get(type(layer.op), "")
        for each in fields(layer.op):
            value = getattr(layer.op, each.name)
            parts = value if isinstance(value, tuple) else (value,)
            if any(isinstance(part, Name | Operation) and name in names(part) for part in parts):
                found = True
                if each.name != field:
                    return False
    return found


def _with_sizes(layer: Layer, sizes: Mapping[str, Size]) -> Layer:
    field = _OUTPUTS.get(type(layer.op), "")
    value = getattr(layer.op, field) if field else None
    if not isinstance(value, Name | Operation) or not names(value) & set(sizes):
        return layer
    return layer._replace(op=replace(layer.op, **{field: _worked_out(value, sizes)}))


def _worked_out(value: Expression, sizes: Mapping[str, Size]) -> Expression:
    size = bind(value, sizes)
    if not isinstance(size, Name | Operation):
        require(size >= 1, lambda: f"{value} is {size} here, and a size is at least 1")
        require(size <= LARGEST, lambda: f"{value} is {size} here, and a size is at most {LARGEST:,}")
    return size
