"""Every command has help with examples, and every example runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from pictures_on_disk import save_picture
from PIL import Image
from runs_on_disk import save_run

from archscope import commands
from archscope.training.data import open_data

WITH_VERDICT = Path(__file__).parents[1] / "read_back" / "run_1"
FILES = sorted(path.stem for path in Path(commands.__file__).parent.glob("[!_]*.py"))


VERDICTS = {"diff", "lint"}
"""Commands that end with 1 where they find what they look for."""


ASK_A_RUN = {"activations", "predict", "evaluate", "report"}
"""Commands whose examples ask a run that there is: ``runs/digits``."""


def make_run(here: Path) -> None:
    """The run and the pictures that examples name."""
    run = here / "runs" / "digits"
    save_run(run, "vgg11", open_data("digits", input_shape=(1, 32, 32)), width="1/32", bn="conv")
    shutil.copy(WITH_VERDICT / "verdict.json", run)
    for name in ("seven.png", "eight.png", "more/7/a.png", "more/8/a.png"):
        save_picture(here / name)


def examples(stem: str) -> list[str]:
    """The command lines in the docstring of a command."""
    text = getattr(import_module(f"archscope.commands.{stem}"), stem).__doc__ or ""
    return re.findall(r"^ +archscope (.+)$", text.partition("Examples:")[2], flags=re.MULTILINE)


@pytest.mark.parametrize("name", commands.named())
def test_every_command_has_help_with_an_example(name: str, archscope: Callable) -> None:
    outcome = archscope(f"{name} --help", columns=100)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Examples:" in outcome.out
    assert f"archscope {name}" in outcome.out.partition("Examples:")[2]
    assert max(map(len, outcome.out.split("\n"))) <= 100
    assert archscope(f"{name} -h", columns=100).out == outcome.out


@pytest.mark.parametrize("stem", FILES)
def test_every_example_runs(stem: str, archscope: Callable, here: Path) -> None:
    assert examples(stem)
    if stem in ASK_A_RUN:
        make_run(here)
    for line in examples(stem):
        if line == "check ./mypaper.toml":
            assert archscope("new mypaper.toml").code == 0
        if "photo.jpg" in line:
            Image.new("RGB", (40, 30), "orange").save(here / "photo.jpg")
        outcome = archscope(line)
        assert outcome.code in ({0, 1} if stem in VERDICTS else {0}), line
        assert outcome.err == "", line
        assert outcome.out
    written = {path.name for path in here.iterdir()} - {"runs", "seven.png", "eight.png", "more"}
    drawn = {"googlenet.svg", "resnet152.svg", "bars.svg", "layers.svg", "vgg16.svg"}
    pages = {"report.html", "resnet18.html", "run.html"}
    through = {"photo.jpg", "pools.png", "maps.png", "smaller.png", "class.png", "trained.png", "field.png"}
    assert written <= {"mypaper.toml", "networks.csv", "vgg11.py", *drawn, *pages, *through}


def test_the_first_commands_that_a_newcomer_is_told_run(archscope: Callable) -> None:
    lines = re.findall(r"archscope (.+)", commands.HELP)
    assert len(lines) == 3
    assert [archscope(line).code for line in lines] == [0, 0, 0]


@pytest.mark.parametrize("stem", FILES)
def test_every_file_of_the_folder_is_one_command(stem: str) -> None:
    module = import_module(f"archscope.commands.{stem}")
    public = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    assert stem in public
    assert stem.rstrip("_") in commands.named()
