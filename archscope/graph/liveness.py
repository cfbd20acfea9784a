"""Which bytes are alive when: one inference, or one training step, of a graph under torch's eager execution.

Each op says what a call of it allocates, shares and keeps (its ``memory``); here those rules are played through in the
order in which Python and the autograd engine run them. The result is exact for the tensors that torch allocates; what
kernels take for themselves while they run, and what an allocator rounds up, is not in it.

A step in training: the optimizer's state is there, gradients of the step before are freed, the loss is the sum of the
heads' cross-entropies by their weights, outputs are let go once the loss is made, one batch of inputs and targets
stays. Sizes may be arrays: nothing here decides by a size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archscope.core.arithmetic import Size, agree, product
from archscope.core.records import ITEM_BYTES, Aux, InnerCall, MemoryRule, Setting
from archscope.graph.autograd import Call, Engine, Value
from archscope.graph.graph import Graph, Node
from archscope.graph.lifetimes import held_until, last_uses
from archscope.graph.storages import Storages


class Step(NamedTuple):
    """A moment at which something has been allocated, with the bytes that are alive besides what is always there.

    phase: ``forward``, ``loss`` or ``backward``. node: whose call it is, by index; for the loss the layer whose output
    it reads. input: the batch and its targets. saved: kept for backward. grads: gradients of parameters. transient: the
    rest.
    """

    phase: str
    node: int
    input: Size
    saved: Size
    grads: Size
    transient: Size

    @property
    def alive(self) -> Size:
        """All of it."""
        return self.input + self.saved + self.grads + self.transient


class Record(NamedTuple):
    """What one inference or training step does to memory.

    steps: in running order. saved: per node the bytes that it is the first to keep for backward; their sum is what is
    kept when the loss is made. The loss's own are those of the layer whose output it reads.
    """

    steps: tuple[Step, ...]
    saved: tuple[Size, ...]


def inference(graph: Graph, setting: Setting, *, ideal: bool = False) -> Record:
    """A forward pass without autograd. Auxiliary heads do not run.

    ideal: tensors die with their last use and pools make no indices, the least that this order of ops allows; else they
    live as long as Python holds them. An op without a memory rule is taken to allocate nothing.
    """
    held = last_uses(graph, training=False) if ideal else held_until(graph, training=False)
    run = _Run(graph, setting._replace(mode="eval"), held, records=False, ideal=ideal)
    run.forward()
    return Record(tuple(run.steps), ())


def training(graph: Graph, setting: Setting, *, new_sums: bool = False) -> Record:
    """Forward, loss and backward of one step, auxiliary heads included; the optimizer's part needs no simulation.

    new_sums: the autograd engine adds a second gradient to a first one in place if nobody else holds it; while a
    dispatch mode watches it, it makes a new sum. An op without a memory rule is taken to allocate nothing. Raises
    Unsupported where nothing is trainable.
    """
    run = _Run(graph, setting._replace(mode="train"), held_until(graph, training=True))
    run.forward()
    loss = run.loss()
    kept = run.storages.kept_by_node(len(graph.nodes))
    resident = setting.grads == "resident"
    sizes = [product(each.shape) * setting.item_bytes for each in graph.parameters]
    single = agree(graph.tensors[graph.inputs[0]].shape[:1], (1,))
    engine = Engine(run.storages, lambda node: run.mark("backward", node), sizes, single, new_sums, resident, run.users)
    engine.backward(loss)
    return Record(tuple(run.steps), kept)


_UNKNOWN = MemoryRule(out="view", grads="alias")
_LOG_SOFTMAX = MemoryRule(saved=("output",))
_NEGATIVE_LOG_LIKELIHOOD = MemoryRule(aux=(Aux("total_weight", 1),), saved=("input0", "targets", "total_weight"))


@dataclass(slots=True)
class _Run:
    """A forward pass while it is played through.

    values: by tensor. users: by parameter, how many calls use it. recorded: how
    many calls autograd has recorded.
    """

    graph: Graph
    setting: Setting
    held: Sequence[int]
    records: bool = True
    ideal: bool = False
    storages: Storages = field(default_factory=Storages)
    steps: list[Step] = field(default_factory=list)
    values: dict[int, Value] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)
    recorded: int = 0

    def mark(self, phase: str, node: int) -> None:
        self.steps.append(Step(phase, node, **self.storages.alive))

    def forward(self) -> None:
        """All nodes in running order, each tensor dropped when Python lets go of it."""
        for tensor in self.graph.inputs:
            size = self.bytes_of(tensor)
            self.values[tensor] = Value(self.storages.allocate(size, "input"), size)
        made = {tensor for node in self.graph.nodes for tensor in node.outputs}
        for tensor in set(range(len(self.graph.tensors))) - made - self.values.keys():
            # It is stored, a parameter or a constant that an op of a captured network reads: always there.
            self.values[tensor] = Value(self.storages.allocate(0), self.bytes_of(tensor))
        over: dict[int, list[int]] = {}
        for tensor, last in enumerate(self.held):
            over.setdefault(last, []).append(tensor)
        for index, node in enumerate(self.graph.nodes):
            if node.side and self.setting.mode != "train":
                continue
            self.node(index, node)
            for tensor in over.get(index, ()):
                self.storages.drop(self.values[tensor].storage)

    def bytes_of(self, tensor: int) -> Size:
        own = self.graph.tensors[tensor]
        return product(own.shape) * ITEM_BYTES.get(own.dtype, self.setting.item_bytes)

    def node(self, index: int, node: Node) -> None:
        rule = node.op.memory(*self.graph.shapes_in(node), setting=self.setting) or _UNKNOWN
        inputs = tuple(self.values[tensor] for tensor in node.inputs)
        if rule.calls:
            self.values[node.outputs[0]] = self.several(rule.calls, inputs, index)
            return
        trains = self.graph.parameters
        params = tuple(each for each in node.parameters.values() if trains[each].trainable)
        results = self.call(rule, inputs, [self.bytes_of(tensor) for tensor in node.outputs], index, params=params)
        self.values.update(zip(node.outputs, results, strict=True))

    def several(self, calls: Sequence[InnerCall], inputs: tuple[Value, ...], index: int) -> Value:
        """The calls that an op is made of; each result is dropped when nothing within the op holds it any more."""
        values = list(inputs)
        last = {at: number for number, call in enumerate(calls) for at in call.inputs}
        over: dict[int, list[int]] = {}
        for at, call in enumerate(calls[:-1], len(inputs)):
            over.setdefault(max(call.held, last[at]), []).append(at)
        for number, call in enumerate(calls):
            read = tuple(values[at] for at in call.inputs)
            values += self.call(call.rule, read, [call.elements * self.setting.item_bytes], index)
            for at in over.get(number, ()):
                self.storages.drop(values[at].storage)
        return values[-1]

    def call(
        self,
        rule: MemoryRule,
        inputs: tuple[Value, ...],
        sizes: Sequence[Size],
        node: int,
        *,
        params: tuple[int, ...] = (),
        stored: dict[str, int] | None = None,
        phase: str = "forward",
    ) -> list[Value]:
        """One call: its results, what it makes beside them, and with autograd what it keeps of these and ``stored``."""
        recorded = self.records and (bool(params) or any(value.maker is not None for value in inputs))
        if rule.out == "new":
            results = [self.storages.allocate(size) for size in sizes]
        else:
            results = [inputs[0].storage] * len(sizes)
            for storage in results:
                self.storages.hold(storage)
        made = {
            aux.name: self.storages.allocate(aux.elements * (aux.item_bytes or self.setting.item_bytes))
            for aux in rule.aux
            if not self.ideal and (recorded or not aux.recorded)
        }
        self.mark(phase, node)
        maker = None
        if recorded:
            named = {f"input{at}": value.storage for at, value in enumerate(inputs)} | made | (stored or {})
            saved = [value.storage for value in inputs] if "input" in rule.saved else []
            saved += [(named | {"output": results[0]})[name] for name in rule.saved if name in {*named, "output"}]
            maker = self.maker(rule, inputs, params, tuple(saved), node)
        for storage in made.values():
            self.storages.drop(storage)
        return [Value(storage, size, maker) for storage, size in zip(results, sizes, strict=True)]

    def maker(
        self, rule: MemoryRule, inputs: tuple[Value, ...], params: tuple[int, ...], saved: tuple[int, ...], node: int
    ) -> Call:
        for storage in saved:
            self.storages.keep(storage, node)
        for value in inputs:
            if value.maker is not None:
                value.maker.waiting += 1
        self.recorded += 1
        for param in params:
            self.users[param] = self.users.get(param, 0) + 1
        passing = rule.transient * self.setting.item_bytes
        return Call(self.recorded, node, rule, inputs, params, saved, passing)

    def loss(self) -> Value:
        """Cross-entropy of every head, weighted and added up; afterwards nothing holds the outputs any more."""
        shape = self.graph.tensors[self.graph.outputs[0].tensor].shape
        targets = self.storages.allocate(shape[0] * product(shape[2:]) * ITEM_BYTES["int64"], "input")
        makers = {tensor: index for index, node in enumerate(self.graph.nodes) for tensor in node.outputs}
        losses = []
        for output in self.graph.outputs:
            logits, node = self.values[output.tensor], makers[output.tensor]
            (likely,) = self.call(_LOG_SOFTMAX, (logits,), [logits.bytes], node, phase="loss")
            losses.append(self.scalar(_NEGATIVE_LOG_LIKELIHOOD, (likely,), node, targets))
            self.storages.drop(likely.storage)
            if output.loss_weight != 1:
                plain = losses.pop()
                losses.append(self.scalar(MemoryRule(), (plain,), node))
                self.storages.drop(plain.storage)
        total = losses[0]
        for other in losses[1:]:
            both = (total, other)
            total = self.scalar(MemoryRule(grads="alias"), both, makers[self.graph.outputs[0].tensor])
            for part in both:
                self.storages.drop(part.storage)
        for output in self.graph.outputs:
            self.storages.drop(self.values[output.tensor].storage)
        return total

    def scalar(self, rule: MemoryRule, inputs: tuple[Value, ...], node: int, targets: int = -1) -> Value:
        stored = {"targets": targets} if targets >= 0 else {}
        (result,) = self.call(rule, inputs, [self.setting.item_bytes], node, stored=stored, phase="loss")
        return result
