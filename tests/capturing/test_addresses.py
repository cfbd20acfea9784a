"""``torchvision.models:resnet50``, ``./net.py:Net(width=64)``: what an address finds, and what it says if not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import archscope
from archscope.core.errors import ArchscopeError, UnknownName, Unsupported, UsageError

NET = """
import torch
from torch import nn
import beside

ran = True


class Net(nn.Module):
    def __init__(self, width, depth=2, *, bias=True):
        super().__init__()
        sizes = [3, *[width] * depth]
        self.body = nn.Sequential(*[nn.Conv2d(a, b, 3, bias=bias) for a, b in zip(sizes, sizes[1:])])
        self.huge = nn.Linear(100_000, 100_000) if width == 7 else None
        self.count = beside.COUNT

    def forward(self, x, mask=None):
        return self.body(x) if mask is None else self.body(x) * mask


class Nested:
    Inner = Net


def make(width=4):
    return Net(width)


def broken():
    raise ValueError("cannot be made")


def a_dict():
    return {"a": 1}


made = Net(5)
number = 3


def make_inputs(batch):
    return (torch.zeros(batch, 3, 9, 9),), {"mask": torch.ones(batch, 1, 1, 1)}
"""


@pytest.fixture
def files(here: Path) -> Path:
    (here / "net.py").write_text(NET)
    (here / "beside.py").write_text("COUNT = 1\n")
    (here / "bad.py").write_text("import torch\n\nnothing = torch.nosuch\n")
    (here / "typo.py").write_text("def f(:\n")
    (here / "worse.py").write_text("import nosuchpackage\n")
    return here


@pytest.mark.parametrize(
    ("address", "kernels"),
    [
        ("./net.py:Net(4)", [4, 4]),
        ("./net.py:Net(width=6, depth=1, bias=False)", [6]),
        ("net.py:make", [4, 4]),
        ("./net.py:make()", [4, 4]),
        ("net:make(width=2)", [2, 2]),
        ("./net.py:Nested.Inner(3)", [3, 3]),
        ("./net.py:made", [5, 5]),
        ("torch.nn:Conv2d(3, 8, kernel_size=(1, 3))", [8]),
    ],
)
@pytest.mark.usefixtures("files")
def test_an_address_names_a_class_a_function_or_a_module_with_literal_arguments(
    address: str, kernels: list[int]
) -> None:
    graph = archscope.capture(address, (3, 9, 9))
    assert [node.op.out_channels for node in graph.nodes] == kernels
    assert (graph.name, graph.title) == (address.partition(":")[2], address)


@pytest.mark.usefixtures("files")
def test_weights_are_not_allocated() -> None:
    graph = archscope.capture("./net.py:Net(7)", (3, 9, 9))  # 40 GB, if they were
    assert sum(parameter.shape[0] * parameter.shape[-1] for parameter in graph.idle_parameters()) > 10**10


@pytest.mark.usefixtures("files")
def test_an_input_may_be_the_address_of_a_function() -> None:
    graph = archscope.capture("./net.py:make", "./net.py:make_inputs", batch=2)
    assert [graph.tensors[index].shape for index in graph.inputs] == [(2, 3, 9, 9), (2, 1, 1, 1)]


def test_a_factory_is_called_and_a_module_taken_as_it_is() -> None:
    graph = archscope.capture(lambda: nn.Conv2d(3, 4, 3), (3, 9, 9))
    assert graph.nodes == archscope.capture(nn.Conv2d(3, 4, 3), (3, 9, 9)).nodes
    assert archscope.profile(nn.Conv2d(3, 4, 3), 2, input=(3, 9, 9)).totals["macs"].value == 2 * 4 * 27 * 49


def test_networks_of_torchvision_and_timm_say_their_input() -> None:
    assert archscope.profile("torchvision.models:vgg11").input_shape == (3, 224, 224)
    assert archscope.profile("torchvision.models:inception_v3(init_weights=False)").input_shape == (3, 299, 299)
    pytest.importorskip("timm", reason="timm is an extra")
    assert archscope.profile("timm:resnet18").totals["macs"].value == 1814073344


@pytest.mark.parametrize(
    ("given", "shapes"),
    [
        ((8,), ["1x8 float32"]),
        ("8", ["1x8 float32"]),
        ("3x4x8", ["1x3x4x8 float32"]),
        ("8:int64", ["1x8 int64"]),
        (["8", "x:8"], ["1x8 float32", "1x8 float32"]),
        (((8,), "int32"), ["1x8 int32"]),
        ([(8,), ((2,), "bool")], ["1x8 float32", "1x2 bool"]),
        ({"x": (8,)}, ["1x8 float32"]),
        (torch.zeros(5, 8), ["5x8 float32"]),
        (lambda: torch.zeros(5, 8), ["5x8 float32"]),
    ],
)
def test_an_input_is_said_in_many_ways(given: object, shapes: list[str]) -> None:
    class Anything(nn.Module):
        def forward(self, *args, x=None):
            return [each + 0 for each in (*args, *([x] if x is not None else []))]

    graph = archscope.capture(Anything(), given)
    tensors = [graph.tensors[index] for index in graph.inputs]
    assert [f"{'x'.join(map(str, t.shape))} {t.dtype.replace('float', 'float32')}" for t in tensors] == shapes


WRONG: dict[str, tuple[type[ArchscopeError], str]] = {
    "nosuch.module:Net": (UnknownName, "unknown-module: no module is called 'nosuch'\n  help:     a file is ./"),
    "./gone.py:Net": (UnknownName, "no-file: there is no file './gone.py'"),
    "./net.py:Nett(3)": (UnknownName, "unknown-attribute: ./net.py has no 'Nett'\n  help:     did you mean Net"),
    "./net.py:Net": (
        UsageError, "bad-arguments: ./net.py:Net needs width\n  help:     give what it needs: './net.py:Net(width=…)'",
    ),
    "./net.py:Net(3, dept=2)": (
        UsageError,
        "bad-arguments: ./net.py:Net has no argument 'dept'\n  expected: width, depth, bias\n  help:     did you",
    ),
    "./net.py:Net(1, 2, 3)": (UsageError, "bad-arguments: ./net.py:Net(1, 2, 3): too many positional arguments"),
    "./net.py:Net(open('x'))": (
        UsageError,
        "bad-address: cannot read \"./net.py:Net(open('x'))\"\n  expected: module:Name or file.py:Name, with literal",
    ),
    "./net.py:Net(**{})": (UsageError, "bad-address: cannot read './net.py:Net(**{})'"),
    "./net.py:": (UsageError, "bad-address: ./net.py: does not say what of it\n  expected: module:Name"),
    "./net.py": (UsageError, "bad-address: ./net.py does not say what of it\n  expected: module:Name"),
    "torch:nn": (Unsupported, "no-module: torch:nn is a Python module, and makes no torch.nn.Module"),
    "./typo.py:Net": (Unsupported, "import-raised: importing ./typo.py raised SyntaxError: invalid syntax\n    1 |"),
    "./net.py:broken": (Unsupported, "module-raised: ./net.py:broken raised ValueError: cannot be made"),
    "./net.py:a_dict": (Unsupported, "no-module: ./net.py:a_dict returned a dict, no torch.nn.Module"),
    "./net.py:number": (Unsupported, "no-module: ./net.py:number is an int, and makes no torch.nn.Module"),
    "./bad.py:Net": (Unsupported, "import-raised: importing ./bad.py raised AttributeError: module 'torch' has no"),
    "./worse.py:Net": (Unsupported, "import-raised: importing ./worse.py raised ModuleNotFoundError: No module named"),
}  # fmt: skip


@pytest.mark.parametrize("address", WRONG)
@pytest.mark.usefixtures("files")
def test_an_address_that_leads_nowhere_says_why(address: str) -> None:
    kind, text = WRONG[address]
    with pytest.raises(kind) as caught:
        archscope.capture(address, (3, 9, 9))
    said = str(caught.value)
    assert said[said.index(text.partition(":")[0]) :].startswith(text) or text.split("\n")[0] in said


@pytest.mark.usefixtures("files")
def test_what_is_raised_is_told_with_its_line() -> None:
    with pytest.raises(Unsupported) as caught:
        archscope.capture("./net.py:broken", (3, 9, 9))
    (problem,) = caught.value.problems
    assert problem.span is not None
    assert (problem.span.source.name, problem.span.line_text) == ("net.py", '    raise ValueError("cannot be made")')
    with pytest.raises(Unsupported, match=r"bad\.py:3:1: import-raised"):
        archscope.capture("./bad.py:Net", (3, 9, 9))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "missing-input: Linear does not say what it takes\n  help:     one example, without the batch"),
        ("8xx", "bad-value: input is '8xx'"),
        ("x:8:floaty", "bad-value: input is 'x:8:floaty': no type is called 'floaty'"),
        ("1x:8:int64", "bad-address: cannot read '1x:8:int64'"),
        (3.5, "bad-value: input is 3.5\n  expected: a shape of one example such as 3x224x224"),
        ([], "bad-value: input is []"),
        (lambda: ((), {"flag": True}), "bad-value: no tensor is among the inputs\n  help:     give at least one shape"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused(given: object, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        archscope.capture(nn.Linear(8, 8), given)
    assert str(caught.value).startswith(text)


def test_a_function_that_cannot_make_the_input_is_told_with_its_line() -> None:
    def make_inputs(batch: int) -> torch.Tensor:
        raise RuntimeError(f"no input for {batch}")

    with pytest.raises(Unsupported) as caught:
        archscope.capture(nn.Linear(8, 8), make_inputs)
    text = str(caught.value)
    assert "input-raised: make_inputs, which makes the input, raised RuntimeError: no input for 1" in text
    assert 'raise RuntimeError(f"no input for {batch}")' in text


def test_changes_are_for_tables_and_said_to_be() -> None:
    with pytest.raises(UsageError) as caught:
        archscope.profile(nn.Linear(8, 8), input=(8,), width="1/2")
    assert str(caught.value) == (
        "no-such-knob: Linear is a module, and width changes networks of tables only\n"
        "  help:     give it as an argument of the module's own: ./net.py:Net(width=64)"
    )
    with pytest.raises(UsageError, match="bad-value: upper_bound is for modules: nothing in a table depends on values"):
        archscope.profile("vgg11", upper_bound=True)
    with pytest.raises(UsageError, match="bad-value: mode is 'test'"):
        archscope.capture(nn.Linear(8, 8), (8,), mode="test")


@pytest.mark.usefixtures("files")
def test_commands_take_addresses(archscope: Callable) -> None:
    outcome = archscope("summary './net.py:Net(4)' --input 3x9x9 --format json")
    assert (outcome.code, outcome.err) == (0, "")
    data = json.loads(outcome.out)
    assert (data["network"], data["title"], data["input_shape"]) == ("Net(4)", "./net.py:Net(4)", [3, 9, 9])
    assert [row["name"] for row in data["rows"]] == ["body.0", "body.1"]
    outcome = archscope("compare './net.py:Net(4)' './net.py:Net(8)' --input 3x9x9 --by params --format csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert "total" in outcome.out
    outcome = archscope("summary './net.py:Net(4)' --input 3x9x9 --width 1/2")
    assert (outcome.code, outcome.out) == (2, "")
    assert "width changes networks of tables only" in outcome.err
    outcome = archscope("check './net.py:Net(4)' --input 3x9x9 --max-params 100 --witness flop_counter")
    assert (outcome.code, outcome.err) == (1, "")
    assert "./net.py:Net(4)  ✓ 4           ✗ 1 refuted" in outcome.out
    assert "refuted: ./net.py:Net(4), params: at most 100, computed 260: 160 over the budget" in outcome.out
    outcome = archscope("check lenet5 --input 1x28x28")
    assert (outcome.code, outcome.out) == (2, "")
    outcome = archscope("show ./net.py:Net")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("no-table: ./net.py:Net is a module, and no network of a table")


@pytest.mark.usefixtures("files")
def test_strict_fails_where_a_total_is_no_exact_one(archscope: Callable, here: Path) -> None:
    (here / "far.py").write_text(
        "import torch\nclass Far(torch.nn.Module):\n    def forward(self, x):\n        return torch.cdist(x, x)\n"
    )
    plain = archscope("summary ./far.py:Far --input 5x4")
    assert plain.code == 0
    assert "MACs: a lower bound; not known for _cdist_forward" in plain.out
    assert archscope("summary ./far.py:Far --input 5x4 --strict").code == 1
    assert archscope("summary './net.py:Net(4)' --input 3x9x9 --strict").code == 0


@pytest.mark.usefixtures("files")
def test_the_largest_image_is_found_for_a_module_that_takes_any() -> None:
    found = archscope.fit("./net.py:make", "4MiB", input=(3, 9, 9), largest="input")
    assert isinstance(found.value, int)
    at, beyond = (archscope.memory("./net.py:make", input=(3, side, side)) for side in (found.value, found.value + 1))
    assert at.training.bytes <= 4 * 1024**2 < beyond.training.bytes


def test_a_module_that_takes_one_size_or_no_images_has_no_largest() -> None:
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    with pytest.raises(Unsupported, match=r"one-size: Sequential takes images of one size only: 1 .Linear. cannot run"):
        archscope.fit(fixed, "1GiB", input=(3, 8, 8), largest="input")
    with pytest.raises(UsageError, match="bad-value: the largest image is looked for, and Linear takes 8"):
        archscope.fit(nn.Linear(8, 8), "1GiB", input=(8,), largest="input")
