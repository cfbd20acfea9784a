"""Memory of a real inference and a real training step, from the allocator: what predictions are held against.

On a CPU every allocation and release is taken from the profiler's events, not from a dispatch mode, which autograd
notices and behaves differently for. A block that is born and freed within one kernel is that kernel's own, and no
tensor of the network's: it is reported apart. On a GPU torch's own statistics give the bytes that were asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from archscope.core.records import Setting
from archscope.graph.graph import Graph

if TYPE_CHECKING:
    import torch


class Measured(NamedTuple):
    """Most bytes that were alive at once, in tensors and with what kernels took for themselves.

    Parameters, buffers, optimizer state and the batch are included.
    """

    inference_peak: int
    train_peak: int
    inference_with_kernels: int
    train_with_kernels: int


class _Block(NamedTuple):
    """One allocation or release: when, where, how many bytes (negative when freed), within which kernel."""

    time: int
    address: int
    size: int
    kernel: int


def measured(graph: Graph, setting: Setting) -> Measured:
    """Builds the network on the setting's device, and runs an inference and a second step of training.

    Raises Unsupported for a GPU that is not there, and for what the module target cannot build.
    """
    import torch

    from archscope.running.device import require_device
    from archscope.targets.torch_module import module_of

    require_device(setting.device)
    dtype = getattr(torch, setting.dtype)
    model = module_of(graph, device=setting.device, dtype=dtype)
    shape = graph.tensors[graph.inputs[0]].shape
    x = torch.rand(shape, device=setting.device).to(dtype)
    places = graph.tensors[graph.outputs[0].tensor].shape[2:]  # a class for each
    targets = torch.zeros((shape[0], *places), dtype=torch.int64, device=setting.device)
    optimizer = _optimizer(model, setting)

    def infer() -> None:
        with torch.no_grad(), _autocast(setting):
            model(x)

    def step() -> None:
        with _autocast(setting):
            loss = loss_of(model(x), targets, graph)
        torch.autograd.backward(loss)
        optimizer.step()

    peak = _peak_on_gpu if setting.device == "cuda" else _peak_on_cpu
    model.eval()
    infer()  # the first run of a kernel may prepare something
    stored = sum(each.nbytes for each in (*model.parameters(), *model.buffers()))
    inference = peak(infer, stored + x.nbytes)
    model.train()
    step()
    state = sum(each.nbytes for own in optimizer.state.values() for each in own.values() if _is_tensor(each))
    grads = sum(each.grad.nbytes for each in model.parameters() if each.grad is not None)
    resident = grads if setting.grads == "resident" else 0
    optimizer.zero_grad(set_to_none=not resident)
    training = peak(step, stored + state + resident + x.nbytes + targets.nbytes)
    return Measured(inference[0], training[0], inference[1], training[1])


def loss_of(outputs: torch.Tensor | tuple[torch.Tensor, ...], targets: torch.Tensor, graph: Graph) -> torch.Tensor:
    """Cross-entropy of every head, each by its weight."""
    from torch.nn.functional import cross_entropy

    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    total = cross_entropy(heads[0], targets)
    for head, output in zip(heads[1:], graph.outputs[1:], strict=True):
        own = cross_entropy(head, targets)
        total = total + (own if output.loss_weight == 1 else output.loss_weight * own)
    return total


def _optimizer(model: torch.nn.Module, setting: Setting) -> torch.optim.Optimizer:
    import torch

    chosen = setting.optimizer
    given: dict[str, Any] = {"weight_decay": chosen.weight_decay}
    if chosen.implementation:
        given |= {"foreach": chosen.implementation == "foreach", "fused": chosen.implementation == "fused"}
    if chosen.name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=1e-4, momentum=chosen.momentum, **given)
    kind = torch.optim.Adam if chosen.name == "adam" else torch.optim.AdamW
    return kind(model.parameters(), lr=1e-4, **given)


def _autocast(setting: Setting) -> torch.autocast:
    import torch

    low = getattr(torch, setting.amp) if setting.amp else None
    return torch.autocast(setting.device, dtype=low, enabled=bool(setting.amp))


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _peak_on_gpu(run: Callable[[], None], there: int) -> tuple[int, int]:  # noqa: ARG001  the statistics know it
    import torch

    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    run()
    torch.cuda.synchronize()
    most = int(torch.cuda.memory_stats()["requested_bytes.all.peak"])
    return most, most


def _peak_on_cpu(run: Callable[[], None], there: int) -> tuple[int, int]:
    """The most bytes of tensors, and of tensors and kernels, when ``there`` are there before and after."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # the profiler says on stderr that it starts and stops
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    results: Any = profiler.profiler
    blocks = sorted(_blocks(results.kineto_results.experimental_event_tree()))
    own = _born_and_freed_in_a_kernel(blocks)
    return there + _most(blocks, own), there + _most(blocks, set())


def _blocks(events: Any) -> Iterator[_Block]:
    """All allocations and releases of an event tree, each with the outermost kernel that it happens in."""
    from torch._C._profiler import _EventType

    waiting = [(event, 0) for event in events]
    kernels = 0
    while waiting:
        event, kernel = waiting.pop()
        if event.tag == _EventType.Allocation:
            yield _Block(event.start_time_ns, event.extra_fields.ptr, event.extra_fields.alloc_size, kernel)
        elif kernel == 0 and event.tag == _EventType.TorchOp and _is_kernel(event.name):
            kernels += 1
            kernel = kernels
        waiting += [(child, kernel) for child in event.children]


@cache
def _is_kernel(name: str) -> bool:
    """Whether an ATen op computes itself; others only call such ops, whose tensors are the network's."""
    from torch import _C

    known = _overloads().get(name, [])
    calls = _C._dispatch_has_kernel_for_dispatch_key  # noqa: SLF001  torch says it nowhere else
    return bool(known) and not all(calls(each, "CompositeImplicitAutograd") for each in known)


@cache
def _overloads() -> dict[str, list[str]]:
    """The full names of all ATen ops, by the name that the profiler gives."""
    from torch import _C

    found: dict[str, list[str]] = {}
    for name in _C._dispatch_get_all_op_names():  # noqa: SLF001  torch says it nowhere else
        if name.startswith("aten::") and not name.endswith("out"):  # which write to a tensor that is given
            found.setdefault(name.partition(".")[0], []).append(name)
    return found


def _born_and_freed_in_a_kernel(blocks: list[_Block]) -> set[int]:
    """Positions of the events of blocks that live within one kernel."""
    born: dict[int, int] = {}
    own: set[int] = set()
    for at, block in enumerate(blocks):
        if block.size > 0:
            born[block.address] = at
            continue
        start = born.pop(block.address, None)
        if start is not None and block.kernel and blocks[start].kernel == block.kernel:
            own |= {start, at}
    return own


def _most(blocks: list[_Block], without: set[int]) -> int:
    """The most bytes alive; what was there before and is freed does not count."""
    alive = most = 0
    known: set[int] = set()
    for at, block in enumerate(blocks):
        if at in without:
            continue
        if block.size > 0:
            known.add(block.address)
            alive += block.size
        elif block.address in known:
            known.remove(block.address)
            alive += block.size
        most = max(most, alive)
    return most
