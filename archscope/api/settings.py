"""What a number depends on besides the network, checked: batch, types, optimizer, device."""

from __future__ import annotations

from archscope.core.errors import Problem, UsageError
from archscope.core.records import ITEM_BYTES, Optimizer, Setting
from archscope.graph.optimizers import IMPLEMENTATIONS, NAMES

MODES = ("eval", "train")
DEVICES = ("cuda", "cpu")
GRADS = ("none", "resident")
FLOATS = ("float32", "float16", "bfloat16", "float64")
AMP = ("bfloat16", "float16")


def checked_setting(batch: int, dtype: str = "float32", mode: str = "eval") -> Setting:
    """The setting of a profile. Raises UsageError where it makes no sense."""
    if not isinstance(batch, int) or batch < 1:
        raise UsageError(Problem("bad-value", f"batch is {batch!r}", expected="a whole number from 1 on"))
    _among("dtype", dtype, tuple(ITEM_BYTES))
    _among("mode", mode, MODES)
    return Setting(batch, dtype, mode)


def training_setting(
    batch: int,
    *,
    dtype: str = "float32",
    amp: str = "",
    device: str = "cuda",
    grads: str = "none",
    optimizer: Optimizer | None = None,
    trains: bool = True,
) -> Setting:
    """The setting of a training step; without ``trains`` of an inference, which may have any type.

    Raises UsageError where it makes no sense.
    """
    setting = checked_setting(batch, dtype, "train")
    if trains:
        _among("dtype", dtype, FLOATS)
    _among("device", device, DEVICES)
    _among("grads", grads, GRADS)
    if amp:
        _among("amp", amp, AMP)
        if dtype != "float32":
            message = f"dtype is {dtype!r}: mixed precision keeps its parameters in float32"
            raise UsageError(Problem("bad-value", message, help=f"either amp={amp!r} or dtype={dtype!r}"))
    return setting._replace(amp=amp, device=device, grads=grads, optimizer=optimizer or Optimizer())


def checked_optimizer(
    name: str = "sgd", momentum: float | None = None, weight_decay: float = 0.0, implementation: str = ""
) -> Optimizer:
    """An optimizer with torch.optim's names; SGD has momentum 0.9 unless told otherwise. Raises UsageError."""
    _among("optimizer", name, NAMES)
    if implementation:
        _among("implementation", implementation, IMPLEMENTATIONS)
    if name != "sgd" and momentum is not None:
        raise UsageError(Problem("bad-value", f"{name} has no momentum to set", help="sgd has"))
    for what, value in (("momentum", momentum), ("weight_decay", weight_decay)):
        if value is not None and not 0 <= value < 1:
            raise UsageError(Problem("bad-value", f"{what} is {value!r}", expected="0 up to, not including, 1"))
    if name != "sgd":
        return Optimizer(name, 0.0, weight_decay, implementation)
    return Optimizer(name, 0.9 if momentum is None else momentum, weight_decay, implementation)


def _among(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(Problem("bad-value", f"{what} is {value!r}", expected=", ".join(known)))
