"""What the present GPU has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

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


def available_bytes(device: str) -> int | None:
    """Bytes that tensors could take on a device; None where the system does not say it. Raises as free_bytes does."""
    if device == "cuda":
        return free_bytes()
    found = [each for each in (_available(), _left_in_group()) if each is not None]
    return min(found, default=None)


def _available() -> int | None:
    """Memory that Linux can give without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def _left_in_group() -> int | None:
    """Memory that the control group of a container has left; None without a limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return None
    return int(limit) - int(used) if limit.isdecimal() else None


def used_bytes(device: str) -> int | None:
    """Most bytes of this process so far: of tensors on a GPU, else of everything; None where nobody says it."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers on the CPU from a seed; afterwards they go on as if nothing had been."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
