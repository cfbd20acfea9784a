"""Everything that is printed or written as JSON has a kind, and is as the schema of that kind says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from pictures_on_disk import save_picture
from runs_on_disk import save_run

from archscope import analyses, commands
from archscope.core import schema
from archscope.training.data import open_data

EVERY_COLUMN = ",".join(name for name in analyses.columns())
TRAINING = "train vgg11 --width 1/32 --steps 2 --batch-size 8 --log-every 1 --optimizer sgd --init default --lr 1e9"
"""At such a rate the loss is no number after the first step."""

SCRIPT = "loss = torch.nn.CrossEntropyLoss()(torch.softmax(model(x), dim=1), y)\n"
TWO_LAYERS = """\
from torch import nn
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU())  # 4x9x9
"""
ENDINGS = {0, 1, 3}
"""Of commands that have printed what they found."""

PRINTED = {
    "summary": (
        "summary googlenet", "summary vgg11 --width 1/4 --mode train --full", "summary ./net.py:Net --input 3x8x8",
        f"summary lenet5 --full --columns {EVERY_COLUMN}", f"summary lenet5 --sort macs --columns {EVERY_COLUMN}",
    ),
    "list": ("list", "list lenet"),
    "ops": ("ops",),
    "keys": ("keys", "keys blocks"),
    "table": ("show vgg", "show googlenet --computed"),
    "check": ("check googlenet vgg11 --witness published", "check ./net.py:Net --input 3x8x8 --witness torchinfo"),
    "comparison": ("compare vgg11 alexnet", "compare vgg --by params"),
    "diff": ("diff googlenet_torchvision googlenet", "diff vgg11 vgg11"),
    "explanation": (
        "explain vgg11 conv1_1", "explain googlenet inception3a", "explain vgg16 depth", "explain lenet5 --all",
        "explain vgg16 conv3_1,conv3_2 --instead conv5-256", "explain vgg11", "explain vgg11 --all",
    ),
    "fit": ("fit vgg11 --memory 1MiB --memory 4GiB", "fit vgg11 --memory 2GiB --largest width --infer"),
    "chip_fit": ("fit mobilenet lenet5 --flash 100KiB --ram 100KiB",),
    "memory": ("memory lenet5 --batch 2", "memory lenet5 --measure --device cpu"),
    "lint": ("lint vgg11", "lint script.py"),
    "annotate": ("annotate ./net.py:Net --input 3x8x8",),
    "sweep": ("sweep vgg11 --vary width=1/4,1/3 --vary bn=none,conv", "sweep vgg11 --vary input=1,224"),
    "search": (
        "search vgg11 --vary width=1/4,1/3 --minimize params",
        "search vgg11 --vary width=1/4 --minimize params --max-params 1",
    ),
    "trial": ('trial lenet5 "lenet5 --dropout 0.1" --seeds 3 --steps 1 --batch-size 8',),
    "evaluate": ("evaluate run", "evaluate run --confusion"),
    "predict": ("predict run picture.png --top 3",),
}  # fmt: skip

WRITTEN = {
    "trained_network": "network.json",
    "recipe": "recipe.json",
    "data": "data.json",
    "classes": "classes.json",
    "preprocessing": "preprocessing.json",
    "verdict": "verdict.json",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module, a script, a picture and a run."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "net.py").write_text(TWO_LAYERS)
    (folder / "script.py").write_text(SCRIPT)
    save_picture(folder / "picture.png")
    save_run(folder / "run", "vgg11", open_data("digits", input_shape=(1, 32, 32)), width="1/32")
    return folder


def closed(part: Any) -> Any:
    """The schema with every object closed that does not say what else may be in it: here no field may be missing."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {name: closed(each) for name, each in part.items()}
    if "properties" in kept and isinstance(kept["properties"], dict) and "type" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def strays(kind: str, found: Any) -> list[str]:
    """Where an object is not as its kind's schema says, fields that the schema does not know included."""
    validator = Draft202012Validator(closed(schema.schema(kind)))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(found)]


def strictly(text: str) -> Any:
    """JSON as every reader reads it: NaN is none."""

    def refuse(token: str) -> None:
        raise ValueError(token)

    return json.loads(text, parse_constant=refuse)


LINES = [(kind, line) for kind, some in PRINTED.items() for line in some]


@pytest.mark.parametrize(("kind", "line"), LINES)
def test_what_a_command_prints_is_as_the_schema_of_its_kind_says(
    kind: str, line: str, place: Path, archscope: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    outcome = archscope(f"{line} --format json")
    assert outcome.code in ENDINGS, outcome.err
    found = strictly(outcome.out)
    assert list(found)[:2] == ["schema_version", "kind"]
    assert strays(kind, found) == []


def test_what_a_training_prints_and_writes_is_as_the_schemas_say(archscope: Callable, here: Path) -> None:
    outcome = archscope(f"{TRAINING} --out run --format json")
    assert outcome.code in ENDINGS, outcome.err
    assert strays("train", strictly(outcome.out)) == []
    for kind, name in WRITTEN.items():
        assert strays(kind, strictly((here / "run" / name).read_text(encoding="utf-8"))) == [], name
    lines = [strictly(line) for line in (here / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [strays("metrics", line) for line in lines] == [[], []]
    assert lines[1]["losses"] == {"logits": "nan"}


def test_a_sweep_in_a_file_is_as_its_schema_says(place: Path, archscope: Callable) -> None:
    assert archscope(f"sweep vgg11 --vary width=1/4,1/3 -o {place / 'designs.json'}").code == 0
    assert strays("sweep", strictly((place / "designs.json").read_text(encoding="utf-8"))) == []


def test_every_kind_and_every_command_with_json_is_among_them() -> None:
    assert {*PRINTED, *WRITTEN, "train", "metrics"} == set(schema.kinds())
    printing = set()
    for name in commands.named():
        options = {option for each in _parameters(name) for option in each.opts}
        printing |= {name} if "--format" in options else set()
    assert {line.partition(" ")[0] for line in (TRAINING, *(line for _, line in LINES))} == printing


def _parameters(name: str) -> Any:
    group = commands.command_line()
    return group.get_command(typer.Context(group), name).params


def test_a_field_that_a_schema_does_not_know_and_one_that_is_missing_are_found() -> None:
    sign = {"status": "odd", "what": "a", "cause": "", "mend": "", "name": "b"}
    found = schema.headed("verdict", {"verdict": "learns", "causes": [], "signs": [sign]})
    assert strays("verdict", found) == []
    found["signs"] = [{**sign, "colour": "red"}]
    assert strays("verdict", found)[0].startswith("$.signs[0]: Additional properties are not allowed ('colour'")
    del sign["what"]
    found["signs"] = [sign]
    assert strays("verdict", found) == ["$.signs[0]: 'what' is a required property"]
    assert strays("sweep", found)


def test_the_kinds_are_listed_and_each_schema_is_printed_whole(archscope: Callable) -> None:
    listed = archscope("schema")
    assert (listed.code, listed.err) == (0, "")
    for kind in schema.kinds():
        assert f"\n{kind} " in listed.out
        printed = archscope(f"schema {kind}")
        assert json.loads(printed.out) == schema.schema(kind)


def test_a_kind_that_there_is_not_is_told_with_the_nearest(archscope: Callable) -> None:
    outcome = archscope("schema sumary")
    assert (outcome.code, outcome.out) == (1, "")
    first, expected, help_ = outcome.err.splitlines()
    assert first == "unknown-kind: no JSON of archscope's is of kind 'sumary'"
    assert expected.startswith("  expected: annotate, check, ")
    assert help_.startswith("  help:     did you mean summary")
