"""README.md does what it says: its commands and its Python run, and what they are shown to print is what they print.

Conventions, for whoever writes README.md:

- A fenced block of ``console`` holds commands after ``$ ``, each followed by what it prints; one of ``sh`` or ``bash``
  holds commands only. Everything runs in one empty folder, in order, so that files made earlier are there later.
- ``archscope …`` runs in this process, at 120 columns, without colour. Output that is shown must be the whole output; a
  line ``…`` stands for any lines, and ``…`` at the end of a line for the rest of it. None shown: the command just runs.
- A command must end with 0, unless its line ends with ``# exit code N``. Other comments are left out, of what is piped
  on (``| head``) only the first command runs, ``&&`` joins commands, and ``\\`` at the end continues a line.
- Commands that install or develop (``python3 -m venv``, ``pip install``, ``git clone``, ``cd``, ``pytest``, …) are not
  run; extras that they name must exist in pyproject.toml, as must tools among its dependencies.
- A ``toml`` or ``python`` block whose first line is ``# name.toml`` or ``# name.py`` is written to that
  file; behind what is there with ``# name.toml, at its end``.
- Another ``python`` block runs in a namespace of its own; with ``>>>`` it runs as a doctest. ``…`` is as above.
- ``<!-- not run: why -->`` on the line before a block keeps it from running: it is for downloads.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TOOLS = {"pytest": "pytest", "ruff": "ruff", "mypy": "mypy", "lint-imports": "import-linter", "build": "build"}
"""Commands of development, and the package that brings each."""

COLUMNS = 120


class Block(NamedTuple):
    """A fenced block: its language, its text, the line that it begins in, and whether it runs."""

    language: str
    text: str
    line: int
    runs: bool = True


class Command(NamedTuple):
    """A command line and what it is shown to print."""

    line: str
    shown: str


def blocks_of(text: str) -> list[Block]:
    found, inside, before = [], None, ""
    for number, line in enumerate(text.split("\n"), start=1):
        fence = re.match(r"```(\w*)", line)
        if inside is None and fence:
            inside = (fence[1], number, [], before.strip().startswith("<!-- not run:"))
        elif inside is not None and line.strip() == "```":
            language, start, lines, kept = inside
            found.append(Block(language, "\n".join(lines), start, not kept))
            inside = None
        elif inside is not None:
            inside[2].append(line)
        before = line if line.strip() else before
    assert inside is None, f"the block in line {inside[1]} is not closed"
    return found


def commands_of(block: Block) -> list[Command]:
    """The commands of a block: lines after ``$ `` with what follows them, or, without any, all lines."""
    text = re.sub(r"\\\n\s*", "", block.text)
    if block.language != "console":
        return [Command(line.removeprefix("$ "), "") for line in text.split("\n") if line and not line.startswith("#")]
    first, *rest = re.split(r"(?m)^\$ ", text)
    assert not first.strip(), f"line {block.line}: a console block begins with a command"
    return [Command(*part.partition("\n")[::2]) for part in rest]


def matches(shown: str, printed: str) -> bool:
    """Whether the printed text is the shown one, in which a line ``…`` is any lines and ``…`` at an end any rest."""
    pattern = ""
    for line in shown.strip("\n").split("\n"):
        if line.strip() in {"…", "..."}:
            pattern += r"(?:.*\n)*?"
        elif line.rstrip().endswith("…"):
            pattern += re.escape(line.rstrip()[:-1]) + ".*\n"
        else:
            pattern += re.escape(line.rstrip()) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


def parts_of(line: str) -> Iterator[list[str]]:
    """The words of each command that ``&&`` joins, up to a pipe, without comments and settings of variables."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|")
    lexer.whitespace_split = True
    words: list[str] = []
    piped = False
    for word in [*lexer, "&&"]:
        if word == "&&":
            yield words
            words, piped = [], False
        elif word == "|":
            piped = True
        elif not piped and (words or not re.fullmatch(r"\w+=\S*", word)):
            words.append(word)


def check_installation(words: list[str]) -> None:
    """Raises for a command of installation or development that names what there is not."""
    name, rest = words[0].rpartition("/")[2], words[1:]
    if re.fullmatch(r"python[\d.]*", name) and rest[:1] == ["-m"]:
        name, rest = rest[1], rest[2:]
    if name in TOOLS:
        extras = PROJECT["optional-dependencies"].values()
        everything = [*PROJECT["dependencies"], *(each for extra in extras for each in extra)]
        assert any(re.match(rf"{TOOLS[name]}\b", each) for each in everything), f"{name} is no dependency"
        assert "-n" not in rest or any(each.startswith("pytest-xdist") for each in everything)
    elif name == "pip":
        assert rest[0] == "install"
        for target in (word for word in rest[1:] if not word.startswith("-")):
            place, _, extras = target.partition("[")
            assert place in {".", "archscope"} or (ROOT / place).exists(), f"pip cannot install {target!r}"
            for extra in filter(None, extras.rstrip("]").split(",")):
                assert extra.strip() in PROJECT["optional-dependencies"], f"there is no extra {extra!r}"
    else:
        known = {"venv", "git", "cd", "source", ".", "pre-commit"}
        assert name in known or (ROOT / words[0]).is_file(), f"what is {shlex.join(words)!r}?"


def run_commands(block: Block, archscope: Callable) -> None:
    for command in commands_of(block):
        ending = re.search(r"#\s*exit code (\d+)\s*$", command.line)
        printed, code = "", 0
        for part in parts_of(command.line):
            words = part[2:] if part[1:3] == ["-m", "archscope"] else part
            if words and words[0].rpartition("/")[2] == "archscope":
                outcome = archscope(shlex.join(words[1:]), columns=COLUMNS)
                printed, code = printed + outcome.out + outcome.err, outcome.code
            elif words:
                check_installation(words)
        place = f"README.md:{block.line}: {command.line}"
        assert code == int(ending[1] if ending else 0), f"{place}\nends with {code}:\n{printed}"
        if command.shown.strip() and " | " not in command.line:
            assert matches(command.shown, printed), (
                f"{place}\nprints\n{printed}\nand is shown to print\n{command.shown}"
            )


def run_python(block: Block) -> None:
    if ">>> " in block.text:
        test = doctest.DocTestParser().get_doctest(block.text + "\n", {}, "README.md", "README.md", block.line)
        report = io.StringIO()
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.write)
        assert not report.getvalue(), report.getvalue()
        return
    code = compile("\n" * block.line + block.text, "README.md", "exec", dont_inherit=True)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, {"__name__": "__main__"})  # noqa: S102  our own file


def run_all(text: str, archscope: Callable, folder: Path) -> None:
    """Runs every block of a Markdown text, in order."""
    for block in blocks_of(text):
        if not block.runs:
            continue
        file = re.match(r"# ([\w.-]+\.(?:toml|py))(, at its end)?\n", block.text)
        if block.language in {"toml", "python"} and file:
            with (folder / file[1]).open("a" if file[2] else "w", encoding="utf-8") as target:
                target.write(block.text + "\n")
        elif block.language in {"console", "sh", "bash"}:
            run_commands(block, archscope)
        elif block.language == "python":
            run_python(block)


def test_everything_in_the_readme_runs_and_prints_what_it_shows(archscope: Callable, here: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [block for block in blocks_of(text) if block.language in {"console", "sh", "python"}]
    run_all(text, archscope, here)


def test_the_readme_names_its_sections_once() -> None:
    text = re.sub(r"(?s)```.*?```", "", (ROOT / "README.md").read_text(encoding="utf-8"))
    heads = re.findall(r"(?m)^#+ (.+)$", text)
    assert len(heads) == len(set(heads))


def test_files_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
        assert (ROOT / target).exists(), target


FENCE = "```"


@pytest.mark.parametrize(
    "text",
    [
        "console\n$ archscope --version\n0.0\n",
        "console\n$ archscope summary vgg61\n",
        "console\n$ archscope list vgg\n10 networks in 1 table\n",
        "sh\npip install '.[nothing]'\n",
        "sh\nrm -rf /\n",
        "sh\nnpm install archscope\n",
        "python\nassert 1 == 2\n",
        "python\n>>> 1 + 1\n3\n",
    ],
)
def test_what_is_wrong_in_a_readme_is_found(text: str, archscope: Callable, here: Path) -> None:
    with pytest.raises(AssertionError):
        run_all(f"{FENCE}{text}{FENCE}\n", archscope, here)


@pytest.mark.parametrize(
    "text",
    [
        "console\n$ archscope list vgg | head -1\n10 networks\n",
        "console\n$ archscope list 1409.1556\n10 networks in 1 table\n…\nvgg16  …\n…\n",
        "console\n$ archscope summary vgg61   # exit code 1\nunknown-network: no network is called 'vgg61'\n…\n",
        "console\n$ archscope new a.toml\nwrote a.toml; next: archscope check a.toml\n$ archscope check a.toml\n…\n",
        "sh\n# a comment\nNO_COLOR=1 archscope summary vgg11 \\\n  --classes 10  # another\n",
        "sh\npython3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/python -m pytest -n auto\n",
        "sh\npython -m archscope ops\n",
        "python\nimport archscope\nassert archscope.profile('vgg16').depth == 16\nprint(1)\n",
        "python\n>>> 1 + 1\n2\n",
        "text\nnothing that runs\n",
    ],
)
def test_what_is_right_in_a_readme_passes(text: str, archscope: Callable, here: Path) -> None:
    run_all(f"{FENCE}{text}{FENCE}\n", archscope, here)


def test_a_block_can_be_kept_from_running_and_a_table_is_written(archscope: Callable, here: Path) -> None:
    table = "# net.toml\ntitle = 'A'\ninput = [1, 8, 8]\ngrid = '''\n| A |\n|---|\n| FC-2 |\n'''"
    kept = f"<!-- not run: downloads -->\n\n{FENCE}sh\nfalse\n{FENCE}\n"
    run_all(f"{kept}{FENCE}toml\n{table}\n{FENCE}\n{FENCE}sh\narchscope check net.toml\n{FENCE}\n", archscope, here)
    assert (here / "net.toml").read_text(encoding="utf-8") == f"{table}\n"
