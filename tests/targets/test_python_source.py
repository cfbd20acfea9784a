"""The exported Python: it is the network, it reads as if written by hand, and it needs nothing but torch."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import archscope
from archscope import catalog
from archscope.core.errors import Unsupported, UsageError
from archscope.graph.bodies import class_name, is_chain
from archscope.graph.graph import Graph
from archscope.targets.forward import forward_lines
from archscope.targets.looping import looped
from archscope.targets.python_source import python_source
from archscope.targets.wrapping import split, wrapped

NETWORKS = sorted(catalog.everything())
KINDS = [
    "alexnet", "alexnet_owt", "bn_inception", "d2l_vgg11", "densenet121", "googlenet", "googlenet_torchvision",
    "inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_released", "inception_v3",
    "inception_v3_torchvision", "inception_v4", "lenet5", "lenet_tutorial", "mobilenet_v1", "mobilenet_v2",
    "nin_cifar10", "nin_imagenet", "resnet18", "resnet50", "resnet20", "resnext50_32x4d", "se_resnet50",
    "squeezenet1_0", "squeezenet1_1", "vgg11_bn", "wide_resnet50_2",
]  # fmt: skip
"""One network of each table, and of each kind of block in it: the others have more of the same, or other numbers."""


def short(name: str) -> dict[str, Any]:
    """What leaves a network two of each block that its table repeats, so that running it is quick."""
    repeats = archscope.load(name).repeats
    return {"blocks": tuple(min(2, each) for each in repeats)} if max(repeats, default=1) > 2 else {}


LINES = {"vgg16": 120, "googlenet": 180, "resnet152": 180}
SMALL: dict[str, dict[str, Any]] = {
    "lenet5": {},
    "googlenet": {"width": "1/8"},
    "vgg11": {"width": "1/8", "head_width": "1/16", "input_size": (64, 64)},
    "resnet18": {"width": "1/8", "input_size": (64, 64)},
    "densenet121": {"width": "1/4", "input_size": (64, 64)},
    "mobilenet_v2": {"width": "1/4", "input_size": (64, 64)},
}
COMMENT = re.compile(r"# (?:(?P<count>\d+), the last )?(?P<shape>\d+(?:×\d+)*)(?:, (?P<params>[\d,]+) params)?")


@functools.cache
def source(name: str, **changes: Any) -> str:
    return archscope.export(name, **changes)


def imported(text: str) -> ModuleType:
    module = ModuleType("exported")
    exec(compile(text, "exported.py", "exec"), vars(module))  # noqa: S102  what we wrote ourselves
    return module


def made(name: str, device: str = "cpu", **changes: Any) -> nn.Module:
    graph = archscope.lower(name, **changes)
    with torch.device(device):
        model: nn.Module = getattr(imported(source(name, **changes)), class_name(graph, 0))()
    return model


class Calls(TorchDispatchMode):
    """Writes down the ATen ops that run with their arguments, tensors by their shapes, in both modes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def shown(value: Any) -> Any:
            if isinstance(value, list | tuple):
                return [shown(each) for each in value]
            return tuple(value.shape) if isinstance(value, torch.Tensor) else value

        self.seen.append((func, shown(args), kwargs))
        return func(*args, **kwargs or {})


def outputs(model: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """In eval mode, and in train mode with all heads; dropout draws the same masks."""
    with torch.no_grad():
        evaluated = model.eval()(image)
    return (evaluated, *trained(model, image))


def trained(model: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """In train mode, which takes the most of a forward."""
    torch.manual_seed(1)
    with torch.no_grad():
        found = model.train()(image)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", KINDS)
def test_it_makes_the_same_calls_as_the_built_module_with_the_same_arguments(name: str) -> None:
    changes = short(name)
    own, theirs = archscope.build(name, device="meta", **changes), made(name, "meta", **changes)
    image = torch.empty(2, *archscope.load(name).input_shape, device="meta")
    with Calls() as before:
        expected = trained(own, image)
    with Calls() as after:
        found = trained(theirs, image)
    assert [each.shape for each in found] == [each.shape for each in expected]
    assert len(before.seen) >= len(list(own.modules())) // 2
    assert after.seen == before.seen


@pytest.mark.parametrize("name", NETWORKS)
def test_it_has_the_state_dict_the_modules_and_forwards_of_the_built_one_and_comments_that_are_so(name: str) -> None:
    own, theirs = archscope.build(name, device="meta"), made(name, "meta")
    assert [(key, each.shape) for key, each in theirs.state_dict().items()] == [
        (key, each.shape) for key, each in own.state_dict().items()
    ]
    assert [(path, leaf.extra_repr()) for path, leaf in leaves(theirs)] == [
        (path, leaf.extra_repr()) for path, leaf in leaves(own)
    ]
    graph = archscope.lower(name)
    check_forwards(graph, plain(source(name)))
    check_comments(source(name), graph, theirs, shapes_of(graph, theirs))


def leaves(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that have none within them, by path."""
    return [(path, each) for path, each in model.named_modules() if not list(each.children())]


@pytest.mark.parametrize("name", SMALL)
def test_with_the_same_weights_its_outputs_are_equal_auxiliary_heads_included(name: str) -> None:
    changes = SMALL[name]
    own, theirs = archscope.build(name, device="meta", **changes), made(name, "meta", **changes)
    torch.manual_seed(0)
    weights = {key: random_like(each) for key, each in own.state_dict().items()}
    for model in (own, theirs):
        model.load_state_dict({key: each.clone() for key, each in weights.items()}, strict=True, assign=True)
    image = torch.rand(2, *archscope.load(name, **changes).input_shape)
    before, after = outputs(own, image), outputs(theirs, image)
    assert len(before) == len(after) == 1 + len(archscope.lower(name).outputs)
    assert before[0].isfinite().all()
    assert before[0].std() > 0
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def random_like(weight: torch.Tensor) -> torch.Tensor:
    """Numbers that keep activations of about one size, so that no difference can hide."""
    own = torch.rand(weight.shape)
    return own / own[0].numel() if own.dim() > 1 else own.to(weight.dtype)


@pytest.mark.parametrize("name", LINES)
def test_it_is_as_short_as_by_hand(name: str) -> None:
    assert len(source(name).splitlines()) <= LINES[name]


def test_every_network_s_file_is_as_ruff_formats_it_and_has_nothing_to_find_fault_with(tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or str(Path(sys.executable).parent / "ruff")
    for name in NETWORKS:
        (tmp_path / f"{name}_net.py").write_text(source(name), encoding="utf-8")
    for arguments in (["format", "--check"], ["check", "--select", "E,F,I,N"]):
        command = [ruff, *arguments, "--isolated", "--no-cache", "."]
        outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert outcome.returncode == 0, outcome.stdout[-3000:]


@pytest.mark.parametrize("name", NETWORKS)
def test_it_imports_torch_and_the_standard_library_only(name: str) -> None:
    lines = [line for line in source(name).splitlines() if line.startswith(("import ", "from "))]
    assert set(lines) <= {"import torch", "from torch import nn", "from typing import NamedTuple"}


def test_a_block_that_comes_in_many_sizes_is_one_class_with_arguments() -> None:
    text = source("googlenet")
    assert re.findall(r"^class (\w+)", text, re.MULTILINE) == [
        "GooglenetOutputs", "Conv", "Inception", "AuxiliaryHead", "Googlenet",
    ]  # fmt: skip
    assert text.count("= Inception(") == 9
    assert "self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)\n" in text


def test_repeats_are_loops() -> None:
    assert "*(ResidualBlock(1024) for _ in range(35)),\n" in source("resnet152")
    assert 'self.add_module(f"denselayer{number}", DenseLayer(224 + 32 * number))\n' in source("densenet121")


def test_the_head_says_table_paper_and_version() -> None:
    head = source("vgg16").split('"""')[1]
    for words in ("arXiv:1409.1556, Table 1", "(tables/vgg.toml, column D)", f"archscope {archscope.__version__}"):
        assert words in " ".join(head.split())
    assert "Changed from the paper: width=1/4." in source("vgg16", width="1/4")


@pytest.mark.parametrize("name", KINDS)
def test_the_comments_are_what_a_run_gives(name: str) -> None:
    changes = short(name)
    graph, model = archscope.lower(name, **changes), made(name, "meta", **changes)
    check_comments(source(name, **changes), graph, model, shapes_in_a_run(model, archscope.load(name).input_shape))


def check_comments(text: str, graph: Graph, model: nn.Module, shapes: dict[nn.Module, tuple[int, ...]]) -> None:
    own = text.rsplit(f"class {class_name(graph, 0)}(nn.Module):", maxsplit=1)[-1].partition("    def forward")[0]
    comments = [match for match in map(COMMENT.search, own.splitlines()) if match is not None]
    commented = list(_commented(model, comments))
    assert len(commented) == len(comments) > 0
    for match, modules in commented:
        assert "×".join(map(str, shapes[modules[-1]])) == match["shape"]
        params = sum(each.numel() for module in modules for each in module.parameters())
        assert params == int((match["params"] or "0").replace(",", ""))


def shapes_of(graph: Graph, model: nn.Module) -> dict[nn.Module, tuple[int, ...]]:
    """The shapes that the graph has for each module's output; other tests hold them against torch."""
    found = {scope.path: graph.tensors[scope.outputs[0]].shape[1:] for scope in graph.scopes[1:] if scope.outputs}
    found |= {node.path: graph.shape_out(node)[1:] for node in graph.nodes}
    return {module: found[path] for path, module in model.named_modules() if path in found}


def shapes_in_a_run(model: nn.Module, input_shape: tuple[int, ...]) -> dict[nn.Module, tuple[int, ...]]:
    shapes: dict[nn.Module, tuple[int, ...]] = {}

    def note(module: nn.Module, _: object, result: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        if isinstance(result, torch.Tensor):
            shapes[module] = tuple(result.shape[1:])

    for module in model.modules():
        module.register_forward_hook(note)
    with torch.no_grad():
        model.train()(torch.empty(2, *input_shape, device="meta"))
    return shapes


def _commented(model: nn.Module, comments: list[re.Match[str]]) -> Iterator[tuple[re.Match[str], list[nn.Module]]]:
    """Each comment of the network's class with the modules that it is about, in their order."""
    waiting = iter(comments)

    def walk(module: nn.Module) -> Iterator[tuple[re.Match[str], list[nn.Module]]]:
        children = list(module.children())
        while children:
            first = children.pop(0)
            if type(first) is nn.Sequential:
                yield from walk(first)
                continue
            match = next(waiting)
            taken = int(match["count"] or 1) - 1
            yield match, [first, *children[:taken]]
            children = children[taken:]

    yield from walk(model)


def check_forwards(graph: Graph, text: str) -> None:
    """Every forward of the built module stands in the source, loops written as such."""
    own = {tuple(forward_lines(graph, at)) for at, scope in enumerate(graph.scopes) if wants_forward(graph, at)}
    assert own
    for lines in own:
        assert plain("\n".join(looped(list(lines)))) in text, lines


def wants_forward(graph: Graph, index: int) -> bool:
    return bool(graph.scopes[index].outputs) and any(graph.nodes_in(index)) and not is_chain(graph, index)


def plain(text: str) -> str:
    """Without the places where lines are broken."""
    return re.sub(r",(?=[)\]])", "", re.sub(r"\s+", "", text))


def test_a_dense_block_is_a_loop_and_only_where_it_is_exactly_that() -> None:
    straight = [
        "def forward(self, x):",
        "    a1 = self.a1(x)",
        "    a2 = self.a2(x, a1)",
        "    return torch.cat([x, a1, a2], 1)",
    ]
    assert "    for layer in self.children():" in looped(straight)
    other = [*straight[:2], "    a2 = self.a2(a1, x)", straight[3]]
    assert looped(other) == tuple(other)


def test_long_lines_are_broken_at_their_last_bracket() -> None:
    assert wrapped(f"x = torch.cat([{'a, ' * 30}b], 1)", 8)[0] == "        x = torch.cat("
    assert split("a, f(b, [c, d]), e") == ["a", "f(b, [c, d])", "e"]


def test_a_target_that_there_is_not_is_answered_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="to is 'caffe'"):
        archscope.export("vgg16", "caffe")


def test_a_module_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="Linear is a module, and --to python writes networks of tables"):
        archscope.export(nn.Linear(2, 3))


def test_an_op_that_source_cannot_say_is_named() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.inv(x)

    graph = archscope.capture(Odd(), (3, 8, 8))
    with pytest.raises(Unsupported, match=r"linalg_inv.* was seen in a module, and cannot be built from a graph"):
        python_source(graph, "", "0")
