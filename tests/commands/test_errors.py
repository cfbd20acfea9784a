"""What goes wrong ends in words on stderr and an exit code: 1 what is asked for is not there, 2 wrong use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from archscope import analyses, commands, formats
from archscope.core.errors import UnknownName

COLUMNS = ", ".join(analyses.columns())
COMMANDS = ", ".join(commands.named())
FORMATS = ", ".join(formats.named())
SUFFIXES = ", ".join(import_module(f"archscope.formats.{name}").SUFFIX for name in formats.named())

UNKNOWN = {
    "summary vgg61": "unknown-network: no network is called 'vgg61'\n  help:     did you mean vgg19, vgg16, vgg13?\n",
    "show nothing": "unknown-network: no network is called 'nothing'\n  help:     archscope list shows all\n",
    "check vgf": "unknown-network: no network is called 'vgf'\n  help:     did you mean vgg19, vgg16, vgg13?\n",
    "list zzz": "unknown-network: no network's name, table, paper or title has 'zzz'\n",
    "list vgg61": "unknown-network: no network's name, table, paper or title has 'vgg61'\n"
    "  help:     did you mean vgg19, vgg16, vgg13?\n",
    "summary no.toml": "no.toml:1:1: unreadable-file: No such file or directory: 'no.toml'\n",
    "summary ./": "./:1:1: not-a-file: './' is a directory\n",
    "summary vgg16 -o no/x.md": "cannot-write: 'no/x.md': No such file or directory\n",
    "new no/x.toml": "cannot-write: 'no/x.toml': No such file or directory\n",
}

WRONG = {
    "sumnary": f"unknown-command: no command is called 'sumnary'\n  expected: {COMMANDS}\n"
    "  help:     did you mean summary?\n",
    "summary": "missing-argument: archscope summary needs NETWORK\n  help:     archscope summary --help\n",
    "summary vgg16 vgg19": "bad-usage: Got unexpected extra argument(s) (vgg19)\n"
    "  help:     archscope summary --help\n",
    "summary vgg16 --fromat csv": "unknown-option: archscope summary has no option '--fromat'\n"
    "  help:     did you mean --format, --softmax, --dropout?\n",
    "summary vgg16 --batch 0": "bad-value: --batch: 0 is not in the range x>=1\n  help:     archscope summary --help\n",
    "summary vgg16 --batch x": "bad-value: --batch: 'x' is no whole number\n  help:     archscope summary --help\n",
    "summary vgg16 --dropout x": "bad-value: --dropout: 'x' is no number\n  help:     archscope summary --help\n",
    "summary vgg16 --dropout 1": "bad-value: dropout is 1.0\n  expected: a share from 0 up to, not including, 1\n",
    "summary vgg16 --dtype f": "bad-value: dtype is 'f'\n"
    "  expected: float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool\n",
    "summary vgg16 --mode x": "bad-value: mode is 'x'\n  expected: eval, train\n",
    "summary vgg16 --bn x": "bad-value: bn is 'x'\n  expected: none, conv, relu, conv+fc, relu+fc\n",
    "summary vgg16 --head x": "bad-value: head is 'x'\n  expected: fc, gap\n",
    "summary vgg16 --width x": "bad-value: width is 'x'\n  expected: a number such as 1/4, 0.25 or 2\n",
    "summary vgg16 --width 0": "bad-value: width is '0'\n  expected: a number above 0 and at most 1000\n",
    "summary vgg16 --blocks a": "bad-value: --blocks is 'a': cannot read 'a'\n"
    '  expected: "1,1,2,2,2", "1x64,1x128" or "64,M,128,M"\n',
    "summary vgg16 --input 0x3": "bad-value: --input is '0x3'\n"
    "  expected: channels x height x width, such as 3x224x224\n",
    "summary vgg16 --input 1x224x224 --in-channels 3": "bad-value: --input 1x224x224 has 1 channels, "
    "and --in-channels says 3\n",
    "summary vgg16 --columns foo": f"unknown-column: --columns: no column is called 'foo'\n  expected: {COLUMNS}\n",
    "summary vgg16 --columns ,": f"unknown-column: --columns: no column is called ''\n  expected: {COLUMNS}\n",
    "summary vgg16 --sort foo": f"unknown-column: --sort: no column is called 'foo'\n  expected: {COLUMNS}\n",
    "summary vgg16 --sort output_shape": "bad-value: --sort is 'output_shape', and shapes have no order\n",
    "summary vgg16 --format foo": f"bad-value: format is 'foo'\n  expected: {FORMATS}\n",
    "summary vgg16 -o x.foo": "bad-value: the name 'x.foo' does not say a format\n"
    f"  expected: --format, or a name that ends in {SUFFIXES}\n",
    "compare vgg16": "too-few: vgg16 alone: a comparison needs two networks or more\n",
    "compare vgg16 vgg19 --by foo": "bad-value: --by is 'foo'\n  expected: params, macs, activations\n",
    "show alexnet --network D": "bad-value: tables/alexnet.toml has a row per layer: all of it is one network, "
    "and no column is\n  help:     leave --network out\n",
    "new foo.txt": "bad-value: the name is 'foo.txt'\n  expected: a name that ends in .toml\n",
}

BAD_TABLE = """title = "A table with three mistakes"
input = [3, 32, 32]
grid = '''
| A        | B        |
|----------|----------|
| cnv3-64  | conv3-64 |
| maxpool  |
| conv3-   | conv3-8/ |
'''
[networks]
a = "A"
b = "B"
"""


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_is_not_there_ends_with_1(line: str, archscope: Callable, here: Path) -> None:
    assert archscope(line) == (1, "", UNKNOWN[line])
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("line", WRONG)
def test_wrong_use_ends_with_2(line: str, archscope: Callable, here: Path) -> None:
    assert archscope(line) == (2, "", WRONG[line])
    assert list(here.iterdir()) == []


def test_a_column_that_is_not_there_is_answered_with_those_that_are(archscope: Callable) -> None:
    outcome = archscope("show vgg --network X")
    assert outcome.code == 2
    assert outcome.err.startswith("unknown-network: no column is called 'X'\n  expected: vgg11, A, vgg11_lrn, A-LRN")


def test_without_arguments_the_help_is_shown(archscope: Callable) -> None:
    outcome = archscope("", columns=80)
    assert (outcome.code, outcome.err) == (2, "")
    for word in ("Start with:", "archscope summary vgg16", *COMMANDS.split(", ")):
        assert word in outcome.out


def test_all_mistakes_of_a_table_are_reported_at_once_with_their_places(archscope: Callable, here: Path) -> None:
    (here / "bad.toml").write_text(BAD_TABLE, encoding="utf-8")
    for line in ("check bad.toml", "compare bad.toml"):
        outcome = archscope(line)
        assert (outcome.code, outcome.out) == (1, "")
        assert "bad.toml:6:3: " in outcome.err
        assert "Traceback" not in outcome.err
    problems = archscope("check bad.toml").err
    assert [line for line in ("6:3", "8:3", "8:14") if f"bad.toml:{line}: " in problems] == ["6:3", "8:3", "8:14"]
    assert problems.count("  in:       row") == 3


WRITING = {
    "new mine.toml": "mine.toml",
    "summary lenet5 -o lenet5.csv": "lenet5.csv",
    "check lenet5 --witness published -o found.json": "found.json",
    "export lenet5 -o net.py": "net.py",
    "draw lenet5 -o net.svg": "net.svg",
    "sweep vgg11 --vary classes=2,10 -o points.csv": "points.csv",
    "sweep vgg11 --vary classes=2,10 --plot front.png": "front.png",
}  # fmt: skip


@pytest.mark.parametrize("line", WRITING)
def test_a_file_that_is_there_is_kept_unless_it_is_forced(line: str, archscope: Callable, here: Path) -> None:
    path = here / WRITING[line]
    path.write_text("mine")
    text = f"file-exists: {path.name!r} is there already; nothing was written\n  help:     --force overwrites it\n"
    assert archscope(line) == (2, "", text)
    assert path.read_text() == "mine"
    assert archscope(f"{line} --force").code == 0
    assert path.read_bytes() != b"mine"
    assert [each.name for each in here.iterdir()] == [path.name]


@pytest.mark.parametrize("name", commands.named())
def test_every_command_that_writes_a_file_can_be_told_to_overwrite_it(name: str) -> None:
    flags = {flag for each in commands.command_line().get_command(None, name).params for flag in each.opts}
    assert "--force" in flags or not flags & {"--output", "--plot"}


def test_what_is_no_file_is_written_to_as_it_is(archscope: Callable) -> None:
    assert archscope("list lenet5 -o /dev/null --format csv") == (0, "wrote /dev/null\n", "")


def test_with_debug_the_traceback_is_shown(archscope: Callable) -> None:
    for line in ("summary vgg61 --debug", "--debug summary vgg61"):
        with pytest.raises(UnknownName, match="vgg61"):
            archscope(line)


def test_an_interrupt_ends_with_130_and_no_words(archscope: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archscope.api.profiles.profile", interrupted)
    assert archscope("summary vgg16") == (130, "", "")
    monkeypatch.setitem(sys.modules, "archscope.commands", None)
    monkeypatch.setattr("archscope.__main__._run", interrupted)
    assert archscope("summary vgg16") == (130, "", "")


def test_running_out_of_memory_is_said_in_a_line(archscope: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError("everything is taken")

    monkeypatch.setattr("archscope.api.profiles.profile", exhausted)
    assert archscope("summary vgg16") == (1, "", "MemoryError: everything is taken\n")


def test_a_defect_is_not_hidden(archscope: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("archscope.api.profiles.profile", broken)
    with pytest.raises(ZeroDivisionError):
        archscope("summary vgg16")


def test_list_shows_the_tables_that_can_be_read_and_reports_the_others(
    archscope: Callable, tmp_path: Path, monkeypatch
):
    from archscope import catalog

    for path in catalog.table_files()[:2]:
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    broken = catalog.table_files()[0].read_text(encoding="utf-8").replace("conv{k}", "cnv{k}").replace("alexnet", "odd")
    (tmp_path / "odd.toml").write_text(broken, encoding="utf-8")
    (tmp_path / "zzz.toml").write_text("title = ", encoding="utf-8")
    monkeypatch.setattr(catalog, "tables_folder", lambda: tmp_path)
    outcome = archscope("list")
    assert outcome.code == 1
    assert outcome.out.startswith("2 networks in 2 tables")
    heads = [line for line in outcome.err.splitlines() if line.startswith("tables/")]
    assert "tables/zzz.toml:1:9: not-toml:" in heads[0]
    assert all("tables/odd.toml:" in head and "unknown-op: cannot read 'cnv" in head for head in heads[1:])
    assert len(heads) == 6
    for path in tmp_path.glob("a*.toml"):
        path.unlink()
    assert (archscope("list").code, archscope("list").out) == (1, "")
