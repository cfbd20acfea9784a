"""What tests of tables ask of a network: its counts, its module's counts, and whether it is torchvision's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import archscope
from archscope.core.arithmetic import product
from archscope.evidence import EXPLAINED, UNDECIDED, Finding
from archscope.graph.graph import Graph, Node
from archscope.spec.table import Table, read_source, read_table

if TYPE_CHECKING:
    import torch

TABLES = Path(__file__).parents[1] / "tables"


def table(stem: str) -> Table:
    return read_table(read_source(TABLES / f"{stem}.toml"))


def params(graph: Graph) -> int:
    return sum(product(parameter.shape) for parameter in graph.parameters)


def macs(graph: Graph) -> int:
    counts = [node.op.macs(*graph.shapes_in(node)) for node in graph.nodes]
    assert None not in counts
    return sum(count or 0 for count in counts)


def counts(name: str, **changes: Any) -> tuple[int, int]:
    """Params and MACs."""
    graph = archscope.lower(name, **changes)
    return params(graph), macs(graph)


def weighted(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op.weight_layer]


def module_counts(name: str) -> tuple[int, int]:
    """Params and MACs of the built module: those of torch, and half of what its own counter finds."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    model = archscope.build(name, device="meta").eval()
    image = torch.empty(1, *archscope.load(name).input_shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        model(image)
    return sum(each.numel() for each in model.parameters()), counter.get_total_flops() // 2


def assert_is_torchvisions(name: str, theirs: str) -> None:
    """The state dict has torchvision's keys and shapes, in its order; with it the outputs are equal, bit for bit."""
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        reference = getattr(models, theirs)(weights=None).eval()
    model = archscope.build(name, device="meta").eval()
    shapes = {key: tensor.shape for key, tensor in model.state_dict().items()}
    assert list(shapes.items()) == [(key, tensor.shape) for key, tensor in reference.state_dict().items()]
    torch.manual_seed(0)
    state = {key: _made_up(key, tensor) for key, tensor in reference.state_dict().items()}
    for each in (model, reference):
        each.load_state_dict(state, strict=True, assign=True)
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        output = model(image)
        assert torch.equal(output, reference(image))
    assert output.std() > 0


def _made_up(key: str, like: torch.Tensor) -> torch.Tensor:
    """A tensor of a state dict: much quicker than to initialise the network, and no norm is the identity."""
    import torch

    if not like.is_floating_point():
        return torch.zeros(like.shape, dtype=like.dtype)
    if like.dim() < 2:
        return torch.empty(like.shape).uniform_(0.5, 1.5) if key.endswith(("weight", "var")) else torch.rand(like.shape)
    return torch.empty(like.shape).uniform_(-1, 1) * (3 / like[0].numel()) ** 0.5


def explained(stem: str) -> list[tuple[str, str, str]]:
    """The printed numbers of a table that an erratum refutes: network, place and number. Any other must agree."""
    found: list[Finding] = list(archscope.check(str(TABLES / f"{stem}.toml"), witnesses=["published"]))
    assert {finding.status for finding in found} <= {"agrees", EXPLAINED, UNDECIDED}
    return [(each.network, each.what, each.claimed) for each in found if each.status == EXPLAINED]
