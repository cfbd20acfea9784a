"""The largest that a result can be whose size depends on values: what ``upper_bound`` assumes, and says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from archscope.capturing import plans


def largest(func: Any, args: tuple[Any, ...]) -> tuple[Any, str] | None:
    """What an operator returns at most, on meta tensors, and that in words; None where its size is known after all."""
    name = plans.name_of(func)
    if name in {"nonzero", "nonzero_numpy"} or (name == "where" and len(args) == 1):
        return _nonzero(name, args[0])
    if name == "masked_select":
        count = torch.broadcast_shapes(args[0].shape, args[1].shape).numel()  # type: ignore[no-untyped-call]
        return args[0].new_empty((count,)), f"all {count:,} elements are selected"
    if name in {"_unique2", "_unique", "unique_dim", "unique_consecutive"}:
        return _unique(name, args[0])
    if name == "torchvision::nms":
        count = len(args[0])
        return torch.empty((count,), dtype=torch.int64, device="meta"), f"none of {count:,} boxes is suppressed"
    if name == "index" and any(_is_mask(each) for each in args[1] or ()):
        return _indexed(func, *args)
    return None


def _nonzero(name: str, mask: torch.Tensor) -> tuple[Any, str]:
    words = f"none of {mask.numel():,} elements is zero"
    if name == "nonzero":
        return torch.empty((mask.numel(), mask.dim()), dtype=torch.int64, device="meta"), words
    return [torch.empty((mask.numel(),), dtype=torch.int64, device="meta") for _ in range(mask.dim())], words


def _unique(name: str, values: torch.Tensor) -> tuple[Any, str]:
    count = values.numel() if name != "unique_dim" else len(values)
    kept = values.new_empty((count,) if name != "unique_dim" else values.shape)
    places = torch.empty(values.shape if name != "unique_dim" else (count,), dtype=torch.int64, device="meta")
    counts = torch.empty((count,), dtype=torch.int64, device="meta")
    words = f"all {count:,} elements differ"
    return ((kept, places) if name == "_unique" else (kept, places, counts)), words


def _indexed(func: Any, values: torch.Tensor, indices: list[torch.Tensor | None]) -> tuple[Any, str]:
    """Each mask selects everything: it acts like as many lists of places as it has axes."""
    places: list[torch.Tensor | None] = []
    count = 0
    for each in indices:
        if each is not None and _is_mask(each):
            count = each.numel()
            places += [torch.empty((count,), dtype=torch.int64, device="meta") for _ in range(each.dim())]
        else:
            places.append(each)
    return func(values, places), f"a mask selects all of {count:,} elements"


def _is_mask(index: torch.Tensor | None) -> bool:
    return index is not None and index.dtype in {torch.bool, torch.uint8}


@contextmanager
def without_loops_over_boxes() -> Iterator[None]:
    """While this lasts, torchvision suppresses the boxes of all classes at once, not class by class in Python."""
    boxes: Any = sys.modules.get("torchvision.ops.boxes")
    if boxes is None:
        yield
        return
    original = boxes._batched_nms_vanilla  # noqa: SLF001  the loop is in there
    boxes._batched_nms_vanilla = boxes._batched_nms_coordinate_trick  # noqa: SLF001  its own other way
    try:
        yield
    finally:
        boxes._batched_nms_vanilla = original  # noqa: SLF001  as above
