"""What optimizers keep and what they need while they step, as torch.optim 2.14 does it."""

from __future__ import annotations

from collections.abc import Sequence

from archscope.core.arithmetic import Size, largest
from archscope.core.records import Optimizer

NAMES = ("sgd", "adam", "adamw")
IMPLEMENTATIONS = ("for-loop", "foreach", "fused")


def state_tensors(optimizer: Optimizer) -> int:
    """How many tensors of a parameter's size the optimizer keeps for it; step counters aside.

    >>> state_tensors(Optimizer("sgd", momentum=0)), state_tensors(Optimizer("sgd")), state_tensors(Optimizer("adam"))
    (0, 1, 2)
    """
    return (1 if optimizer.momentum else 0) if optimizer.name == "sgd" else 2


def temporary_elements(optimizer: Optimizer, device: str, params: Sequence[Size]) -> Size:
    """Elements that are allocated besides at the worst moment of a step over parameters of these sizes, in order.

    ``fused`` needs none. ``foreach`` makes each temporary for all parameters at once. ``for-loop`` makes it for one,
    and Python holds the one of the parameter before until it is replaced.

    >>> temporary_elements(Optimizer("adam"), "cpu", [10, 4])
    20
    >>> temporary_elements(Optimizer("adam"), "cuda", [10, 4])
    14
    """
    implementation = optimizer.implementation or ("foreach" if device == "cuda" else "for-loop")
    decayed = bool(optimizer.weight_decay) and optimizer.name != "adamw"  # a copy of the gradient, with the decay added
    if implementation == "fused":
        return 0
    if implementation == "foreach":
        return sum(params) if decayed or optimizer.name != "sgd" else 0
    worst: Size = 0
    before: Size = 0
    for size in params:
        if optimizer.name == "sgd":
            worst = largest(worst, size * decayed)
        else:
            # The denominator of the parameter before, the decayed gradient, a square root and its quotient.
            worst = largest(worst, before + size * (2 + decayed))
            before = size
    return worst
