"""The command as a process of its own: pipes, terminals, signals, completion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import written_to

RUN = (sys.executable, "-m", "archscope")


def ran(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, encoding="utf-8", env=env, check=False)


def shown_in_a_terminal(*arguments: str, env: dict[str, str], columns: int = 80) -> str:
    """What a command writes into a terminal that is ``columns`` wide."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([*RUN, *arguments], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=env)
    os.close(theirs)
    written = written_to(ours)
    assert process.wait() == 0
    return written.decode().replace("\r\n", "\n")


def test_the_module_is_the_command(bare_environment: dict[str, str]) -> None:
    outcome = ran("--version", env=bare_environment)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.count(".") == 2


def test_a_pipe_gets_every_column_and_no_colour(bare_environment: dict[str, str]) -> None:
    outcome = ran("compare", "vgg16", "googlenet", env=bare_environment)
    assert outcome.returncode == 0
    assert "\x1b" not in outcome.stdout
    assert "not shown" not in outcome.stdout


@pytest.mark.parametrize("columns", [60, 200])
def test_a_terminal_is_filled_and_not_overrun(columns: int, bare_environment: dict[str, str]) -> None:
    environment = {**bare_environment, "TERM": "xterm", "NO_COLOR": "1"}
    text = shown_in_a_terminal("compare", "vgg16", "googlenet", env=environment, columns=columns)
    assert "\x1b" not in text
    assert max(len(line) for line in text.split("\n")) <= columns
    assert ("not shown in 60 characters: " in text) == (columns == 60)
    assert "-131,358,992" in text


def test_a_terminal_gets_colour_unless_it_is_dumb(bare_environment: dict[str, str]) -> None:
    able = shown_in_a_terminal("list", "vgg", env={**bare_environment, "TERM": "xterm"})
    assert able.startswith("\x1b[1m")
    dumb = shown_in_a_terminal("list", "vgg", env={**bare_environment, "TERM": "dumb"})
    assert "\x1b" not in dumb


def test_a_file_gets_no_colour_from_a_terminal(bare_environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    text = shown_in_a_terminal("list", "-o", str(path), env={**bare_environment, "TERM": "xterm"}, columns=200)
    assert text == f"wrote {path}\n"
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_a_reader_that_has_seen_enough_gets_no_traceback(bare_environment: dict[str, str]) -> None:
    for arguments in (("summary", "googlenet", "--full", "--format", "json"), ("list",), ("--help",)):
        process = subprocess.Popen(
            [*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 1
        process.stderr.close()


SLOW = """
import sys, time, archscope.api.profiles
def profile(*_, **__):
    print("running", flush=True)
    time.sleep(60)
archscope.api.profiles.profile = profile
sys.argv = ["archscope", "summary", "vgg16"]
from archscope.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
def test_an_interrupt_ends_with_130_and_no_traceback(bare_environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", SLOW]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"running\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130


def test_an_old_encoding_shows_a_substitute_and_no_traceback(bare_environment: dict[str, str]) -> None:
    environment = {**bare_environment, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    outcome = ran("summary", "lenet5", env=environment)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "6?28?28" in outcome.stdout


@pytest.mark.parametrize(
    ("shell", "words"),
    [("bash", "complete -o default -F _archscope_completion archscope"), ("zsh", "#compdef archscope")],
)
def test_the_completion_script_is_printed(shell: str, words: str, bare_environment: dict[str, str]) -> None:
    outcome = ran(
        "--show-completion", shell, env={**bare_environment, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert words in outcome.stdout
    assert f"_ARCHSCOPE_COMPLETE=complete_{shell}" in outcome.stdout


def test_completion_offers_commands_and_flags(bare_environment: dict[str, str]) -> None:
    for typed, place, offered in (("archscope su", "1", "summary"), ("archscope summary --hea", "2", "--head-width")):
        words = {"_ARCHSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
        outcome = ran(env={**bare_environment, **words})
        assert (outcome.returncode, outcome.stderr) == (0, "")
        assert offered in outcome.stdout.split()
