"""The public verbs: what they take, and that the numbers they give add up."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import pytest
from errors_at import table
from hypothesis import given, settings
from hypothesis import strategies as st

import archscope
from archscope import catalog
from archscope.core.arithmetic import Shape, Size, product
from archscope.core.errors import ArchscopeError, Unsupported, UsageError
from archscope.core.records import Call
from archscope.ops import Elementwise, Op
from archscope.ops.conv import Conv
from archscope.spec.network import Spec
from archscope.spec.options import Changes, Options

NETWORKS = sorted(catalog.everything())


@dataclass(frozen=True)
class Swish(Elementwise):
    """An op of the caller's own, with a field that its notation may leave out."""

    sharpness: float = 1.0

    notation: ClassVar[str | None] = "swish[ {sharpness}]"

    def elementwise(self, *inputs: Shape) -> Size | None:
        return 8 * product(inputs[0])

    def torch(self, *inputs: Shape) -> Call:  # noqa: ARG002  the contract's signature
        return Call("nn.GELU")


@dataclass(frozen=True)
class Twin(Elementwise):
    """It reads the cells that ReLU reads."""

    notation: ClassVar[str | None] = "relu"


@dataclass(frozen=True)
class Silent(Op):
    """It says neither its MACs nor what it does to memory."""

    notation: ClassVar[str | None] = "silent"

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


def texts(spec: Spec) -> list[str]:
    return [layer.text for layer in spec.layers()]


def test_a_network_is_loaded_by_name_alias_or_however_it_is_spelled():
    assert archscope.load("vgg16") == archscope.load("VGG-16") == archscope.load("vgg_16")
    assert archscope.load("googlenet") == archscope.load("inception_v1")
    assert archscope.load("vgg16").name == "vgg16"


def test_a_network_is_loaded_from_a_file_and_a_column(here: Path):
    (here / "mine.toml").write_text(table("| conv3-4 | conv3-8 |"))
    assert texts(archscope.load("./mine.toml:B")) == ["conv3-8"]
    assert archscope.load("./mine.toml:A", input=(1, 4, 4)).input_shape == (1, 4, 4)
    (here / "one.toml").write_text(table("| conv3-4 |", heads="| A |"))
    assert archscope.load(str(here / "one.toml")).name == "A"


def test_a_network_is_loaded_from_cells_ops_lists_and_branches():
    block = {"join": "add", "branches": [["conv1-4"], ["conv3-2", "conv1-4"]]}
    spec = archscope.load(["conv3-4", Conv(1, 4), ["relu", "maxpool"], block, "FC-3"], input=(3, 8, 8), name="mine")
    graph = archscope.lower(spec)
    assert (graph.name, graph.shape_out(graph.nodes[-1])) == ("mine", (1, 3))
    assert archscope.profile(spec).totals["params"].value == 112 + 20 + 20 + 74 + 12 + 195


def test_a_spec_may_be_changed_again():
    spec = archscope.load("vgg11", num_classes=10)
    again = archscope.load(spec, dropout=0.1)
    assert again.changes == ("num_classes=10", "dropout=0.1")
    assert archscope.profile(again).totals["params"].value == archscope.profile(spec).totals["params"].value


def test_cells_without_an_input_are_refused():
    with pytest.raises(UsageError) as caught:
        archscope.load(["relu"])
    assert str(caught.value) == "missing-input: a network written as cells needs input=(channels, height, width)"


def test_a_cell_in_python_is_shown_in_its_error():
    with pytest.raises(ArchscopeError) as caught:
        archscope.load(["relu", "cnv3-4"], input=(3, 8, 8))
    assert str(caught.value).splitlines()[:3] == [
        "<python>:1:1: unknown-op: cannot read 'cnv3-4' as an op", "    1 | cnv3-4", "      | ^^^^^^",
    ]  # fmt: skip
    with pytest.raises(ArchscopeError) as caught:
        archscope.lower(archscope.load(["relu", "conv9-4 valid"], input=(3, 8, 8)))
    assert str(caught.value).splitlines()[1] == "    1 | conv9-4 valid"


@pytest.mark.parametrize(
    ("cells", "message", "place"),
    [
        (["conv3-4", ["relu", "cnv"]], "cannot read 'cnv' as an op", "item 2, item 2"),
        (
            ["conv3-4", {"join": "add", "branches": [["conv3-4"], ["relu", "conv3-5"]]}],
            "add needs inputs of one shape; got 4×8×8, 5×8×8", "item 2, branch 1",
        ),
        (
            ["relu", {"branches": [["conv3-4"], ["relu", {"join": "add", "branches": [["conv1-2"], ["conv1-3"]]}]]}],
            "add needs inputs of one shape; got 2×8×8, 3×8×8", "item 2, branch 2, item 2, branch 1",
        ),
        ([{"join": "relu", "branches": [["relu"]]}], "'relu' makes nothing of several tensors", "item 1"),
        (["relu", {"jon": "add", "branches": [["relu"]]}], "'jon' means nothing here", "item 2"),
        (["relu", 3], "3 is no cell, op, list or block", "item 2"),
    ],
)  # fmt: skip
def test_an_error_in_what_a_program_gives_says_which_item_and_branch_it_is(cells: list, message: str, place: str):
    with pytest.raises(ArchscopeError) as caught:
        archscope.lower(archscope.load(cells, input=(3, 8, 8)))
    (problem,) = caught.value.problems
    assert problem.message.startswith(message)
    assert problem.span is not None
    assert (problem.span.source.name, problem.span.place) == ("<python>", place)


def test_blocks_of_a_table_with_the_callers_own_ops_are_set(here: Path):
    (here / "mine.toml").write_text(table("| conv3-4 |", "| swish |", "| maxpool |", "| conv3-8 |", heads="| A |"))
    changed = archscope.load("mine.toml", ops=[Swish], blocks=(2, 1))
    assert [type(node.op).__name__ for node in archscope.lower(changed).nodes] == [
        "Conv", "Swish", "Conv", "Swish", "MaxPool", "Conv",
    ]  # fmt: skip


def test_an_op_of_the_callers_own_is_one_like_ours(here: Path):
    cells = ["conv3-4", "swish", "swish 2.5", "FC-2"]
    graph = archscope.lower(archscope.load(cells, input=(3, 8, 8), ops=[Swish]))
    assert [node.op for node in graph.nodes[1:3]] == [Swish(), Swish(2.5)]
    (here / "mine.toml").write_text(table("| conv3-4 |", "| swish |", heads="| A |"))
    assert archscope.load("mine.toml", ops=[Swish]).root.items[1].op == Swish()  # type: ignore[union-attr]
    changed = archscope.load("mine.toml", ops=[Swish], set={"row 2.A": "swish 3"})
    assert changed.root.items[1].op == Swish(3.0)  # type: ignore[union-attr]
    with pytest.raises(ArchscopeError, match="cannot read 'swish' as an op"):
        archscope.load("mine.toml")


def test_two_ops_of_one_name_raise_naming_both():
    with pytest.raises(Unsupported) as caught:
        archscope.load(["relu"], input=(3, 8, 8), ops=[Twin])
    (problem,) = caught.value.problems
    assert problem.code == "duplicate-op"
    both = f"{Twin.__module__}.Twin and archscope.ops.relu.ReLU"
    assert problem.message == f"{both} both read cells that begin with 'relu'"
    with pytest.raises(Unsupported, match=r"\.Twin and .*\.Twin and archscope.ops.relu.ReLU both read"):
        archscope.load(["relu"], input=(3, 8, 8), ops=[Twin, Twin])


def test_what_an_op_does_not_say_makes_a_total_a_bound_and_never_counts_as_0():
    profile = archscope.profile(archscope.load(["conv3-4", "silent"], input=(3, 8, 8), ops=[Silent]))
    macs = profile.totals["macs"]
    assert (macs.value, macs.status, macs.missing) == (64 * 108, "bound", ("Silent",))
    assert profile.rows[1].values["macs"] is None
    assert profile.totals["activations"].status == "bound"
    assert profile.totals["params"].status == "exact"


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("network", NETWORKS)
def test_rows_add_up_to_the_totals_at_every_depth(network: str, mode: str):
    columns = ("params", "trainable_params", "macs", "flops", "activations", "activation_bytes")
    profile = archscope.profile(network, mode=mode, columns=columns)
    for depth in (None, *range(8)):
        rows = profile.at_depth(depth)
        assert sum(row.layers for row in rows) == len(profile.rows)
        for column in columns:
            assert sum(row.values[column] for row in rows) == profile.totals[column].value, (depth, column)
    graph = profile.graph
    assert graph is not None
    assert mode == "eval" or profile.totals["params"].value == sum(product(its.shape) for its in graph.parameters)


@pytest.mark.parametrize("network", NETWORKS)
def test_what_the_heads_add_while_training_is_the_difference_of_both_modes(network: str):
    eval_, train = (archscope.profile(network, mode=mode, columns=("params", "macs")) for mode in ("eval", "train"))
    for column in ("params", "macs"):
        aux = eval_.aux[column].value if eval_.aux else 0
        assert eval_.totals[column].value + aux == train.totals[column].value


@settings(max_examples=20)
@given(st.integers(1, 4096), st.sampled_from(NETWORKS))
def test_macs_and_activations_are_linear_in_the_batch_and_params_do_not_change(batch: int, network: str):
    one, many = archscope.profile(network).totals, archscope.profile(network, batch).totals
    assert many["macs"].value == batch * one["macs"].value
    assert many["activations"].value == batch * one["activations"].value
    assert many["params"].value == one["params"].value


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"batch": 0}, "bad-value: batch is 0"),
        ({"batch": "2"}, "bad-value: batch is '2'"),
        ({"dtype": "float8"}, "bad-value: dtype is 'float8'"),
        ({"mode": "test"}, "bad-value: mode is 'test'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_usage_error(given_: dict[str, Any], message: str):
    with pytest.raises(UsageError) as caught:
        archscope.profile("vgg11", **given_)
    assert str(caught.value).splitlines()[0] == message


def test_an_unknown_column_is_shown_with_the_nearest():
    with pytest.raises(ArchscopeError) as caught:
        archscope.profile("vgg11", columns=["macz"])
    assert str(caught.value) == "unknown-column: no column is called 'macz'\n  help:     did you mean macs?"


def test_options_and_changes_have_the_same_fields():
    assert [field.name for field in fields(Options)] == list(Changes.__annotations__)


def test_the_package_shows_its_verbs_and_nothing_else():
    assert sorted(archscope.__all__) == list(archscope.__all__)
    assert {"load", "lower", "profile", "build", "Spec", "ArchscopeError"} <= set(archscope.__all__)
    for name in archscope.__all__:
        assert getattr(archscope, name).__name__ == name
        assert name in dir(archscope)
    with pytest.raises(AttributeError, match="module 'archscope' has no attribute 'nothing'"):
        archscope.nothing  # noqa: B018


VERBS = [name for name in archscope.__all__ if inspect.isfunction(getattr(archscope, name))]


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_what_it_takes_and_what_it_raises(name: str):
    verb = getattr(archscope, name)
    text = inspect.getdoc(verb) or ""
    taken = [each for each in inspect.signature(verb).parameters if each != "changes"]
    assert [each for each in taken if re.search(rf"\b{each}\b", text) is None] == []
    assert "Raises" in text
    assert set(verb.__annotations__) == {*inspect.signature(verb).parameters, "return"}


def test_no_module_bears_the_name_of_a_verb():
    folder = Path(archscope.__file__).parent
    taken = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert not taken & set(archscope.__all__)


@pytest.mark.parametrize(
    "statement", ["import archscope", "import archscope; archscope.profile('vgg16'); archscope.load('googlenet')"]
)
def test_nothing_heavy_is_imported_for_a_table(statement: str):
    heavy = "{'torch', 'numpy', 'sympy', 'rich', 'typer', 'difflib', 'fractions', 'importlib.metadata'}"
    code = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
