"""What layers read and write: by hand for a few, and every call of torch for whole networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archscope
from archscope.analyses import Total


def moved(network: Any, **options: Any) -> dict[str, int]:
    profile = archscope.profile(network, columns=["moved_bytes"], **options)
    return {row.name: row.values["moved_bytes"] for row in profile.rows}


def total(network: Any, **options: Any) -> Total:
    return archscope.profile(network, columns=["moved_bytes"], **options).totals["moved_bytes"]


class Traffic(TorchDispatchMode):
    """Adds up the bytes of the tensors that each ATen call takes and makes; views move nothing."""

    moved = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        taken, made = ([each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)] for tree in (args, out))
        written = func._schema.is_mutable or not any(
            its.untyped_storage()._cdata == mine.untyped_storage()._cdata for its in made for mine in taken
        )
        self.moved += sum(each.nbytes for each in [*taken, *made]) if written else 0
        return out


@pytest.mark.parametrize("name", ["vgg11", "resnet18", "googlenet", "mobilenet_v2", "densenet121", "se_resnet50"])
def test_a_networks_layers_move_what_torchs_calls_take_and_make(name: str) -> None:
    model = archscope.build(name, device="meta").eval()
    image = torch.empty(2, *archscope.load(name).input_shape, device="meta")
    with torch.inference_mode(), Traffic() as traffic:
        model(image)
    found = total(archscope.lower(name, 2, softmax=False), batch=2)
    assert (found.value, found.status) == (traffic.moved, "exact")


def test_a_convolution_reads_its_input_and_weights_and_writes_its_output() -> None:
    found = moved("vgg16")
    assert found["conv1_1"] == 4 * (3 * 224 * 224 + 1_792 + 64 * 224 * 224)
    assert found["relu1_1"] == 4 * 2 * 64 * 224 * 224
    assert found["fc6"] == 4 * (25_088 + 102_764_544 + 4_096)
    assert found["drop6"] == found["flatten"] == 0


def test_the_batch_moves_its_maps_and_no_more_weights() -> None:
    assert moved("vgg16", batch=8)["fc6"] == 4 * (8 * 25_088 + 102_764_544 + 8 * 4_096)
    assert total("vgg16", dtype="float16").value * 2 == total("vgg16").value


def test_of_an_embedding_the_rows_are_read_that_are_looked_up() -> None:
    words = torch.nn.Embedding(30_522, 768)
    rows = moved(words, input="input:128:int64")
    assert list(rows.values()) == [128 * 8 + 2 * 4 * 128 * 768]


def test_an_op_without_a_rule_makes_the_total_a_lower_bound() -> None:
    class Odd(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.svdvals(x)

    assert total(Odd(), input="1x8x8").status == "bound"


def test_a_sum_of_three_reads_and_writes_what_lies_between_as_well() -> None:
    """torch adds two, and the third to their sum: six tensors go to or from memory."""
    block = {"join": "add out-of-place", "branches": [["conv1-4"], ["conv3-4"], ["conv5-4"]]}
    spec = archscope.load([block], input=(3, 8, 8))
    assert moved(spec)["0.add"] == 6 * 4 * (4 * 8 * 8)
