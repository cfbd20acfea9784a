"""A forward pass while it is played through: what each call allocates, shares, keeps for backward and lets go of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from archscope.core.arithmetic import Size, product
from archscope.core.records import ITEM_BYTES, Aux, InnerCall, MemoryRule, Setting
from archscope.graph.autograd import Call, Value
from archscope.graph.graph import Graph, Node, Output
from archscope.graph.storages import Storages

_NO_PARAMS: Mapping[str, int] = MappingProxyType({})
_UNKNOWN = MemoryRule(grads="alias")
_CAST = MemoryRule()
_LOG_SOFTMAX = MemoryRule(saved=("output",), autocast="float32")
_NEGATIVE_LOG_LIKELIHOOD = MemoryRule(
    aux=(Aux("total_weight", 1),), saved=("input0", "targets", "total_weight"), autocast="float32"
)


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


@dataclass(slots=True)
class Run:
    """The state of a forward pass.

    held: per tensor how long Python holds it. records: whether autograd does. ideal: no call makes anything beside its
    result. values: by tensor. users: by parameter, how many calls use it. recorded: how many calls autograd has
    recorded. cache: by parameter its copy in the type that autocast computes in, kept until autocast ends. targets:
    their storage.
    """

    graph: Graph
    setting: Setting
    held: Sequence[int]
    records: bool = True
    ideal: bool = False
    phase: str = "forward"
    storages: Storages = field(default_factory=Storages)
    steps: list[Step] = field(default_factory=list)
    values: dict[int, Value] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)
    recorded: int = 0
    cache: dict[int, Value] = field(default_factory=dict)
    targets: int = -1

    def take_targets(self) -> None:
        """The targets, a class for each place of the output: they come with the batch."""
        shape = self.graph.tensors[self.graph.outputs[0].tensor].shape
        size = shape[0] * product(shape[2:]) * ITEM_BYTES["int64"]
        self.targets = self.storages.allocate(size, "input")

    def mark(self, node: int) -> None:
        """Notes what is alive."""
        self.steps.append(Step(self.phase, node, **self.storages.alive))

    def forward(self) -> None:
        """All nodes in running order, each tensor dropped when Python lets go of it."""
        for tensor in self.graph.inputs:
            size = product(self.graph.tensors[tensor].shape) * self.item_of(tensor)
            self.values[tensor] = Value(self.storages.allocate(size, "input"), size)
        made = {tensor for node in self.graph.nodes for tensor in node.outputs}
        for tensor in set(range(len(self.graph.tensors))) - made - self.values.keys():
            # It is stored, a parameter or a constant that an op of a captured network reads: always there.
            size = product(self.graph.tensors[tensor].shape) * self.item_of(tensor)
            self.values[tensor] = Value(self.storages.allocate(0), size)
        over: dict[int, list[int]] = {}
        for tensor, last in enumerate(self.held):
            over.setdefault(last, []).append(tensor)
        for index, node in enumerate(self.graph.nodes):
            if node.side and self.setting.mode != "train":
                continue
            self.node(index, node)
            for tensor in over.get(index, ()):
                self.storages.drop(self.values[tensor].storage)

    def item_of(self, tensor: int) -> int:
        """Bytes of an element as the network was written, without autocast."""
        return ITEM_BYTES.get(self.graph.tensors[tensor].dtype, self.setting.item_bytes)

    def node(self, index: int, node: Node) -> None:
        """Runs a node: one call, or those that its op is made of. One without a memory rule allocates nothing."""
        rule = node.op.memory(*self.graph.shapes_in(node), setting=self.setting)
        inputs = tuple(self.values[tensor] for tensor in node.inputs)
        if rule is not None and rule.calls and not self.ideal:
            self.values[node.outputs[0]] = self.several(rule.calls, inputs, index)
            return
        tensors = self.graph.tensors
        sizes = [(product(tensors[each].shape), ITEM_BYTES.get(tensors[each].dtype, 0)) for each in node.outputs]
        if rule is None:  # whatever it does, it needs no less than nothing
            rule, sizes = _UNKNOWN, [(0, 0)] * len(sizes)
        results = self.call(rule, inputs, sizes, index, node.parameters)
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
            values += self.call(call.rule, read, [(call.elements, 0)], index)
            for at in over.get(number, ()):
                self.storages.drop(values[at].storage)
        return values[-1]

    def call(
        self,
        rule: MemoryRule,
        inputs: tuple[Value, ...],
        sizes: Sequence[tuple[Size, int]],
        node: int,
        params: Mapping[str, int] = _NO_PARAMS,
        targets: int = -1,
    ) -> list[Value]:
        """One call: allocates its results and what it makes beside them, and with autograd keeps what the rule says.

        sizes: elements of each result, and bytes of one where autocast has no say in them.
        """
        low = self.is_low(rule, inputs)
        trained = tuple(each for each in params.values() if self.graph.parameters[each].trainable)
        own = [name for name in params if name in {"weight", "bias"}] if low and rule.autocast else []
        # Arguments are cast from the last to the first, so that backward converts the input's gradient first.
        weights = {name: self.low_param(params[name], node) for name in reversed(own)}
        trained = () if weights else trained
        read, copies = self.cast(rule, inputs, node, low=low)
        read = (*read, *weights.values())
        copies += [weights[name].storage for name in own if params[name] not in self.cache]
        item = 2 if low else self.setting.item_bytes
        bytes_of = [elements * (fixed or item) for elements, fixed in sizes]
        recorded = self.records and (bool(trained) or any(value.maker is not None for value in read))
        results = self.results(rule, read, bytes_of)
        made = {
            aux.name: self.storages.allocate(aux.elements * (aux.item_bytes or item))
            for aux in rule.aux
            if not self.ideal and (recorded or not aux.recorded)
        }
        self.mark(node)
        maker = None
        if recorded:
            named = {f"input{at}": value.storage for at, value in enumerate(read)} | made | {"output": results[0]}
            named |= {f"output{at}": storage for at, storage in enumerate(results)}
            named |= {name: value.storage for name, value in weights.items()} | {"targets": targets}
            saved = [value.storage for value in read] if "input" in rule.saved else []
            names = self.factors(rule, read, params) if rule.factors else rule.saved
            saved += [named[name] for name in names if named.get(name, -1) >= 0]
            maker = self.record(rule, read, trained, tuple(saved), node, rule.transient * item, low=low)
        for storage in (*made.values(), *copies):
            self.storages.drop(storage)
        return [Value(storage, size, maker, low) for storage, size in zip(results, bytes_of, strict=True)]

    def factors(self, rule: MemoryRule, inputs: tuple[Value, ...], params: Mapping[str, int]) -> tuple[str, ...]:
        """Which of the factors are kept. A parameter under another name is one of the inputs, in a captured network."""
        wanted = {name for name, index in params.items() if self.graph.parameters[index].trainable}
        stored = bool(wanted - {"weight", "bias"})
        wanted |= {f"input{at}" for at, value in enumerate(inputs) if stored or value.maker is not None}
        return tuple(name for name in rule.saved if any(other in wanted for other in rule.saved if other != name))

    def results(self, rule: MemoryRule, inputs: tuple[Value, ...], sizes: Sequence[Size]) -> list[int]:
        """The storages of results: new ones, or the first input's."""
        if rule.out == "new":
            return [self.storages.allocate(size) for size in sizes]
        for _ in sizes:
            self.storages.hold(inputs[0].storage)
        return [inputs[0].storage] * len(sizes)

    def is_low(self, rule: MemoryRule, inputs: tuple[Value, ...]) -> bool:
        """Whether autocast makes the results 16 bits wide.

        A call that it leaves alone is as wide as its widest input; in place, as what it overwrites.
        """
        if not self.setting.amp or rule.autocast == "float32":
            return False
        if rule.out == "inplace":
            return inputs[0].low
        return rule.autocast == "low" or (bool(inputs) and all(value.low for value in inputs))

    def cast(
        self, rule: MemoryRule, inputs: tuple[Value, ...], node: int, *, low: bool
    ) -> tuple[tuple[Value, ...], list[int]]:
        """The inputs in the type that autocast wants, and the storages of those copies."""
        if not self.setting.amp or not rule.autocast:
            return inputs, []
        copied = [value if value.low == low else self.copied(value, node, low=low) for value in reversed(inputs)]
        read = tuple(reversed(copied))
        return read, [its.storage for value, its in zip(inputs, read, strict=True) if value is not its]

    def copied(self, value: Value, node: int, *, low: bool) -> Value:
        """A copy in the other type; its backward is a copy, too."""
        size = value.bytes // 2 if low else value.bytes * 2
        storage = self.storages.allocate(size)
        recorded = self.records and value.maker is not None
        maker = self.record(_CAST, (value,), (), (), node, low=value.low) if recorded else None
        return Value(storage, size, maker, low)

    def low_param(self, index: int, node: int) -> Value:
        """A parameter in the type that autocast computes in. A trainable one is copied once, and kept."""
        if index in self.cache:
            return self.cache[index]
        own = self.graph.parameters[index]
        size = product(own.shape) * 2
        trained = self.records and own.trainable
        maker = self.record(_CAST, (), (index,), (), node) if trained else None
        copy = Value(self.storages.allocate(size), size, maker, low=True)
        if own.trainable:
            self.cache[index] = copy
        return copy

    def record(
        self,
        rule: MemoryRule,
        inputs: tuple[Value, ...],
        params: tuple[int, ...],
        saved: tuple[int, ...],
        node: int,
        passing: Size = 0,
        *,
        low: bool = False,
    ) -> Call:
        """What autograd notes of a call."""
        for storage in saved:
            self.storages.keep(storage, node)
        for value in inputs:
            if value.maker is not None:
                value.maker.waiting += 1
        for param in params:
            self.users[param] = self.users.get(param, 0) + 1
        self.recorded += 1
        return Call(self.recorded, node, rule, inputs, params, saved, passing, low)

    def loss(self) -> Value:
        """Cross-entropy of every head, weighted and added up; afterwards nothing holds the outputs any more."""
        self.phase = "loss"
        makers = {tensor: index for index, node in enumerate(self.graph.nodes) for tensor in node.outputs}
        total: Value | None = None
        for output in self.graph.outputs:
            own = self.head_loss(output, makers[output.tensor])
            total = own if total is None else self.added(total, own, makers[self.graph.outputs[0].tensor])
        for output in self.graph.outputs:
            self.storages.drop(self.values[output.tensor].storage)
        for copy in self.cache.values():
            self.storages.drop(copy.storage)
        return total or Value(self.targets, 0)

    def head_loss(self, output: Output, node: int) -> Value:
        """Log-soft-max, negative log-likelihood, and the weight unless it is 1."""
        elements = product(self.graph.tensors[output.tensor].shape)
        (likely,) = self.call(_LOG_SOFTMAX, (self.values[output.tensor],), [(elements, 0)], node)
        (own,) = self.call(_NEGATIVE_LOG_LIKELIHOOD, (likely,), [(1, 0)], node, targets=self.targets)
        self.storages.drop(likely.storage)
        if output.loss_weight == 1:
            return own
        (weighted,) = self.call(MemoryRule(), (own,), [(1, 0)], node)
        self.storages.drop(own.storage)
        return weighted

    def added(self, total: Value, own: Value, node: int) -> Value:
        """The sum of two losses, which are let go."""
        (result,) = self.call(MemoryRule(grads="alias"), (total, own), [(1, 0)], node)
        self.storages.drop(total.storage)
        self.storages.drop(own.storage)
        return result
