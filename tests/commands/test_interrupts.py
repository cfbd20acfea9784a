"""Long work: what a terminal is shown meanwhile, and a real Ctrl-C, which keeps what is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminals import written_to

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and terminals are different there")

SLOW = """
import sys, time
from importlib import import_module
module, name, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
holder = import_module(module)
own, calls = getattr(holder, name), []
def slow(*args, **kwargs):
    calls.append(name)
    if len(calls) > after:
        print("waiting", file=sys.stderr, flush=True)
        time.sleep(60)
    return own(*args, **kwargs)
setattr(holder, name, slow)
sys.argv = ["archscope", *sys.argv[4:]]
from archscope.__main__ import main
main()
"""
"""The command line, with one function that takes a minute from a certain call on."""


def interrupted(where: str, after: int, line: str, env: dict[str, str], cwd: Path) -> tuple[int, str, str]:
    """What a command ends with when it gets SIGINT in the call that takes long."""
    module, _, name = where.rpartition(".")
    command = [sys.executable, "-c", SLOW, module, name, str(after), *line.split()]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=env, cwd=cwd
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


KEPT = {
    "check vgg11 vgg13 vgg16 --witness published --format json": ("archscope.api.checks.check", "findings"),
    "lint vgg11 vgg13 vgg16 --format json": ("archscope.commands.lint.findings_of", "findings"),
    "fit vgg11 vgg13 vgg16 --memory 8GiB --format json": ("archscope.api.fits.fit", "fits"),
}


@pytest.mark.parametrize("line", KEPT)
def test_what_is_finished_of_several_is_printed(line: str, bare_environment: dict[str, str], tmp_path: Path) -> None:
    where, key = KEPT[line]
    code, out, err = interrupted(where, 2, line, bare_environment, tmp_path)
    assert (code, err) == (130, "interrupted; this is what was finished: 2 of 3\n")
    assert isinstance(json.loads(out)[key], list)
    assert "vgg16" not in out


@pytest.mark.parametrize("line", [*KEPT, "compare vgg11 vgg13 --by params", "export vgg11 -o net.py"])
def test_where_nothing_is_finished_nothing_is_left(line: str, bare_environment: dict[str, str], tmp_path: Path) -> None:
    others = {"compare": "archscope.api.profiles.profile", "export": "archscope.api.exports.export"}
    where = KEPT[line][0] if line in KEPT else others[line.split(maxsplit=1)[0]]
    assert interrupted(where, 0, line, bare_environment, tmp_path) == (130, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_not_overwritten_by_half_of_one(bare_environment: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    line = "report vgg11 -o page.html --force"
    assert interrupted("archscope.api.reports.report", 0, line, bare_environment, tmp_path) == (130, "", "")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("page.html", "mine")]


SWEEP = "sweep vgg11 --vary width=1/8:2:1/64 --vary batch=1:400000:1 --columns params --top 3"


def test_an_interrupted_sweep_shows_what_it_has(bare_environment: dict[str, str], tmp_path: Path) -> None:
    where = "archscope.studies.design_space.answers.of_chunk"
    code, out, err = interrupted(where, 3, f"{SWEEP} --sort params", bare_environment, tmp_path)
    assert code == 130
    assert "vgg11" in out
    assert err.startswith("interrupted after ")
    assert err.endswith(" of 48,400,000 designs\n")


def test_an_interrupted_sweep_into_a_file_goes_on(bare_environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archscope", *SWEEP.split(), "-o", "points.csv"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=bare_environment, cwd=tmp_path)
    partial = tmp_path / "points.csv.partial"
    while process.poll() is None and not (partial.exists() and partial.stat().st_size > 1000):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("interrupted after ")
    assert err.endswith("; points.csv.partial keeps them, and the same command goes on from there\n")
    assert [each.name for each in tmp_path.iterdir()] == ["points.csv.partial"]


def test_an_interrupted_search_shows_the_best_so_far(bare_environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    line = "search vgg11 --max-params 100M --max-macs 5G --maximize activations --trials 300 --format json"
    where = "archscope.studies.design_space.searching._tried"
    code, out, err = interrupted(where, 2, line, bare_environment, tmp_path)
    tried = json.loads(out)["tried"]
    assert (code, err) == (130, f"interrupted after {tried} designs\n")
    assert 0 < tried < 300


AT_ONCE = """
import sys
import threading
class AtOnce:
    def __init__(self, seconds, action):
        self.start = action
    def cancel(self):
        pass
threading.Timer = AtOnce
sys.argv = ["archscope", *sys.argv[1:]]
from archscope.__main__ import main
main()
"""


def shown(line: str, env: dict[str, str], cwd: Path) -> str:
    """What a command that shows at once what it does writes into a terminal on stderr."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", AT_ONCE, *line.split()]
    environment = {**env, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, cwd=cwd)
    os.close(theirs)
    written = written_to(ours)
    process.communicate()
    return written.decode()


LINES = {
    "check vgg --witness published": "checking vgg",
    "summary torchvision.models:alexnet": "counting torchvision.models:alexnet …",
    "report lenet5 -o page.html": "reporting lenet5 …",
    "search vgg11 --vary width=1/8:2:1/64 --vary input=64:1024:1 --maximize macs": "designs, ",
}


@pytest.mark.parametrize("line", LINES)
def test_a_terminal_is_shown_what_is_being_done(line: str, bare_environment: dict[str, str], tmp_path: Path) -> None:
    text = shown(line, bare_environment, tmp_path)
    assert LINES[line] in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h"))  # the line is gone, and the cursor is back
