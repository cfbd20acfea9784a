"""Makes a module without allocating its weights: large tensors have no storage, small ones keep their values.

``torch.device("meta")`` alone is not enough: constructors look at small tensors of theirs (``.tolist()`` of a list of
widths, in torchvision's RegNets), and initialisations compute for seconds what nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from archscope.capturing.recorder import rebuilt
from archscope.capturing.restore import random_as_it_was
from archscope.capturing.standins import LARGEST_CONSTANT, twin


def built(factory: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a factory makes, with tensors of more than :data:`LARGEST_CONSTANT` elements on the meta device.

    The state of random generators stays as it was.
    """
    if any(isinstance(each, torch.Tensor | nn.Module) for each in (*args, *kwargs.values())):
        return factory(*args, **kwargs)
    with random_as_it_was(), WithoutWeights():  # type: ignore[no-untyped-call]  # torch's own
        return factory(*args, **kwargs)


class WithoutWeights(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """The mode that a module is made under."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Otherwise the first operator imports torch's compiler."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = _tensors_in((args, kwargs), [])
        if any(each.is_meta for each in tensors):
            if len(tensors) == 1 and func in _LEAVE_IT:
                return tensors[0]
            return _run(func, args, kwargs, [each if each.is_meta else twin(each) for each in tensors], "meta")
        if not tensors and _is_large(func, args, kwargs):
            return _run(func, args, kwargs, [], "meta")
        return _run(func, args, kwargs, tensors, "cpu")


_ATEN = torch.ops.aten
_LEAVE_IT = {
    _ATEN.normal_.default, _ATEN.uniform_.default, _ATEN.fill_.Scalar, _ATEN.zero_.default, _ATEN.mul_.Scalar,
    _ATEN.clamp_.default, _ATEN.erfinv_.default, _ATEN.add_.Scalar,
}  # fmt: skip
"""What changes values only: nothing is to be done to a tensor that has none."""


def _run(func: Any, args: Any, kwargs: Any, tensors: list[torch.Tensor], device: str) -> Any:
    its_args, its_kwargs = rebuilt((args, kwargs), iter(tensors), device)
    return func(*its_args, **its_kwargs)


def _is_large(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether a factory makes more than a constant may have; what cannot be made on the meta device is small."""
    sizes = args[0] if args and isinstance(args[0], list | tuple) else None
    if sizes is not None and all(type(size) is int for size in sizes):
        count = 1
        for size in sizes:
            count *= size
        return count > LARGEST_CONSTANT
    try:
        made = _run(func, args, kwargs, [], "meta")
    except (RuntimeError, NotImplementedError, TypeError):
        return False
    return any(each.numel() > LARGEST_CONSTANT for each in _tensors_in(made, []))


def _tensors_in(value: Any, found: list[torch.Tensor]) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        found.append(value)
    elif isinstance(value, dict):
        for each in value.values():
            _tensors_in(each, found)
    elif isinstance(value, list | tuple):
        for each in value:
            _tensors_in(each, found)
    return found
