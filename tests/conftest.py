"""What tests of several folders share: the command line in this process, and snapshots of what it prints."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker has one core; threads that wait for one another spin

sys.path.insert(0, str(Path(__file__).parent))  # for strategies.py, which tests of several folders import

# The same examples on every run, however slow the machine is.
settings.register_profile("archscope", deadline=None, derandomize=True)
settings.load_profile("archscope")

collect_ignore = ["benchmarks"]  # they import what only benchmarks need

SNAPSHOTS = Path(__file__).parent / "snapshots"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write what commands print into tests/snapshots")


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def archscope(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Runs ``archscope(...)`` in this process, as if typed: ``archscope("summary vgg16", columns=60)``.

    Without ``columns`` it prints into a pipe, without a limit. Nothing of the caller's terminal has an effect.
    """

    def run(line: str, columns: int | None = None) -> Outcome:
        from archscope.__main__ import main

        for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERMINAL_WIDTH", "_TYPER_FORCE_DISABLE_TERMINAL"):
            monkeypatch.delenv(name, raising=False)
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["archscope", *shlex.split(line)])
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]  # it is a BytesIO
        return Outcome(int(code or 0), *texts)  # type: ignore[call-overload]  # main ends with a number

    return run


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of that name in tests/snapshots, or writes it with ``--update-snapshots``."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if request.config.getoption("--update-snapshots"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"no snapshot {name}: look at the output, then run pytest --update-snapshots"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; if that is meant: pytest --update-snapshots"

    return compare


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def bare_environment() -> dict[str, str]:
    """The environment for a process of its own, without what would change how it prints."""
    dropped = {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONSTARTUP", "PYTHONPROFILEIMPORTTIME"}
    return {name: value for name, value in os.environ.items() if name not in dropped}
