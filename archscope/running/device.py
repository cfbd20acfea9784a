"""What the present GPU has."""

from __future__ import annotations

from archscope.core.errors import Problem, Unsupported, UsageError

DEVICES = ("auto", "cpu", "cuda")


def device_called(name: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` is the GPU where there is one.

    Raises UsageError for another name, and Unsupported for ``cuda`` where torch can use no GPU.
    """
    import torch

    if name not in DEVICES:
        raise UsageError(Problem("bad-value", f"device is {name!r}", expected=", ".join(DEVICES)))
    require_device(name)
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def require_device(name: str) -> None:
    """Raises Unsupported for ``cuda`` where torch can use no GPU."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise Unsupported(Problem("no-gpu", "there is no GPU that torch can use", help="--device cpu, or on the GPU"))


def free_bytes() -> int:
    """Bytes that are free on the present GPU. Raises Unsupported where there is none."""
    import torch

    if not torch.cuda.is_available():
        raise Unsupported(
            Problem("no-gpu", "there is no GPU whose free memory torch could ask for", help="--memory 8GiB")
        )
    free, _ = torch.cuda.mem_get_info()
    return int(free)
