"""The profile as plain data: rows add up, at every depth, in every setting."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import archscope
from archscope import catalog
from archscope.core.errors import UnknownName

SUMS = ("params", "trainable_params", "macs", "flops", "activations", "activation_bytes")


@pytest.mark.parametrize("name", list(catalog.everything()))
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_rows_add_up_to_the_totals_at_every_depth(name: str, mode: str) -> None:
    profile = archscope.profile(name, mode=mode, columns=SUMS)
    for depth in (0, 1, 2, None):
        rows = profile.at_depth(depth)
        assert sum(row.layers for row in rows) == len(profile.rows)
        for column in SUMS:
            assert sum(row.values[column] for row in rows) == profile.totals[column].value
            assert profile.totals[column].status == "exact"


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 64))
def test_macs_and_activations_are_linear_in_the_batch_and_params_do_not_depend_on_it(batch: int) -> None:
    one, many = archscope.profile("googlenet"), archscope.profile("googlenet", batch)
    assert many.totals["macs"].value == batch * one.totals["macs"].value
    assert many.totals["activations"].value == batch * one.totals["activations"].value
    assert many.totals["params"] == one.totals["params"]


def test_what_the_auxiliary_heads_add_is_the_difference_of_the_modes() -> None:
    evaluated, trained = (archscope.profile("googlenet", mode=mode) for mode in ("eval", "train"))
    assert evaluated.aux["params"].value == trained.totals["params"].value - evaluated.totals["params"].value
    assert evaluated.aux["params"].value == 13_378_280 - 6_998_552
    assert trained.aux == {}


@pytest.mark.parametrize(
    ("name", "depth", "by_stage", "by_op"),
    [
        ("vgg16", 16, (2, 2, 3, 3, 3, 3), {"Conv": 13, "FC": 3}),
        ("googlenet", 22, (1, 2, 4, 10, 4, 1), {"Conv": 57, "FC": 1}),
        ("alexnet", 8, (1, 1, 3, 3), {"Conv": 5, "FC": 3}),
    ],
)
def test_depth_is_counted_as_papers_count_it(
    name: str, depth: int, by_stage: tuple[int, ...], by_op: dict[str, int]
) -> None:
    profile = archscope.profile(name)
    assert (profile.depth, profile.by_stage, profile.by_op) == (depth, by_stage, by_op)
    assert sum(by_stage) == depth


def test_a_block_is_folded_into_one_row_with_its_output() -> None:
    rows = {row.name: row for row in archscope.profile("googlenet").at_depth(0)}
    block = rows["inception3a"]
    assert (block.op, block.values["output_shape"], block.values["params"]) == ("inception", (256, 28, 28), 163_696)
    assert rows["conv1"].op == "conv7-64/2 + relu"


def test_totals_of_shapes_mean_nothing() -> None:
    total = archscope.profile("vgg11").totals["output_shape"]
    assert (total.value, total.status) == (None, "unavailable")


def test_a_column_that_there_is_not_is_named() -> None:
    with pytest.raises(
        UnknownName, match="unknown-column: no column is called 'paramz'\n  help:     did you mean params"
    ):
        archscope.profile("vgg11", columns=("paramz",))


def test_a_block_is_as_deep_as_its_longest_branch():
    rows = {row.name: row for row in archscope.profile("googlenet", columns=["weight_layers"]).at_depth(0)}
    assert {row.values["weight_layers"] for name, row in rows.items() if name.startswith("inception")} == {2}
    assert (rows["conv1"].values["weight_layers"], rows["maxpool1"].values["weight_layers"]) == (1, 0)


def test_functions_of_one_kind_in_one_block_are_numbered_from_the_second():
    """Inception v3's last blocks split two of their branches again, and join them twice more."""
    names = [row.path for row in archscope.profile("inception_v3").rows if row.path.startswith("Mixed_7b.concat")]
    assert names == ["Mixed_7b.concat", "Mixed_7b.concat_2", "Mixed_7b.concat_3"]


class Silent(nn.Module):
    """It computes something and returns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.ReLU(), nn.Tanh()

    def forward(self, x: torch.Tensor) -> None:
        self.second(self.first(x))


class Around(nn.Module):
    """A network that does not use what a part of it computes."""

    def __init__(self) -> None:
        super().__init__()
        self.silent, self.fc = Silent(), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.silent(x)
        return self.fc(x)


def test_a_block_that_returns_nothing_has_no_shape():
    rows = {row.path: row.values for row in archscope.profile(Around(), input=(4,)).at_depth(0)}
    assert rows["silent"] == {"output_shape": None, "params": 0, "macs": 0, "activations": 8}
    assert rows["fc"]["output_shape"] == (2,)
