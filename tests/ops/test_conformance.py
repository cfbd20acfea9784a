"""Every op of the folder, found by itself, held against torch: a new op is tested by existing."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from inspect import Parameter, signature
from itertools import product as grid
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from archscope import ops
from archscope.core.arithmetic import Shape, product
from archscope.core.errors import ShapeError, Unsupported
from archscope.core.records import ONE_POSITION, InnerCall, MemoryRule, Seen, Setting, Tensor, pair
from archscope.ops import Op, everything
from archscope.ops.add import Add
from archscope.ops.attention import Attention
from archscope.ops.bilinear import Bilinear
from archscope.ops.concat import Concat
from archscope.ops.convolution import Convolution
from archscope.ops.convtranspose import ConvTranspose
from archscope.ops.einsum import Einsum
from archscope.ops.embedding import Embedding
from archscope.ops.fc import FC
from archscope.ops.fill import Fill
from archscope.ops.groupedmatmul import GroupedMatMul
from archscope.ops.groupnorm import GroupNorm
from archscope.ops.instancenorm import InstanceNorm
from archscope.ops.layernorm import LayerNorm
from archscope.ops.logsoftmax import LogSoftmax
from archscope.ops.lrn import LRN
from archscope.ops.matmul import MatMul
from archscope.ops.moved import Moved
from archscope.ops.mul import Mul
from archscope.ops.pointwise import Pointwise
from archscope.ops.pool import Pool
from archscope.ops.recurrent import Recurrent
from archscope.ops.reduction import Reduction
from archscope.ops.rmsnorm import RMSNorm
from archscope.ops.slice import Slice
from archscope.ops.softmax import Softmax
from archscope.ops.unknown import Unknown
from archscope.ops.view import View
from archscope.spec.notation import read, write
from archscope.targets.torch_module import own_module

USUAL: dict[str, Any] = {"int": 8, "Natural": 0, "Pair": 3, "Padding": 1, "float": 0.5, "bool": False}
"""A value for a field that must be given, by its annotation."""

OTHER: dict[str, list[Any]] = {
    "int": [2, 3], "Natural": [1], "Pair": [2, (2, 3)], "Padding": [1, (0, 1)], "float": [0.25], "bool": [False, True],
}  # fmt: skip
"""Values to try one at a time for a field that may be left out."""

IMAGE, VECTOR = (2, 8, 12, 12), (2, 8)

CELLS = (
    "conv11-96/4 valid", "conv7-64/2", "conv1×7-16", "conv7×1-16/2", "conv3-8 groups=4", "conv3-16 groups=8 no-bias",
    "conv3-8 dilation=2 padding=2", "conv3-8/2×1 padding=0×1", "conv1-4", "maxpool3/2 ceil", "maxpool3/1 same",
    "maxpool2/2 ceil", "maxpool2×1", "avgpool5/3", "avgpool3/2 ceil same exclude-pad", "avgpool12/1",
    "adaptiveavgpool7", "adaptiveavgpool1", "adaptiveavgpool1×2", "FC-10 no-bias", "LRN size=5 alpha=0.0001 k=1",
    "dropout 40%", "slice1:3", "slice0:1", "relu6", "relu6 out-of-place", "pad16",
)  # fmt: skip
"""Interesting ones, beside those that are made up from the fields."""


@dataclass(frozen=True)
class Case:
    """An op on inputs that it accepts."""

    op: Op
    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        given = " ".join(
            f"{f.name}={getattr(self.op, f.name)}" for f in fields(self.op) if getattr(self.op, f.name) != f.default
        )
        return f"{type(self.op).__name__}({given}) on {' '.join('x'.join(map(str, shape)) for shape in self.shapes)}"


ONE, TWO, THREE = (1,), (1, 1), (1, 1, 1)
HEADS, ROW = (2, 4, 9, 8), (2, 8, 30)
CAPTURED = [
    Case(Convolution((3,), 6, (2,), (1,), ONE), (ROW,)),
    Case(Convolution((3,), 6, ONE, ONE, ONE), ((8, 30),)),
    Case(Convolution((4, 3), 16, TWO, None, (2, 1), groups=2, bias=False), (IMAGE,)),
    Case(Convolution((1, 3, 3), 6, (1, 2, 2), (0, 1, 1), THREE), ((2, 8, 4, 12, 12),)),
    Case(ConvTranspose((3,), 6, (2,), ONE, ONE, ONE), (ROW,)),
    Case(ConvTranspose((4, 2), 6, (2, 2), (1, 0), (0, 1), (1, 2), groups=2), (IMAGE,)),
    Case(ConvTranspose((2, 2, 2), 6, (2, 2, 2), (0, 0, 0), (0, 0, 0), THREE, bias=False), ((2, 8, 4, 6, 6),)),
    Case(MatMul(), ((2, 4, 9, 8), (2, 4, 8, 5))),
    Case(MatMul(), ((2, 9, 8), (8, 5))),
    Case(MatMul(), ((2, 4, 9, 8), (4, 8, 5))),
    Case(MatMul(), ((2, 8), (8,))),
    Case(MatMul(), ((8,), (8,))),
    Case(MatMul(added=True), ((5,), (2, 8), (8, 5))),
    Case(Einsum("bhid,bhjd->bhij"), (HEADS, HEADS)),
    Case(Einsum("bij,jk->bik"), ((2, 9, 8), (8, 5))),
    Case(Attention(), (HEADS, (2, 4, 7, 8), (2, 4, 7, 6))),
    Case(Attention(), (HEADS, (2, 4, 7, 8), (2, 4, 7, 8))),
    Case(Attention(is_causal=True), (HEADS, HEADS, HEADS)),
    Case(Attention(), ((4, 9, 8), (4, 7, 8), (4, 7, 6))),
    Case(Bilinear(5), ((2, 9, 8), (2, 9, 3))),
    Case(Bilinear(5, bias=False), ((2, 8), (2, 3))),
    Case(Embedding(30, 8), ((2, 9),)),
    Case(Recurrent("lstm", 5), ((9, 2, 8),)),
    Case(Recurrent("lstm", 5, 2, batch_first=True, bidirectional=True, proj_size=3), ((2, 9, 8),)),
    Case(Recurrent("gru", 5, 2, bias=False), ((9, 8),)),
    Case(Recurrent("rnn_relu", 5), ((9, 2, 8),)),
]
"""Ops that no cell spells, with what they were made for."""

UNCOUNTED = {
    Case(MatMul(), ((2, 8), (8,))): 2 * 8,
    Case(MatMul(), ((8,), (8,))): 8,
    Case(Bilinear(5), ((2, 9, 8), (2, 9, 3))): 18 * 5 * (8 * 3 + 3),
    Case(Bilinear(5, bias=False), ((2, 8), (2, 3))): 2 * 5 * (8 * 3 + 3),
}
"""Products that torch's own counter leaves out."""

UNMEASURED = {Attention, MatMul, Recurrent, RMSNorm}
"""What some of their kernels keep for backward was not measured: their memory is said to be unknown."""

OF_PAPERS = {"inplace", "padding", "kernel_size", "stride"}
"""Settings whose defaults are those of papers: ReLU in place, a convolution that keeps the size, a pool's window."""

SEEN_ONLY = {Fill, GroupedMatMul, Moved, Pointwise, Pool, Reduction, Unknown, View}
"""What a captured module has besides: nothing builds them, and they return what torch was seen to return."""


UNSEEN = {
    Attention, Bilinear, Convolution, ConvTranspose, Einsum, Embedding, LayerNorm, LogSoftmax, MatMul, RMSNorm,
    Recurrent, Softmax,
}  # fmt: skip
"""What does not say which positions it sees, of some inputs: those of another rank than maps, or moved about."""


def instances(kind: type[Op]) -> Iterator[Op]:
    """The op with as little given as it allows, and with each other field changed in turn."""
    kinds = {f.name: str(f.type).removesuffix(" | None") for f in fields(kind)}
    usual = kind(**{f.name: USUAL[kinds[f.name]] for f in fields(kind) if f.default is MISSING})
    yield usual
    for name, its in kinds.items():
        yield from (replace(usual, **{name: value}) for value in OTHER[its] if value != getattr(usual, name))


def inputs_for(op: Op) -> list[tuple[Shape, ...]]:
    """What to try an op on: a module takes one input, a function of a list two, any other as many as it asks for."""
    each = [shape for shape in (IMAGE, VECTOR) if op.rank in (None, len(shape))]
    call = op.torch(each[0])
    count = 1 if call.is_module else 2 if call.listed else arity(op, each[0])
    return [(shape,) * count for shape in each]


def arity(op: Op, shape: Shape) -> int:
    for count in (1, 2, 3):
        try:
            callable_of(op, (shape,) * count)(*(torch.ones(shape) for _ in range(count)))
        except TypeError:
            continue
        return count
    raise AssertionError(f"{op} takes neither one, two nor three inputs")


def all_cases() -> list[Case]:
    spelled = [kind for kind in everything() if kind.notation is not None]
    ops = [op for kind in spelled for op in instances(kind)] + [read(cell) for cell in CELLS]
    return [*(Case(op, shapes) for op in dict.fromkeys(ops) for shapes in inputs_for(op)), *CAPTURED]


def accepts(case: Case) -> bool:
    try:
        case.op.out_shapes(*case.shapes)
    except ShapeError:
        return False
    return True


def callable_of(op: Op, shapes: tuple[Shape, ...], device: str = "cpu") -> Callable[..., Any]:
    """The module or function that the op's call names."""
    if isinstance(op, Einsum):  # the one function that wants something before its tensors
        return lambda *tensors: torch.einsum(op.equation, *tensors)
    call = op.torch(*shapes)
    if call.forward:
        return own_module(call)
    if call.is_module:
        made = getattr(torch.nn, call.name.removeprefix("nn."))(*call.args, **call.kwargs)
        return made.to(device)
    where, _, name = call.name.rpartition(".")
    function = getattr({"torch": torch, "torch.nn.functional": torch.nn.functional, "operator": operator}[where], name)
    if call.listed:
        return lambda *tensors: function(list(tensors), *call.args, **call.kwargs)
    return lambda *tensors: function(*tensors, *call.args, **call.kwargs)


def run(op: Op, shapes: tuple[Shape, ...]) -> tuple[torch.Tensor, ...]:
    """The op's outputs on the meta device."""
    return tuple(tree_leaves(callable_of(op, shapes, "meta")(*tensors_for(op, shapes, "meta"))))


def tensors_for(op: Op, shapes: tuple[Shape, ...], device: str = "cpu") -> list[torch.Tensor]:
    """Inputs with gradients, none of them a leaf, so that they may be overwritten; indices for an embedding."""
    if isinstance(op, Embedding):
        return [torch.zeros(shape, dtype=torch.int64, device=device) for shape in shapes]
    return [torch.rand(shape, requires_grad=True, device=device) * 1 for shape in shapes]


def multiplies(case: Case) -> bool:
    """Whether it has products whose gradients torch counts, and rightly: not of groups, nor of fused attention."""
    counted = not isinstance(case.op, Attention) and getattr(case.op, "groups", 1) == 1
    return counted and case not in UNCOUNTED and bool(case.op.macs(*case.shapes))


CASES = [case for case in all_cases() if accepts(case)]
REFUSED = [case for case in all_cases() if not accepts(case)]
over_cases = pytest.mark.parametrize("case", CASES, ids=str)


def test_every_op_has_cases():
    assert {type(case.op) for case in CASES} | SEEN_ONLY == set(everything())


@over_cases
def test_output_shapes_are_torchs(case: Case):
    assert case.op.out_shapes(*case.shapes) == tuple(tuple(out.shape) for out in run(case.op, case.shapes))


@over_cases
def test_parameters_and_buffers_are_the_modules(case: Case):
    module = callable_of(case.op, case.shapes, "meta")
    weights, buffers = {}, {}
    if isinstance(module, torch.nn.Module):
        weights = {name: tuple(its.shape) for name, its in module.named_parameters()}
        buffers = {name: (tuple(its.shape), its.dtype) for name, its in module.named_buffers()}
    own = case.op.buffers(*case.shapes).items()
    assert case.op.weights(*case.shapes) == weights
    assert {
        name: (shape, torch.float32 if dtype == "float" else getattr(torch, dtype)) for name, (shape, dtype) in own
    } == buffers


@over_cases
def test_the_module_bears_the_ops_settings(case: Case):
    module = callable_of(case.op, case.shapes)
    for each in fields(case.op):
        value = getattr(case.op, each.name)
        if (
            value is not None
            and hasattr(module, each.name)
            and not isinstance(getattr(module, each.name), torch.Tensor | None)
        ):
            theirs = getattr(module, each.name)
            assert (pair(value) == pair(theirs)) if "Pa" in str(each.type) else (value == theirs), each.name


@over_cases
def test_macs_are_half_of_torchs_flops(case: Case):
    with FlopCounterMode(display=False) as counter:
        run(case.op, case.shapes)
    macs = case.op.macs(*case.shapes)
    if case in UNCOUNTED:
        assert counter.get_total_flops() == 0
        assert macs == UNCOUNTED[case]
        return
    assert counter.get_total_flops() == (0 if macs is None else 2 * macs)


@pytest.mark.parametrize("case", [case for case in CASES if multiplies(case)], ids=str)
def test_gradients_take_the_macs_that_torch_counts(case: Case):
    tensors = tensors_for(case.op, case.shapes, "meta")
    with FlopCounterMode(display=False) as counter:
        outputs = [each for each in tree_leaves(callable_of(case.op, case.shapes, "meta")(*tensors)) if each.grad_fn]
        forward = counter.get_total_flops()
        torch.autograd.backward(outputs, [torch.ones_like(each) for each in outputs])
    found = case.op.gradient_macs(*case.shapes)
    assert found is not None
    assert 2 * sum(found.values()) == counter.get_total_flops() - forward


@over_cases
def test_elementwise_work_grows_with_the_examples_and_is_never_below_nothing(case: Case):
    twice = tuple((2 * shape[0], *shape[1:]) for shape in case.shapes)
    if len(case.shapes) > 1 and not case.op.joins:
        pytest.skip("its operands share axes other than that of the examples")
    if case.shapes[0][1:2] == () or (isinstance(case.op, Convolution) and len(case.shapes[0]) == 2):
        pytest.skip("one example, without an axis for more")
    work = case.op.elementwise(*case.shapes)
    assert work is None or (isinstance(work, int) and work >= 0)
    if case.op.macs(*case.shapes) == 0:
        assert not any((case.op.gradient_macs(*case.shapes) or {}).values())
    assert case.op.elementwise(*twice) == (None if work is None else 2 * work)


@pytest.mark.parametrize("kind", [kind for kind in everything() if kind not in {*SEEN_ONLY, Einsum, LRN}])
def test_settings_that_are_left_out_are_torchs_own(kind: type[Op]):
    case = next(case for case in CASES if type(case.op) is kind)
    call = case.op.torch(*case.shapes)
    if call.forward or not call.is_module:
        pytest.skip("no module of torch's has its settings")
    theirs = signature(getattr(torch.nn, call.name.removeprefix("nn."))).parameters
    usual = {name: each.default for name, each in theirs.items() if each.default not in {Parameter.empty, None}}
    own = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    shared = (own.keys() & usual.keys()) - OF_PAPERS
    assert {name: own[name] for name in shared} == {name: usual[name] for name in shared}


@pytest.mark.parametrize("kind", [Softmax, LogSoftmax])
def test_a_softmax_over_channels_sees_one_position_and_over_others_not(kind: type[Op]):
    seen = [kind(dim).sees(IMAGE) for dim in range(4)]
    assert [window is not None for window in seen] == [False, True, False, False]
    assert seen[1] == ONE_POSITION


@over_cases
def test_an_op_is_in_place_where_its_result_overwrites_its_input(case: Case):
    rule = case.op.memory(*case.shapes, setting=Setting(mode="train"))
    assert case.op.in_place is (rule is not None and rule.out == "inplace")


@pytest.mark.parametrize("kind", [GroupNorm, InstanceNorm])
def test_a_norm_takes_five_operations_a_number_and_two_more_with_weights(kind: type[Op]):
    usual = next(case.op for case in CASES if type(case.op) is kind)
    counts = [replace(usual, affine=affine).elementwise(IMAGE) for affine in (False, True)]
    assert counts == [5 * product(IMAGE), 7 * product(IMAGE)]


def test_local_response_norm_has_alexnets_constants():
    """k = 2, n = 5, alpha = 10⁻⁴ and beta = 0.75 (Krizhevsky et al. 2012, section 3.3); torch divides alpha by n."""
    assert LRN() == LRN(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


@pytest.mark.parametrize("mode", ["train", "eval"])
@over_cases
def test_memory_rules_are_what_autograd_does(case: Case, mode: str):
    rule = case.op.memory(*case.shapes, setting=Setting(mode=mode, device="cpu"))
    if rule is None:
        assert type(case.op) in UNMEASURED
        return
    function = callable_of(case.op, case.shapes)
    stored = set()
    if isinstance(function, torch.nn.Module):
        function.train(mode == "train")
        stored = {its.untyped_storage().data_ptr() for its in [*function.parameters(), *function.buffers()]}
    torch.manual_seed(0)
    inputs = tensors_for(case.op, case.shapes)
    versions = [its._version for its in inputs]
    saved: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in stored and storage.nbytes():
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        result = function(*inputs)
    storages = {f"input{at}": its.untyped_storage().data_ptr() for at, its in enumerate(inputs)}
    own = result.untyped_storage().data_ptr()
    out = "new" if own not in storages.values() else "view" if inputs[0]._version == versions[0] else "inplace"
    assert out == rule.out
    assert out == "new" or own == storages["input0"]
    storages["output"] = own
    kept = predicted_bytes(case, rule)
    assert {storages[name] for name in kept if name in storages} == saved.keys() & set(storages.values())
    assert sum(saved.values()) == sum(kept.values())


def predicted_bytes(case: Case, rule: MemoryRule) -> dict[str, int]:
    """Bytes of each storage that the op's rule keeps for backward, parameters and buffers aside."""
    names = [f"input{at}" for at in range(len(case.shapes))]
    own = 8 if isinstance(case.op, Embedding) else 4
    sizes = {name: product(shape) * own for name, shape in zip(names, case.shapes, strict=True)}
    stored = {*case.op.weights(*case.shapes), *case.op.buffers(*case.shapes)}
    whole = InnerCall(rule, tuple(range(len(names))), product(case.op.out_shape(*case.shapes)))
    kept = set()
    for number, call in enumerate(rule.calls or (whole,), 1):
        own = {f"input{at}": names[index] for at, index in enumerate(call.inputs)}
        own["output"] = f"call{number}" if call.rule.out == "new" else own["input0"]
        own |= {aux.name: aux.name for aux in call.rule.aux}
        sizes |= {aux.name: aux.elements * (aux.item_bytes or 4) for aux in call.rule.aux}
        sizes[own["output"]] = call.elements * 4
        names.append(own["output"])
        kept |= {own[name] for name in call.rule.saved if name not in {*stored, "input"}}
        kept |= {name for name in own.values() if "input" in call.rule.saved and name in names[: len(names) - 1]}
    last = names[-1]
    return {"output" if name == last else name: sizes[name] for name in kept}


@over_cases
def test_an_output_has_gradients_where_the_op_sees_inputs(case: Case):
    window, out = case.op.sees(*case.shapes), case.op.out_shape(*case.shapes)
    if window is None:
        assert type(case.op) in UNSEEN, "an op that tables spell says what it sees"
        return
    torch.manual_seed(0)
    leaves = [torch.rand(shape, requires_grad=True) for shape in case.shapes]
    function = callable_of(case.op, case.shapes)
    if isinstance(function, torch.nn.Module):
        function.eval()
    result = function(*(leaf * 1 for leaf in leaves))  # no leaf: it may be overwritten
    place = [size // 2 for size in out[2:]]
    result[(slice(None), slice(None), *place)].sum().backward()
    for axis, size in enumerate(case.shapes[0][2:]):
        unit = place[axis] if place else 0
        first = unit * window.stride[axis] - window.padding[axis]
        taps = {first + n * window.dilation[axis] for n in range(window.kernel_size[axis])} & set(range(size))
        for leaf in leaves:
            others = [each for each in range(leaf.dim()) if each != axis + 2]
            seen = set((leaf.grad.abs().sum(others) > 0).nonzero().flatten().tolist())
            # A max pool passes on the gradient to one input of its window.
            assert seen <= taps if "max" in (case.op.notation or "") or not window.exact[axis] else seen == taps


@over_cases
def test_notation_reads_back(case: Case):
    assert case.op.notation is None or read(write(case.op)) == case.op


def numbers_of(op: Op, shapes: tuple[Shape, ...]) -> list[Any]:
    """All numbers that an op's rules give, in a fixed order."""
    rule = op.memory(*shapes, setting=Setting(mode="train")) or MemoryRule()
    weights = [size for shape in op.weights(*shapes).values() for size in shape]
    outputs = [size for shape in op.out_shapes(*shapes) for size in shape]
    counts = [op.macs(*shapes), op.elementwise(*shapes), rule.transient, *(aux.elements for aux in rule.aux)]
    counts += [each for call in rule.calls for each in (call.elements, call.rule.transient)]
    window = op.sees(*shapes)
    seen = [] if window is None else [*window.kernel_size, *window.stride]
    return [*weights, *outputs, *seen, *(count for count in counts if count is not None)]


def resized(shapes: tuple[Shape, ...], batch: Any, height: Any) -> tuple[Shape, ...]:
    """The shapes with another batch, and another height where they have one."""
    return tuple((batch, shape[1], height, *shape[3:]) if len(shape) > 2 else (batch, *shape[1:]) for shape in shapes)


POINTS = ((1, 12), (2, 13), (3, 17), (7, 40))
over_sized_cases = pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if case not in CAPTURED or all(accepts(Case(case.op, resized(case.shapes, *point))) for point in POINTS)
    ],
    ids=str,
)


@over_sized_cases
def test_rules_give_the_same_numbers_for_arrays(case: Case):
    batches, heights = (np.array(sizes, dtype=np.int64) for sizes in zip(*POINTS, strict=True))
    found = [
        np.broadcast_to(number, len(POINTS)) for number in numbers_of(case.op, resized(case.shapes, batches, heights))
    ]
    for at, point in enumerate(POINTS):
        assert [int(number[at]) for number in found] == numbers_of(case.op, resized(case.shapes, *point))


@over_sized_cases
def test_rules_give_the_same_numbers_for_symbols(case: Case):
    n, h = sympy.symbols("n h", integer=True, positive=True)
    formulas = [sympy.sympify(number) for number in numbers_of(case.op, resized(case.shapes, n, h))]
    for batch, height in POINTS:
        found = [int(formula.subs({n: batch, h: height})) for formula in formulas]
        assert found == numbers_of(case.op, resized(case.shapes, batch, height))


@pytest.mark.parametrize("kind", everything(), ids=lambda kind: kind.__name__)
def test_every_op_has_a_doctest(kind: type[Op]):
    assert ">>> " in (kind.__doc__ or "") + (sys.modules[kind.__module__].__doc__ or "")


@pytest.mark.parametrize(
    "cell", ["conv{}-2/{} padding={} dilation={}", "maxpool{}/{} padding={}", "avgpool{}/{} padding={}"]
)
@pytest.mark.parametrize("word", ["", " ceil"])
def test_windows_fit_where_torch_says_and_give_its_sizes(cell: str, word: str):
    conv = cell.startswith("conv")
    for kernel, stride, padding, dilation in grid((1, 2, 3, 4, 5), (1, 2, 3), (0, 1, 2), (1, 2) if conv else (1,)):
        op = read(cell.format(kernel, stride, padding, dilation) + ("" if conv else word))
        # In ceil mode torch also takes a pool that is larger than its padded input; a rule refuses it in either mode.
        for size in range(max(1, kernel - 2 * padding) if word else 1, 11):
            shape = (1, 1, size, 10)
            try:
                theirs = [tuple(out.shape) for out in run(op, (shape,))]
            except RuntimeError:
                theirs = []
            case = Case(op, (shape,))
            assert (list(op.out_shapes(shape)) if accepts(case) else []) == theirs, case


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_torch_refuses_what_a_rule_refuses(case: Case):
    with pytest.raises((RuntimeError, ValueError)):
        run(case.op, case.shapes)


@pytest.mark.parametrize(
    ("op", "shapes", "message"),
    [
        (read("conv7-8 valid"), [(1, 3, 5, 9)], "a kernel that reaches 7 is larger than its padded input 5"),
        (read("conv3-8 valid dilation=4"), [(1, 3, 9, 8)], "a kernel that reaches 9 is larger than its padded input 8"),
        (read("conv3-8 groups=2"), [(1, 3, 9, 9)], "2 groups do not divide 3 incoming channels"),
        (read("conv3-8 groups=3"), [(1, 3, 9, 9)], "3 groups do not divide 8 outgoing channels"),
        (read("maxpool3"), [(1, 3, 9, 2)], "a pool of 3 is larger than its padded input 2"),
        (read("avgpool3 padding=2"), [(1, 3, 9, 9)], "a padding of 2 is more than half of the pool's kernel 3"),
        (Concat(), [(1, 3, 9, 9), (1, 4, 8, 9)], "branches differ in height or width: 3×9×9, 4×8×9"),
        (Concat(), [(1, 3, 9, 9), (1, 4)], "concat needs inputs of one rank; got 3×9×9, 4"),
        (Add(), [(1, 3, 9, 9), (1, 4, 9, 9)], "add needs inputs of one shape; got 3×9×9, 4×9×9"),
        (Add(), [(1, 3, 9, 9), (1, 3)], "add needs inputs of one shape; got 3×9×9, 3"),
        (Mul(), [(1, 4, 9, 9), (1, 4)], "mul needs inputs of one rank; got 4×9×9, 4"),
        (Mul(), [(1, 4, 9, 9), (1, 2, 1, 1)], "mul cannot stretch the second of 4×9×9, 2×1×1"),
        (Slice(4, 7), [(1, 6, 9, 9)], "there is no channel 6 among 6, counted from 0"),
        (Slice(3, 3), [(1, 6, 9, 9)], "a slice from 3 to 3 is empty"),
    ],
)  # fmt: skip
def test_an_impossible_shape_is_refused_with_its_numbers(op: Op, shapes: list[Shape], message: str):
    with pytest.raises(ShapeError) as caught:
        op.out_shapes(*shapes)
    assert str(caught.value) == f"impossible-shape: {message}"


def test_a_gate_that_is_stretched_costs_a_gradient_of_full_size_for_a_while():
    maps, gate = (1, 256, 56, 56), (1, 256, 1, 1)
    setting = Setting(mode="train")
    plain, stretched = (Mul().memory(maps, other, setting=setting) for other in (maps, gate))
    assert plain is not None
    assert stretched is not None
    assert (plain.transient, stretched.transient) == (0, 256 * 56 * 56)
    x, y = torch.rand(1, 4, 3, 3), torch.rand(1, 4, 1, 1)
    assert Mul().out_shape(x.shape, y.shape) == tuple((x * y).shape)


def test_a_file_with_two_ops_is_refused(monkeypatch: pytest.MonkeyPatch):
    module = ModuleType("archscope.ops.twofold")
    for name in ("One", "Two"):
        setattr(module, name, type(name, (Op,), {"__module__": module.__name__}))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(ops, "named", lambda: ["twofold"])
    with pytest.raises(Unsupported) as caught:
        ops.find("twofold")
    assert str(caught.value) == "op-file: archscope.ops.twofold defines 2 ops; a file holds exactly one"


def test_what_torch_was_seen_to_return_is_what_an_observed_op_has():
    shapes = ((2, 8, 6, 6), (2, 8, 6, 6))
    assert Pool("max_pool2d_with_indices", shapes, (2, 2)).out_shapes(IMAGE) == shapes
    assert Pool("max_pool2d_with_indices", shapes, (2, 2)).out_shape(IMAGE) == shapes[0]


def test_a_computed_weight_decides_no_more_than_it_multiplies():
    rows, weight = torch.rand(2, 7, 8), torch.rand(5, 8)
    shapes = tuple(rows.shape), tuple(weight.shape)
    result = torch.nn.functional.linear(rows, weight)
    assert FC(5, bias=False).out_shape(*shapes) == tuple(result.shape) == (2, 7, 5)
    with FlopCounterMode(display=False) as counted:
        torch.nn.functional.linear(rows, weight)
    assert FC(5, bias=False).macs(*shapes) == counted.get_total_flops() // 2


@pytest.mark.parametrize("kind", [MatMul, GroupedMatMul])
def test_products_of_matrices_do_nothing_beside_their_macs(kind: type[Op]):
    """Each row meets a matrix in either, and no bias is added: all work is in the MACs."""
    shapes = ((6, 4), (4, 5)) if kind is MatMul else ((6, 4), (2, 4, 5), (2,))
    assert (kind().macs(*shapes), kind().elementwise(*shapes)) == (6 * 4 * 5, 0)


@pytest.mark.parametrize("size", [3, 5])
def test_local_response_norm_takes_a_window_a_number_and_five_operations_more(size: int):
    """The square, its neighbours, times alpha, plus k, to the power of beta, and the quotient."""
    assert LRN(size).elementwise(IMAGE) == product(IMAGE) * (1 + size + 1 + 1 + 1 + 1)


def test_an_op_says_nothing_of_work_that_it_does_not_know() -> None:
    assert Op().elementwise((1, 3, 8, 8)) is None


def test_a_file_of_two_ops_or_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "archscope.ops.nothing", ModuleType("archscope.ops.nothing"))
    with pytest.raises(Unsupported, match=r"op-file: archscope\.ops\.nothing defines 0 ops; a file holds exactly one"):
        ops._class_in("nothing")


def test_a_convolution_by_its_general_name_is_no_transposed_one() -> None:
    weight = Tensor((4, 3, 3, 3), "float32")
    assert ConvTranspose.captured(Seen("convolution", {"weight": weight, "transposed": False})) is None
