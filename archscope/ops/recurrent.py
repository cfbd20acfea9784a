"""Recurrent layers as torch runs them: LSTM, GRU and plain ones, all steps and layers in one operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archscope.core.arithmetic import Shape, Size, product
from archscope.core.records import Call, MemoryRule, Seen, Setting
from archscope.ops import Op

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
MODULES = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn_tanh": "nn.RNN", "rnn_relu": "nn.RNN"}


@dataclass(frozen=True, slots=True)
class Recurrent(Op):
    """``torch.nn.LSTM``, ``GRU`` or ``RNN``: ``function`` is ATen's name. Inputs are the sequence and first states.

    Two layers of 512 units on 100 steps of 80 features (arXiv:1412.5567, Deep Speech, for the size of its features):

    >>> layers = Recurrent("lstm", 512, num_layers=2, batch_first=True)
    >>> layers.macs((1, 100, 80))
    330956800
    """

    function: str
    hidden_size: int
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    bidirectional: bool = False
    proj_size: int = 0
    dropout: float = 0.0

    weight_layer: ClassVar[bool] = True
    captures: ClassVar[tuple[str, ...]] = tuple(GATES)
    stores: ClassVar[tuple[str, ...]] = ("params",)
    infers: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return self.function

    @property
    def _out_size(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def out_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], self._out_size * self._directions)

    def out_shapes(self, *inputs: Shape) -> tuple[Shape, ...]:
        batch = inputs[0][0 if self.batch_first else 1 : -1][:1] if len(inputs[0]) == 3 else ()
        count = self.num_layers * self._directions
        state, cell = (count, *batch, self._out_size), (count, *batch, self.hidden_size)
        return (self.out_shape(*inputs), state, cell) if self.function == "lstm" else (self.out_shape(*inputs), state)

    def weights(self, *inputs: Shape) -> dict[str, Shape]:
        gates = GATES[self.function] * self.hidden_size
        found: dict[str, Shape] = {}
        for layer in range(self.num_layers):
            size = inputs[0][-1] if layer == 0 else self._out_size * self._directions
            for suffix in (f"_l{layer}", f"_l{layer}_reverse")[: self._directions]:
                found[f"weight_ih{suffix}"] = (gates, size)
                found[f"weight_hh{suffix}"] = (gates, self._out_size)
                if self.bias:
                    found[f"bias_ih{suffix}"] = found[f"bias_hh{suffix}"] = (gates,)
                if self.proj_size:
                    found[f"weight_hr{suffix}"] = (self.proj_size, self.hidden_size)
        return found

    def macs(self, *inputs: Shape) -> Size | None:
        matrices = (product(shape) for name, shape in self.weights(*inputs).items() if name.startswith("weight"))
        return product(inputs[0][:-1]) * sum(matrices)

    def gradient_macs(self, *inputs: Shape) -> dict[str, Size] | None:
        """Of each weight; of the input; and, whatever is learnt, of the states and of what layers hand on.

        The first states are taken not to be learnt: no gradient goes beyond the first step.
        """
        positions = product(inputs[0][:-1])
        steps = inputs[0][1 if self.batch_first and len(inputs[0]) == 3 else 0]
        found: dict[str, Size] = {"input0": 0, "any": 0}
        for name, shape in self.weights(*inputs).items():
            if not name.startswith("weight"):
                continue
            found[name] = positions * product(shape)
            if name.startswith("weight_hh"):
                found["any"] += positions // steps * (steps - 1) * product(shape)
            else:
                found["input0" if name.startswith("weight_ih_l0") else "any"] += positions * product(shape)
        return found

    def elementwise(self, *inputs: Shape) -> Size | None:
        units = product(inputs[0][:-1]) * self.hidden_size * self.num_layers * self._directions
        return units * 5 * GATES[self.function]

    def memory(self, *inputs: Shape, setting: Setting) -> MemoryRule | None:
        return None  # a kernel of its own on each device, with a reserve that it does not tell

    def torch(self, *inputs: Shape) -> Call:
        options: dict[str, Any] = {
            "num_layers": self.num_layers,
            "bias": self.bias,
            "batch_first": self.batch_first,
            "dropout": self.dropout,
            "bidirectional": self.bidirectional,
        }
        if self.proj_size:
            options["proj_size"] = self.proj_size
        if self.function.startswith("rnn"):
            options["nonlinearity"] = self.function.removeprefix("rnn_")
        return Call(MODULES[self.function], (inputs[0][-1], self.hidden_size), options)

    @classmethod
    def captured(cls, seen: Seen) -> Op | None:
        if "batch_first" not in seen.arguments:  # a packed sequence: how long each one is, only values tell
            return None
        params = seen["params"]
        projected = seen.name == "lstm" and params[1].shape[1] * 4 != params[1].shape[0]
        hidden = params[0].shape[0] // GATES[seen.name]
        return cls(
            seen.name,
            hidden,
            seen["num_layers"],
            seen["has_biases"],
            seen["batch_first"],
            seen["bidirectional"],
            params[1].shape[1] if projected else 0,
            float(seen["dropout"]),
        )
