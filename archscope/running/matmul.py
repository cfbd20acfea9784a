"""How fast this machine multiplies matrices: what the speed of a training is held against."""

from __future__ import annotations

import time

SIDES = {"cpu": 1024, "cuda": 8192}
SLOW_SIDE = 128
"""Of float16 on a CPU: one without instructions for it takes seconds for larger matrices."""
TIMES = 5


def matmul_peak(device: str, dtype: str = "float32") -> float:
    """FLOPs a second of the fastest of a few products of two square matrices, 2 × MACs."""
    import torch

    side = SLOW_SIDE if (device, dtype) == ("cpu", "float16") else SIDES[device]
    a = torch.rand(side, side, device=device).to(getattr(torch, dtype))
    fastest = float("inf")
    torch.mm(a, a)
    for _ in range(TIMES):
        _wait(device)
        since = time.perf_counter()
        torch.mm(a, a)
        _wait(device)
        fastest = min(fastest, time.perf_counter() - since)
    return 2 * side**3 / fastest


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
