"""What a network's tensors really take, measured without a model of it: every storage that an ATen call makes, until it
is freed, on tensors without data. A dispatch mode is seen by autograd, which then never adds gradients in place.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch
from torch._subclasses import FakeTensorMode
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from archscope.core.records import Setting
from archscope.graph.footprint import STEP, inference_course, training_course
from archscope.graph.graph import Graph
from archscope.targets.torch_module import module_of


class Measured(NamedTuple):
    """Bytes besides parameters, buffers and optimizer state.

    saved: what autograd keeps when the loss is made, and the batch with its targets.
    """

    inference_peak: int
    saved: int
    train_peak: int


def predicted(graph: Graph, dtype: str = "float32") -> Measured:
    """What the graph says of a CPU, gradients added up as a dispatch mode makes autograd do it."""
    batch = graph.tensors[graph.inputs[0]].shape[0]
    setting = Setting(batch, dtype=dtype, device="cpu", mode="train")
    step = training_course(graph, setting, new_sums=True)
    first = next(each for each in step.steps if each.phase == "backward")
    alive = [each.alive for each in step.steps if each.phase != STEP]
    return Measured(inference_course(graph, setting).peak.alive, first.input + first.saved, max(alive))


class Watch(TorchDispatchMode):
    """Adds up the storages that are alive; ``peak`` is the most there were after any call."""

    def __init__(self, known) -> None:
        super().__init__()
        self.alive = self.peak = 0
        self.seen: Any = weakref.WeakKeyDictionary()
        for tensor in known:
            self.seen[tensor.untyped_storage()] = 0

    def note(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage in self.seen:
            return
        size = storage.nbytes()
        self.seen[storage] = size
        self.alive += size
        weakref.finalize(storage, self.freed, size)

    def freed(self, size: int) -> None:
        self.alive -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out[:1] if is_inference_norm(func, args) else out):
            if isinstance(leaf, torch.Tensor):
                self.note(leaf)
        self.peak = max(self.peak, self.alive)
        return out


def is_inference_norm(func, args) -> bool:
    """Whether this is batch norm in inference: torch's kernel for meta tensors makes statistics, a CPU's does not."""
    return func is torch.ops.aten.native_batch_norm.default and not args[5]


def measured(graph: Graph, dtype: torch.dtype = torch.float32, *, fake: bool = False) -> Measured:
    """One inference and one training step of the built module, on meta tensors or, ten times slower, on fake ones."""
    with FakeTensorMode() if fake else torch.device("meta"):
        model = module_of(graph, dtype=dtype)
        shape = graph.tensors[graph.inputs[0]].shape
        known = [*model.parameters(), *model.buffers()]
        x = torch.empty(shape, dtype=dtype)
        model.eval()
        with torch.no_grad(), Watch(known) as watch:
            watch.note(x)
            model(x)
        inference_peak = watch.peak
        model.train()
        with Watch(known) as watch:
            watch.note(x)
            logits = graph.tensors[graph.outputs[0].tensor].shape
            target = torch.empty((shape[0], *logits[2:]), dtype=torch.int64)
            watch.note(target)
            loss = loss_of(model(x), target, graph)
            saved = watch.alive - loss.untyped_storage().nbytes()
            loss.backward()
    return Measured(inference_peak, saved, watch.peak)


def loss_of(outputs, target, graph: Graph):
    """Cross-entropy of every head, by its weight."""
    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [cross_entropy(head, target) for head in heads]
    total = losses[0]
    for number, output in enumerate(graph.outputs[1:], 1):
        total = total + (losses[number] if output.loss_weight == 1 else output.loss_weight * losses[number])
    return total
