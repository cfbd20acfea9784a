"""What the present GPU has."""

from __future__ import annotations

from archscope.core.errors import Problem, Unsupported


def free_bytes() -> int:
    """Bytes that are free on the present GPU. Raises Unsupported where there is none."""
    import torch

    if not torch.cuda.is_available():
        raise Unsupported(Problem("no-gpu", "there is no GPU that torch can use", help="say how much: --memory 8GiB"))
    free, _ = torch.cuda.mem_get_info()
    return int(free)
