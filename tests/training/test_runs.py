"""A run's folder: it comes back as it was written, and a stranger's does no harm."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from archscope.core.errors import ArchscopeError
from archscope.core.schema import headed
from archscope.training import folders, runs
from archscope.training.preprocessing import Preprocessing
from archscope.training.runs import Run, TrainedNetwork, begin, locked, plain_changes, read_run

RUN = Run(
    TrainedNetwork("vgg11", {"width": "1/8", "input_size": (32, 32), "bn": "conv"}, (3, 32, 32)),
    {"lr": 0.1},
    {"name": "digits", "seed": 3},
    ("zero", "µ\x1b[2J"),
    Preprocessing(3, (32, 32), "short", 40, (0.1, 0.2, 0.3), (0.5, 0.5, 0.5)),
)


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    begin(tmp_path / "runs" / "one", RUN)
    assert read_run(tmp_path / "runs" / "one") == RUN
    assert RUN.title == "vgg11 on digits"
    assert runs.checkpoints_of(tmp_path / "runs" / "one").is_dir()
    (tmp_path / "link").symlink_to(tmp_path / "runs" / "one")
    assert read_run(tmp_path / "link") == RUN


def test_changes_are_written_as_json_has_them() -> None:
    changes = {"width": Fraction(1, 8), "input_size": (32, 48), "bn": None, "blocks": ((1, 64), "M"), "set": {"a": "b"}}
    plain = {"width": "1/8", "input_size": [32, 48], "blocks": [[1, 64], "M"], "set": {"a": "b"}}
    assert plain_changes(changes) == plain


@pytest.mark.parametrize(("file", "value", "text"), [
    ("network", [], "'network.json' in '{0}' has []"),
    ("network", {"address": 3}, "'network.json' in '{0}' has address 3"),
    ("network", {"address": "a" * 1001}, "'network.json' in '{0}' has address 'aaa"),
    ("network", {"address": "a", "changes": []}, "'network.json' in '{0}' has changes []"),
    ("network", {"address": "a", "changes": {}, "input_shape": [3, 2**40, 1]},
     "'network.json' in '{0}' has input_shape [3, 1099511627776, 1]"),
    ("network", {"address": "a", "changes": {}, "input_shape": [3, True, 1]},
     "'network.json' in '{0}' has input_shape [3, True, 1]"),
    ("recipe", 3, "'recipe.json' in '{0}' has 3"),
    ("data", {"seed": 1}, "'data.json' in '{0}' has name None"),
    ("data", {"name": "digits", "seed": "x"}, "'data.json' in '{0}' has seed 'x'"),
    ("classes", {"a": 1}, "'classes.json' in '{0}' has {{'a': 1}}"),
    ("classes", ["a"], "'classes.json' in '{0}' has ['a']"),
    ("classes", ["a", 1], "'classes.json' in '{0}' has a class 1"),
    ("preprocessing", {"channels": 2, "size": [1, 1]}, "'preprocessing.json' in '{0}' has size [2, [1, 1]]"),
    ("preprocessing", {"channels": [], "size": [1, 1]}, "'preprocessing.json' in '{0}' has size [[], [1, 1]]"),
    ("preprocessing", {**RUN.preprocessing.plain(), "resize": "x"}, "'preprocessing.json' in '{0}' has resize 'x'"),
    ("preprocessing", {**RUN.preprocessing.plain(), "short_side": 10**9},
     "'preprocessing.json' in '{0}' has short_side 1000000000"),
    ("preprocessing", {**RUN.preprocessing.plain(), "mean": [1, 2]}, "'preprocessing.json' in '{0}' has mean [1, 2]"),
    ("preprocessing", {**RUN.preprocessing.plain(), "std": [0.0]}, "'preprocessing.json' in '{0}' has std [0.0]"),
])  # fmt: skip
def test_what_makes_no_sense_in_a_run_is_named_with_its_file(file: str, value: Any, text: str, tmp_path: Path) -> None:
    begin(tmp_path, RUN)
    (tmp_path / f"{file}.json").write_text(json.dumps(value))
    with pytest.raises(ArchscopeError) as caught:
        read_run(tmp_path)
    assert str(caught.value).startswith(f"bad-run: {text.format(tmp_path)}")


@pytest.mark.parametrize(("content", "text"), [
    ("{", "is no JSON: "),
    ("[" * 100_000, "is no JSON: "),
    ('{"lr": NaN}', "is no JSON: NaN is no number"),
    ("9" * 5000, "is no JSON: "),
    ("\udcff", "is no JSON: "),
])  # fmt: skip
def test_a_file_that_is_no_json_is_named(content: str, text: str, tmp_path: Path) -> None:
    begin(tmp_path, RUN)
    path = tmp_path / "recipe.json"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(ArchscopeError) as caught:
        read_run(tmp_path)
    assert str(caught.value).startswith(f"bad-run: {str(path)!r} {text}")


def test_a_file_larger_than_any_run_has_is_not_read(tmp_path: Path) -> None:
    begin(tmp_path, RUN)
    with (tmp_path / "classes.json").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ArchscopeError, match=r"has 1,099,511,627,776 bytes, and at most 16,777,216 are read"):
        read_run(tmp_path)


@pytest.mark.parametrize("what", ["file", "folder of checkpoints", "pipe", "folder"])
def test_nothing_but_files_of_the_run_itself_is_read(what: str, tmp_path: Path) -> None:
    begin(tmp_path / "run", RUN)
    secret = tmp_path / "secret.json"
    secret.write_text('{"password": "12345"}')
    path = tmp_path / "run" / "recipe.json"
    text = {"pipe": "is no file", "folder": "is no file"}.get(what, "is a link, and links in a run are not followed")
    if what == "folder of checkpoints":
        (tmp_path / "run" / "checkpoints").rmdir()
        (tmp_path / "run" / "checkpoints").symlink_to(tmp_path)
        with (
            pytest.raises(ArchscopeError, match=text),
            folders.opened(runs.checkpoints_of(tmp_path / "run") / secret.name, "bad-run"),
        ):
            pass
        return
    path.unlink()
    {"file": lambda: path.symlink_to(secret), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[what]()
    with pytest.raises(ArchscopeError) as caught:
        read_run(tmp_path / "run")
    assert text in str(caught.value)
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize("name", ["checkpoints", "metrics.jsonl"])
def test_nothing_is_written_through_a_link(name: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".a.part").write_text("kept")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(outside)
    with pytest.raises(ArchscopeError, match="is a link, and links in a run are not followed"):
        begin(tmp_path / "run", RUN)
    with (
        pytest.raises(ArchscopeError, match="is a link, and links in a run are not followed"),
        locked(tmp_path / "run"),
    ):
        pass
    assert [each.name for each in outside.iterdir()] == [".a.part"]


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    help_line = "\n  help:     give the folder that archscope train wrote with --out"
    with pytest.raises(ArchscopeError) as caught:
        read_run(tmp_path / "no")
    assert str(caught.value) == f"no-run: there is no folder {str(tmp_path / 'no')!r}{help_line}"
    with pytest.raises(ArchscopeError) as caught:
        read_run(tmp_path)
    assert str(caught.value) == f"no-run: {str(tmp_path)!r} is no run: it has no 'network.json'{help_line}"
    begin(tmp_path, RUN)
    (tmp_path / "classes.json").unlink()
    with pytest.raises(ArchscopeError, match=r"classes.json' cannot be read: No such file or directory"):
        read_run(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArchscopeError, match=r"cannot-write: '.*/file/run': Not a directory"):
        begin(tmp_path / "file" / "run", RUN)
    with (
        pytest.raises(ArchscopeError, match=r"cannot-write: '.*/nowhere': No such file or directory"),
        locked(tmp_path / "nowhere"),
    ):
        pass


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path) -> None:
    begin(tmp_path, RUN)
    left = runs.checkpoints_of(tmp_path) / ".last.pt.00000000.part"
    left.write_text("x")
    with locked(tmp_path):
        assert not left.exists()
        with pytest.raises(ArchscopeError) as caught, locked(tmp_path):
            pass
        assert str(caught.value) == f"run-in-use: another process trains in {str(tmp_path)!r}"
    with locked(tmp_path):
        pass


def test_a_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    folders.write_json(tmp_path / "a.json", "recipe", {"a": "µ"})
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == headed("recipe", {"a": "µ"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "plain"]
